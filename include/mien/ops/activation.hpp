#pragma once
// Activations fused behind other ops. Where gradients are recorded, the op runs its sums first and
// the activation as a pass of its own, because backward needs what lies between.

#include <mien/cpu/epilogue.hpp>
#include <mien/ops/identity.hpp>
#include <mien/ops/leaky_relu.hpp>
#include <mien/ops/relu.hpp>
#include <mien/ops/sigmoid.hpp>
#include <mien/ops/silu.hpp>

namespace mien {

using kernels::Activation;

namespace ops {

// Calls f with the activation as an elementwise op. `slope` is leaky_relu's.
template <class F>
decltype(auto) with_activation(Activation activation, double slope, std::string_view where, F&& f) {
  switch (activation) {
    case Activation::none:
      return f(Identity{});
    case Activation::relu:
      return f(Relu{});
    case Activation::silu:
      return f(Silu{});
    case Activation::leaky_relu:
      return f(LeakyRelu{.slope = slope});
    case Activation::sigmoid:
      return f(Sigmoid{});
    case Activation::prelu:
      break;
  }
  fail(where, "prelu has learned slopes; use mien::prelu behind the op");
}

// act(pre), keeping what activation_gradient() reads.
template <class T>
Tensor<T> activate(Context<T>& ctx, const Tensor<T>& pre, Activation activation, double slope,
                   std::string_view where) {
  if (activation == Activation::none) return pre;
  return with_activation(activation, slope, where, [&](auto op) {
    Tensor<T> y(pre.shape(), pre.device());
    with_device(pre.device(), [&](auto device) {
      kernels::unary(device, y.mutable_data(), pre.data(), pre.numel(), op);
    });
    ctx.save(op.reads == Reads::input ? pre : y);
    return y;
  });
}

// The gradient at `pre`, from what activate() kept as ctx.saved(index).
template <class T>
Tensor<T> activation_gradient(const Context<T>& ctx, int index, const Tensor<T>& dy,
                              Activation activation, double slope, std::string_view where) {
  if (activation == Activation::none) return dy;
  return with_activation(activation, slope, where, [&](auto op) {
    Tensor<T> gradient(dy.shape(), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::unary_grad(device, gradient.mutable_data(), ctx.saved(index).data(), dy.data(),
                          dy.numel(), op);
    });
    return gradient;
  });
}

}  // namespace ops
}  // namespace mien
