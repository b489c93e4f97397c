#pragma once
// y = x with its dimensions in another order: y[i_order[0], i_order[1], ...] = x[i_0, i_1, ...]. A
// view: no element moves.

#include <array>
#include <utility>

#include <mien/core/index.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {
struct Permute {
  static constexpr std::string_view name = "permute";
  static constexpr bool accepts_strides = true;
  Shape order = {};  // dimension d of y is dimension order[d] of x

  Shape shape(std::span<const Shape> in) const {
    check(order.rank() == in[0].rank(), name, "order ", order, " for a tensor of shape ", in[0]);
    std::array<bool, Shape::max_rank> seen{};
    for (int d = 0; d < order.rank(); ++d) {
      bool& met = seen[static_cast<std::size_t>(wrap_dim(source(d), order.rank(), name))];
      check(!met, name, "a dimension is named twice in ", order);
      met = true;
    }
    return reordered(in[0]);
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(reordered(x.shape()));
    const Shape steps = reordered(x.strides());
    each_index(y.shape(), [&](const Shape& at) {
      y.mutable_data()[offset_of(at, y.strides())] = x.data()[offset_of(at, steps)];
    });
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    return in[0].as_strided(reordered(in[0].shape()), reordered(in[0].strides()));
  }

  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    Shape shape = order, strides = order;
    for (int d = 0; d < order.rank(); ++d) {
      shape[source(d)] = dy.dim(d);
      strides[source(d)] = dy.strides()[d];
    }
    return {dy.as_strided(shape, strides)};
  }

  static std::vector<Sample<Permute>> samples() {
    return {{"nhwc_to_nchw", {{0, 3, 1, 2}}, {{{2, 3, 4, 5}}}, "x[0].permute(0, 3, 1, 2)"},
            {"rotate", {{1, -1, 0}}, {{{3, 5, 7}}}, "x[0].permute(1, 2, 0)"},
            {"rank0", {{}}, {{{}}}, "x[0].permute(())"}};
  }

 private:
  int source(int d) const { return static_cast<int>(order[d]); }
  Shape reordered(const Shape& of_x) const {
    Shape of_y = of_x;
    for (int d = 0; d < order.rank(); ++d) of_y[d] = of_x[source(d)];
    return of_y;
  }
};
}  // namespace ops

// Dimension d of the result is dimension order[d] of x:  permute(images, {0, 3, 1, 2}).
template <FloatElement T>
Tensor<T> permute(const Tensor<T>& x, const Shape& order) {
  return apply(ops::Permute{.order = order}, {x});
}

// x with two dimensions exchanged; negative ones count from the end.
template <FloatElement T>
Tensor<T> transpose(const Tensor<T>& x, int a = -2, int b = -1) {
  Shape order = x.shape();
  for (int d = 0; d < x.rank(); ++d) order[d] = d;
  std::swap(order[wrap_dim(a, x.rank(), "transpose")], order[wrap_dim(b, x.rank(), "transpose")]);
  return permute(x, order);
}

}  // namespace mien
