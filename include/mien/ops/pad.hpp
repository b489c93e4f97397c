#pragma once
// y = x with elements added before and after it in any dimensions: zeros, or reflections of x about
// its first and last element (c b | a b c | b a). The adjoint of reflecting adds each reflection's
// gradient to that of the element it shows.

#include <algorithm>

#include <mien/core/index.hpp>
#include <mien/cpu/mirror.hpp>
#include <mien/ops/op.hpp>

namespace mien {

enum class PadMode { zero, reflect };

namespace ops {
struct Pad {
  static constexpr std::string_view name = "pad";
  static constexpr bool accepts_strides = true;
  Shape before = {}, after = {};  // per dimension
  PadMode mode = PadMode::zero;

  Shape shape(std::span<const Shape> in) const {
    const Shape& x = in[0];
    check(before.rank() == x.rank() && after.rank() == x.rank(), name, "padding ", before, " and ",
          after, " for a tensor of shape ", x);
    for (int d = 0; d < x.rank(); ++d) {
      const std::int64_t most = std::max(before[d], after[d]);
      check(std::min(before[d], after[d]) >= 0, name, "negative padding in ", before, " or ",
            after);
      check(mode == PadMode::zero || most == 0 || most < x[d], name, "cannot reflect ", most,
            " elements in dimension ", d, " of shape ", x);
    }
    return padded(x);
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(padded(x.shape()));
    each_index(y.shape(), [&](const Shape& at) {
      Shape source = at;
      bool inside = true;
      for (int d = 0; d < x.rank(); ++d) {
        std::int64_t i = at[d] - before[d];
        const std::int64_t last = x.dim(d) - 1;
        inside = inside && i >= 0 && i <= last;
        if (mode == PadMode::reflect) i = i < 0 ? -i : i > last ? 2 * last - i : i;
        source[d] = i;
      }
      y.mutable_data()[offset_of(at, y.strides())] =
          inside || mode == PadMode::reflect ? x.data()[offset_of(source, x.strides())] : T{};
    });
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Shape out = padded(in[0].shape());
    const bool reflect = mode == PadMode::reflect;
    const Tensor<T> y =
        reflect ? Tensor<T>(out, in[0].device()) : Tensor<T>::zeros(out, in[0].device());
    interior(y).copy_from(in[0]);
    if (reflect)
      with_device(y.device(), [&](auto device) {
        kernels::mirror(device, y.mutable_data(), {out, before, after});
      });
    return y;
  }

  // A view of dy, or of what folding its border in makes of it.
  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    if (mode == PadMode::zero) return {interior(dy)};
    const Tensor<Compute<T>> sums = dy.template to<Compute<T>>();
    with_device(dy.device(), [&](auto device) {
      kernels::mirror_grad(device, sums.mutable_data(), {sums.shape(), before, after});
    });
    return {interior(sums).template to<T>()};
  }

  static std::vector<Sample<Pad>> samples() {
    return {{"zero_pixels",
             {{0, 1, 0, 0}, {0, 2, 3, 0}},
             {{{2, 3, 4, 5}}},
             "F.pad(x[0], (0, 0, 0, 3, 1, 2))"},
            {"zero_all", {{2, 0, 1}, {0, 1, 1}}, {{{2, 3, 4}}}, "F.pad(x[0], (1, 1, 0, 1, 2, 0))"},
            {"reflect_pixels",
             {{0, 2, 0, 0}, {0, 1, 3, 0}, PadMode::reflect},
             {{{2, 3, 4, 5}}},
             "nhwc(F.pad(nchw(x[0]), (0, 3, 2, 1), mode='reflect'))"},
            {"reflect_last",
             {{0, 0, 4}, {0, 0, 4}, PadMode::reflect},
             {{{2, 3, 5}}},
             "F.pad(x[0], (4, 4), mode='reflect')"}};
  }

 private:
  Shape padded(const Shape& x) const {
    Shape y = x;
    for (int d = 0; d < x.rank(); ++d) y[d] += before[d] + after[d];
    return y;
  }

  // The part of a padded tensor where x lies.
  template <class T>
  Tensor<T> interior(const Tensor<T>& y) const {
    Shape shape = y.shape();
    std::int64_t offset = 0;
    for (int d = 0; d < y.rank(); ++d) {
      shape[d] -= before[d] + after[d];
      offset += before[d] * y.strides()[d];
    }
    return y.as_strided(shape, y.strides(), offset);
  }
};
}  // namespace ops

// before, after: elements added per dimension of x:
//   pad(images, {.before = {0, 1, 1, 0}, .after = {0, 2, 2, 0}, .mode = PadMode::reflect})
// Fewer elements than a dimension has can be reflected in it.
template <FloatElement T>
Tensor<T> pad(const Tensor<T>& x, const ops::Pad& padding) {
  return apply(padding, {x});
}

}  // namespace mien
