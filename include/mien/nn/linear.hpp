#pragma once
// Linear: y = x w + b.

#include <mien/nn/init.hpp>
#include <mien/nn/module.hpp>
#include <mien/ops/linear.hpp>

namespace mien::nn {

struct LinearOptions {
  std::int64_t in, out;
  bool bias = true;
};

// weight (in, out), bias (out); drawn from U(-1/sqrt(in), 1/sqrt(in)), as PyTorch does.
template <FloatElement T>
class Linear : public Module<T> {
 public:
  Linear() = default;
  explicit Linear(const LinearOptions& o) : weight({o.in, o.out}) {
    if (o.bias) bias = Tensor<Compute<T>>(Shape{o.out});
    init_layer(weight, bias, o.in);
  }

  // (..., in) -> (..., out)
  Tensor<T> forward(const Tensor<T>& x) const {
    Tensor<T> y = linear(x, weight, bias);
    this->observe(y.shape(), y.numel() * weight.dim(0));
    return y;
  }

  void parts(Parts<T>& p) override {
    p.parameter("weight", weight, Layout::linear).parameter("bias", bias);
  }

  Tensor<Compute<T>> weight, bias;
};

}  // namespace mien::nn
