#pragma once
// Convolution, batch norm and activation in a row: the path with gradients runs them one after
// another (norm and activation in one pass), the path without folds all into the convolution's
// stores.

#include <mien/nn/batch_norm.hpp>
#include <mien/nn/conv2d.hpp>

namespace mien::nn {

// Whether `norm` may become part of the convolution before it.
template <FloatElement T, template <class> class Conv>
bool can_fuse(const Conv<T>& conv, const BatchNorm2d<T>& norm) {
  return !grad_enabled() && norm.uses_running_statistics() && !conv.bias.defined();
}

// `norm` and `activation`, for forward_fused() of the convolution before them.
template <FloatElement T>
Fused<T> fused_norm(const BatchNorm2d<T>& norm, Activation activation) {
  auto [scale, shift] = norm.folded();
  return {.activation = activation, .epilogue = {.scale = scale, .shift = shift}};
}

// act(norm(conv(x))); Conv is Conv2d or DepthwiseConv2d, activation none, relu or silu.
template <FloatElement T, template <class> class Conv>
Tensor<T> conv_bn_act(const Conv<T>& conv, const BatchNorm2d<T>& norm, const Tensor<T>& x,
                      Activation activation) {
  if (!can_fuse(conv, norm)) return norm.forward(conv.forward(x), activation);
  const Tensor<T> y = conv.forward_fused(x, fused_norm(norm, activation));
  norm.observe(y.shape(), 0);
  return y;
}

}  // namespace mien::nn
