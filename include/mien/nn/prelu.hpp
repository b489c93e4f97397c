#pragma once
// Prelu: y = x where x > 0, else slope x, with one learned slope per channel.

#include <mien/nn/conv2d.hpp>
#include <mien/ops/prelu.hpp>

namespace mien::nn {

template <FloatElement T>
class Prelu : public Module<T> {
 public:
  explicit Prelu(std::int64_t channels, double slope = 0.25)
      : weight(Tensor<Compute<T>>::full({channels}, static_cast<Compute<T>>(slope))) {
    weight.set_requires_grad();
  }

  // (..., channels) -> (..., channels)
  Tensor<T> forward(const Tensor<T>& x) const {
    this->observe(x.shape(), 0);
    return prelu(x, weight);
  }

  void parts(Parts<T>& p) override { p.parameter("weight", weight); }

  Tensor<Compute<T>> weight;
};

// prelu(conv(x)), in one pass where no gradient is recorded.
template <FloatElement T>
Tensor<T> conv_prelu(const Conv2d<T>& conv, const Prelu<T>& slopes, const Tensor<T>& x) {
  if (grad_enabled()) return slopes.forward(conv.forward(x));
  const Tensor<T> y = conv.forward_fused(
      x, {.activation = Activation::prelu, .epilogue = {.slopes = slopes.weight}});
  slopes.observe(y.shape(), 0);
  return y;
}

}  // namespace mien::nn
