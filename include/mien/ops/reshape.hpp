#pragma once
// y = the elements of x in row-major order under another shape; a view of x where x is dense.

#include <mien/ops/op.hpp>

namespace mien {

namespace ops {
struct Reshape {
  static constexpr std::string_view name = "reshape";
  Shape to = {};

  Shape shape(std::span<const Shape> in) const { return infer_shape(to, in[0]); }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    return in[0].clone().view_as(to);
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    return in[0].view_as(to);
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    return {dy.view_as(ctx.shape(0))};
  }

  static std::vector<Sample<Reshape>> samples() {
    return {{"flatten", {{2, -1}}, {{{2, 3, 5}}}, "x[0].reshape(2, -1)"},
            {"to_scalar", {{}}, {{{1, 1}}}, "x[0].reshape(())"}};
  }
};
}  // namespace ops

// One size may be -1: it follows from the others. The number of elements must stay.
template <FloatElement T>
Tensor<T> reshape(const Tensor<T>& x, const Shape& shape) {
  return apply(ops::Reshape{.to = shape}, {x});
}

}  // namespace mien
