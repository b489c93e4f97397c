#pragma once
// y = the sum of x over some dimensions. Accumulated in float (double for double), rounded once.

#include <mien/ops/expand.hpp>
#include <mien/ops/reduce.hpp>

namespace mien {

namespace ops {
struct Sum {
  static constexpr std::string_view name = "sum";
  Over over = {};

  Shape shape(std::span<const Shape> in) const { return reduced_shape(in[0], over, name); }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Shape kept = reduced_keepdim(in[0].shape(), over, name);
    return reduce_reference(in[0], kept, 0, [](auto sum, auto x) { return sum + x; })
        .view_as(reduced_shape(in[0].shape(), over, name));
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Shape& x = in[0].shape();
    const auto sums = reduce_to<kernels::Reduction::sum>(in[0], reduced_keepdim(x, over, name));
    return rounded_to<T>(sums).view_as(reduced_shape(x, over, name));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Shape& x = ctx.shape(0);
    return {expanded(dy.view_as(reduced_keepdim(x, over, name)), x)};
  }

  static std::vector<Sample<Sum>> samples() { return reduction_samples<Sum>("sum"); }
};
}  // namespace ops

// Any shape. The sum of no elements is 0.
template <FloatElement T>
Tensor<T> sum(const Tensor<T>& x, const Over& over = {}) {
  return apply(ops::Sum{.over = over}, {x});
}

MIEN_INSTANCE(Tensor<float> sum(const Tensor<float>&, const Over&))

}  // namespace mien
