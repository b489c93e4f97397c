#pragma once
// Gradient checking by central differences, in double.

#include <cmath>
#include <string>
#include <vector>

#include <mien/autograd/engine.hpp>
#include <mien/autograd/grad_mode.hpp>
#include <mien/core/random.hpp>

namespace mien {

struct GradcheckOptions {
  double step = 1e-6;
  double absolute = 1e-6;  // tolerance: absolute + relative * |numerical|
  double relative = 1e-5;
};

// Compares the gradients that backward() gives for L = sum(w * f(inputs)), w random, with
// (L(x + h) - L(x - h)) / 2h for every element of every input that requires a gradient. Returns an
// empty text where all agree, else what differs first. f: const std::vector<Tensor<double>>& ->
// Tensor<double>, deterministic. The gradients stay in the inputs.
template <class F>
std::string gradcheck(F&& f, std::vector<Tensor<double>> inputs, GradcheckOptions options = {}) {
  for (std::size_t k = 0; k < inputs.size(); ++k)
    if (!inputs[k].is_contiguous()) return str("input ", k, " is not contiguous");
  Generator generator(20240607);
  const Tensor<double> out = f(inputs);
  if (!out.requires_grad()) return "the output does not depend on an input that requires grad";
  const Tensor<double> weights = rand<double>(out.shape(), generator, -1.0, 1.0);
  for (const auto& x : inputs) x.zero_grad();
  out.backward(weights);

  const auto loss = [&] {
    const NoGrad no_grad;
    const Tensor<double> y = f(inputs).dense();
    double sum = 0;
    for (std::int64_t i = 0; i < y.numel(); ++i) sum += y.data()[i] * weights.data()[i];
    return sum;
  };
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].requires_grad()) continue;
    const Tensor<double> analytic =
        inputs[k].grad().defined() ? inputs[k].grad() : Tensor<double>::zeros(inputs[k].shape());
    for (std::int64_t i = 0; i < inputs[k].numel(); ++i) {
      const double x = inputs[k].data()[i];
      inputs[k].mutable_data()[i] = x + options.step;
      const double above = loss();
      inputs[k].mutable_data()[i] = x - options.step;
      const double below = loss();
      inputs[k].mutable_data()[i] = x;
      const double numerical = (above - below) / (2 * options.step), got = analytic.data()[i];
      if (!(std::abs(got - numerical) <= options.absolute + options.relative * std::abs(numerical)))
        return str("input ", k, ", element ", i, ": backward gives ", got, ", central differences ",
                   numerical);
    }
  }
  return {};
}

}  // namespace mien
