#pragma once
// SqueezeExcite: channels rescaled by gates computed from their means (ops/squeeze_excite.hpp).

#include <mien/nn/init.hpp>
#include <mien/nn/module.hpp>
#include <mien/ops/squeeze_excite.hpp>

namespace mien::nn {

struct SqueezeExciteOptions {
  std::int64_t channels, reduced;
  Activation activation = Activation::silu;
};

// One of the two 1x1 convolutions, on pixels' means: weight (in, out), bias (out).
template <FloatElement T>
class Pointwise : public Module<T> {
 public:
  Pointwise() = default;
  Pointwise(std::int64_t in, std::int64_t out) : weight({in, out}), bias(Shape{out}) {
    init_layer(weight, bias, in);
  }
  void parts(Parts<T>& p) override {
    p.parameter("weight", weight, Layout::pointwise).parameter("bias", bias);
  }
  Tensor<Compute<T>> weight, bias;
};

template <FloatElement T>
class SqueezeExcite : public Module<T> {
 public:
  SqueezeExcite() = default;
  explicit SqueezeExcite(const SqueezeExciteOptions& o)
      : reduce(o.channels, o.reduced), expand(o.reduced, o.channels), activation_(o.activation) {}

  // (n, h, w, channels) -> (n, h, w, channels)
  Tensor<T> forward(const Tensor<T>& x) const {
    observe_result(x.shape());
    return squeeze_excite(x, reduce.weight, reduce.bias, expand.weight, expand.bias,
                          {.activation = activation_});
  }

  // Under NoGrad: the gates (n, channels) alone, from sums (n, channels) over so many pixels.
  Tensor<Compute<T>> gates(const Tensor<Compute<T>>& sums, std::int64_t pixels) const {
    observe_result(sums.shape());
    return squeeze_excite_gates(sums, pixels, reduce.weight, reduce.bias, expand.weight,
                                expand.bias, {.activation = activation_});
  }

  void parts(Parts<T>& p) override { p.child("conv_reduce", reduce).child("conv_expand", expand); }

  Pointwise<T> reduce, expand;

 private:
  void observe_result(const Shape& y) const {
    this->observe(y, y[0] * (reduce.weight.numel() + expand.weight.numel()));
  }
  Activation activation_ = Activation::silu;
};

}  // namespace mien::nn
