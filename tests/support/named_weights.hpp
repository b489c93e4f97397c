#pragma once
// Weights that need no file: each tensor is drawn by a seed made of its name. Equal to what
// tests/golden/models/make_models.py gives to PyTorch's networks.

#include <cmath>
#include <string>

#include <mien/core/random.hpp>
#include <mien/nn/module.hpp>

#include "support/op_samples.hpp"

namespace mien::test {

inline Tensor<float> named_uniform(const std::string& name, const Shape& shape, float low,
                                   float high) {
  Generator generator(seed_of(name));
  return rand<float>(shape, generator, low, high);
}

// A tensor in PyTorch's layout, by its PyTorch name.
inline Tensor<float> named_value(const std::string& name, const Shape& shape) {
  if (name.ends_with("running_var")) return named_uniform(name, shape, 0.45f, 0.95f);
  if (shape.rank() >= 2) {
    const auto fan = static_cast<double>(shape.numel() / shape[0]);
    const auto bound = static_cast<float>(std::sqrt(4.8 / fan));
    return named_uniform(name, shape, -bound, bound);
  }
  if (name.ends_with("weight")) return named_uniform(name, shape, 0.5f, 1.5f);
  return named_uniform(name, shape, -0.1f, 0.1f);
}

inline nn::StateDict named_weights(nn::StateDict dict) {
  for (auto& [name, value] : dict)
    if (value.dtype() == DType::f32) value = named_value(name, value.shape());
  return dict;
}

}  // namespace mien::test
