#pragma once
// The model that tests/golden/optim/make_optim.py trains: tanh(x A + b) against y.

#include <map>
#include <string>

#include <mien/io/safetensors.hpp>
#include <mien/mien.hpp>

#include "support/data_dir.hpp"

namespace mien::test {

using Golden = std::map<std::string, Tensor<double>>;

inline const Golden& golden() {
  static const Golden tensors = [] {
    Golden all;
    for (const auto& [name, tensor] :
         io::read_safetensors(golden_path("optim/optim.safetensors")).tensors)
      all.emplace(name, tensor.as<double>());
    return all;
  }();
  return tensors;
}

template <class T>
class ToyModel : public nn::Module<T> {
 public:
  ToyModel()
      : a(golden().at("start.A").to<T>()),
        b(golden().at("start.b").to<T>()),
        x_(golden().at("x").to<T>()),
        y_(golden().at("y").to<T>()) {
    this->set_requires_grad();
  }

  // The loss of a pass, whose gradients it computes.
  double backward(bool with_bias = true) const {
    const auto error = tanh(matmul(x_, a) + (with_bias ? b : b.detach())) - y_;
    const auto loss = sum(error * error);
    loss.backward();
    return double{loss.item()};
  }

  void parts(nn::Parts<T>& p) override { p.parameter("a", a).parameter("b", b); }

  Tensor<T> a, b;

 private:
  Tensor<T> x_, y_;
};

// The largest difference of two tensors of one shape.
template <class T>
double largest_difference(const Tensor<T>& x, const Tensor<double>& y) {
  double largest = x.shape() == y.shape() ? 0 : INFINITY;
  for (std::int64_t i = 0; i < x.numel() && x.shape() == y.shape(); ++i) {
    const double difference = std::abs(double{x.data()[i]} - y.data()[i]);
    largest = difference <= largest ? largest : difference;
  }
  return largest;
}

}  // namespace mien::test
