#pragma once
// y = x[..., start:stop:step, ...] in one dimension, and select and split, which are made of it. A
// view: no element moves.

#include <algorithm>
#include <limits>

#include <mien/core/index.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {
struct Slice {
  static constexpr std::string_view name = "slice";
  static constexpr bool accepts_strides = true;
  int dim = 0;
  std::int64_t start = 0, stop = std::numeric_limits<std::int64_t>::max(), step = 1;
  bool keepdim = true;  // false: a dimension of size 1 is dropped (select)

  Shape shape(std::span<const Shape> in) const {
    wrap_dim(dim, in[0].rank(), name);
    check(step >= 1, name, "expected a step of at least 1, got ", step);
    const Shape y = sliced(in[0]);
    check(keepdim || y[dim] == 1, name, "cannot drop dimension ", dim, " of size ", y[dim]);
    return keepdim ? y : without_dim(y);
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(sliced(x.shape()));
    each_index(y.shape(), [&](const Shape& at) {
      Shape source = at;
      source[dim] = first(x.shape()) + at[dim] * step;
      y.mutable_data()[offset_of(at, y.strides())] = x.data()[offset_of(source, x.strides())];
    });
    return keepdim ? y : y.view_as(without_dim(y.shape()));
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    return view(in[0]);
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T> dx = Tensor<T>::zeros(ctx.shape(0), dy.device());
    view(dx).copy_from(dy);
    return {dx};
  }

  static std::vector<Sample<Slice>> samples() {
    return {{"rows", {.start = 1, .stop = 3}, {{{4, 5}}}, "x[0][1:3]"},
            {"channels", {.dim = -1, .start = -4, .stop = -1}, {{{2, 3, 7}}}, "x[0][..., -4:-1]"},
            {"strided", {.dim = 1, .start = 1, .step = 3}, {{{2, 9, 3}}}, "x[0][:, 1::3]"},
            {"empty", {.start = 3, .stop = 1}, {{{4, 5}}}, "x[0][3:1]"},
            {"beyond", {.start = -9, .stop = 9}, {{{4, 5}}}, "x[0][-9:9]"},
            {"select",
             {.dim = 1, .start = 2, .stop = 3, .keepdim = false},
             {{{3, 4, 5}}},
             "x[0][:, 2]"}};
  }

 private:
  // Python's rule: negative bounds count from the end, bounds beyond the ends are cut.
  static std::int64_t bound(std::int64_t at, std::int64_t size) {
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  }
  std::int64_t first(const Shape& x) const { return bound(start, x[dim]); }

  Shape sliced(const Shape& x) const {
    Shape y = x;
    const std::int64_t count = bound(stop, x[dim]) - first(x);
    y[dim] = count > 0 ? (count - 1) / step + 1 : 0;
    return y;
  }
  Shape without_dim(const Shape& x) const {
    Shape y;
    for (int d = 0; d < x.rank(); ++d)
      if (d != dim && d != dim + x.rank()) y.push_back(x[d]);
    return y;
  }

  template <class T>
  Tensor<T> view(const Tensor<T>& x) const {
    const Shape y = sliced(x.shape());
    Shape strides = x.strides();
    strides[dim] *= step;
    const std::int64_t offset = first(x.shape()) * x.strides()[dim];
    if (keepdim) return x.as_strided(y, strides, offset);
    return x.as_strided(without_dim(y), without_dim(strides), offset);
  }
};
}  // namespace ops

// Elements start, start + step, ... before stop of dimension dim, with Python's rules for negative
// and large bounds:  slice(x, {.dim = 1, .start = 8, .stop = -8}).
template <FloatElement T>
Tensor<T> slice(const Tensor<T>& x, const ops::Slice& range) {
  return apply(range, {x});
}

// Element `index` of dimension dim, which the result lacks. Negative values count from the end.
template <FloatElement T>
Tensor<T> select(const Tensor<T>& x, int dim, std::int64_t index) {
  const std::int64_t size = x.dim(wrap_dim(dim, x.rank(), "select"));
  check(index >= -size && index < size, "select", "index ", index, " in dimension ", dim,
        " of shape ", x.shape());
  const std::int64_t at = index < 0 ? index + size : index;
  return slice(x, {.dim = dim, .start = at, .stop = at + 1, .keepdim = false});
}

// Consecutive slices of the given sizes, which must add up to the size of dimension dim.
template <FloatElement T>
std::vector<Tensor<T>> split(const Tensor<T>& x, int dim, const std::vector<std::int64_t>& sizes) {
  std::vector<Tensor<T>> parts;
  std::int64_t at = 0;
  for (const std::int64_t size : sizes) {
    check(size >= 0, "split", "expected sizes of at least 0, got ", size);
    parts.push_back(slice(x, {.dim = dim, .start = at, .stop = at + size}));
    at += size;
  }
  const std::int64_t total = x.dim(wrap_dim(dim, x.rank(), "split"));
  check(at == total, "split", "sizes add up to ", at, ", dimension ", dim, " has ", total);
  return parts;
}

// Slices of `size` elements each along dimension dim; the last may be smaller.
template <FloatElement T>
std::vector<Tensor<T>> split(const Tensor<T>& x, int dim, std::int64_t size) {
  check(size >= 1, "split", "expected a size of at least 1, got ", size);
  std::vector<std::int64_t> sizes;
  for (std::int64_t left = x.dim(wrap_dim(dim, x.rank(), "split")); left > 0; left -= size)
    sizes.push_back(std::min(size, left));
  return split(x, dim, sizes);
}

}  // namespace mien
