#pragma once
// y = x stretched to a larger shape by NumPy's rule, without copying: a view with strides of 0.

#include <mien/core/index.hpp>
#include <mien/core/strided.hpp>
#include <mien/ops/op.hpp>
#include <mien/ops/sum_to.hpp>

namespace mien {

// Values only: a view of x as `shape`, which must be one that x broadcasts to.
template <Element T>
Tensor<T> expanded(const Tensor<T>& x, const Shape& shape) {
  return x.as_strided(shape, broadcast_strides(x.shape(), x.strides(), shape));
}

namespace ops {
struct Expand {
  static constexpr std::string_view name = "expand";
  static constexpr bool accepts_strides = true;
  Shape to = {};

  Shape shape(std::span<const Shape> in) const {
    check(broadcast(in[0], to, name) == to, name, "cannot stretch ", in[0], " to ", to);
    return to;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(to);
    each_index(to, [&](const Shape& at) {
      Shape source = x.shape();
      for (int d = 1; d <= x.rank(); ++d) source[-d] = x.dim(-d) == 1 ? 0 : at[-d];
      y.mutable_data()[offset_of(at, y.strides())] = x.data()[offset_of(source, x.strides())];
    });
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    return expanded(in[0], to);
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    return {sum_to(dy, ctx.shape(0))};
  }

  static std::vector<Sample<Expand>> samples() {
    return {{"channels", {{2, 3, 5}}, {{{5}}}, "x[0].expand(2, 3, 5)"},
            {"per_image", {{3, 4, 2, 5}}, {{{3, 1, 1, 5}}}, "x[0].expand(3, 4, 2, 5)"},
            {"scalar", {{7}}, {{{}}}, "x[0].expand(7)"}};
  }
};
}  // namespace ops

// x stretched to `shape`: sizes of 1, aligned at the last dimension, repeat. Elements of the result
// share memory.
template <FloatElement T>
Tensor<T> expand(const Tensor<T>& x, const Shape& shape) {
  return apply(ops::Expand{.to = shape}, {x});
}

}  // namespace mien
