#pragma once
// Compares a tensor with what it should be.

#include <algorithm>
#include <cmath>
#include <string>

#include <mien/core/tensor.hpp>

namespace mien::test {

// Empty where |got - expected| <= tolerance * max(1, largest |expected|) for every element, else
// the first difference in words.
template <class T>
std::string difference(const Tensor<T>& got, const Tensor<double>& expected, double tolerance) {
  if (got.shape() != expected.shape())
    return str("shape ", got.shape(), ", expected ", expected.shape());
  const Tensor<double> a = got.template to<double>(), b = expected.dense();
  double scale = 1;
  for (std::int64_t i = 0; i < b.numel(); ++i)
    if (std::isfinite(b.data()[i])) scale = std::max(scale, std::abs(b.data()[i]));
  for (std::int64_t i = 0; i < b.numel(); ++i) {
    const double x = a.data()[i], y = b.data()[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!(std::abs(x - y) <= tolerance * scale))
      return str("element ", i, " is ", x, ", expected ", y, " (shape ", got.shape(), ")");
  }
  return {};
}

}  // namespace mien::test
