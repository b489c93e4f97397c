#pragma once
// Sizes of a two-dimensional convolution, and how its output columns are cut
// into strips.

#include <mien/cpu/panel_product.hpp>

namespace mien::kernels {

// Pixel, row and image strides are in elements; 0 stands for dense.
struct Conv2dParams {
  std::int64_t n, h, w, c;           // x (n, h, w, c)
  std::int64_t out_h, out_w, out_c;  // y (n, out_h, out_w, out_c)
  std::int64_t kernel_h,
      kernel_w;  // weights (kernel_h, kernel_w, c / groups, out_c)
  std::int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0,
               pad_left = 0;  // those below and right follow from out_h and out_w
  std::int64_t groups = 1;
  std::int64_t x_pixel = 0, x_row = 0, x_image = 0;
  std::int64_t y_pixel = 0, y_row = 0, y_image = 0;

  // The same with every stride filled in.
  Conv2dParams resolved() const {
    Conv2dParams p = *this;
    const auto fill = [](std::int64_t& stride, std::int64_t dense) {
      if (stride == 0) stride = dense;
    };
    fill(p.x_pixel, c);
    fill(p.x_row, w * p.x_pixel);
    fill(p.x_image, h * p.x_row);
    fill(p.y_pixel, out_c);
    fill(p.y_row, out_w * p.y_pixel);
    fill(p.y_image, out_h * p.y_row);
    return p;
  }

  // Input rows and columns below so many output rows and columns.
  std::int64_t input_rows(std::int64_t count) const {
    return (count - 1) * stride_h + (kernel_h - 1) * dilation_h + 1;
  }
  std::int64_t input_columns(std::int64_t count) const {
    return (count - 1) * stride_w + (kernel_w - 1) * dilation_w + 1;
  }
};

// Strips are multiples of the tallest tile of any instruction set.
inline constexpr std::int64_t strip_columns = 14;

// Columns [begin, end) of the output. In place: the kernel reads x where it
// lies, else through a ring of zero-padded rows.
struct Strip {
  std::int64_t begin, end;
  bool in_place;
};

// The output's columns in strips. Those that see padding on the left or right,
// rounded to whole tiles, are strips of their own; those between are read in
// place, `width` at a time.
struct Strips {
  std::int64_t columns, width;
  std::int64_t left = 0,
               right = 0;  // [left, right) see no padding; empty: all go through the ring

  std::int64_t middle() const { return ceil_div(left < right ? right - left : columns, width); }
  std::int64_t count() const { return middle() + (left > 0) + (left < right && right < columns); }

  Strip operator[](std::int64_t i) const {
    const std::int64_t at = i - (left > 0), end = left < right ? right : columns;
    if (at < 0) return {0, left, false};
    if (at >= middle()) return {right, columns, false};
    return {left + at * width, std::min(left + (at + 1) * width, end), left < right};
  }
};

// `cached`: elements of input below a strip that are to stay in a cache.
template <class T>
Strips cut_columns(const Conv2dParams& p, std::int64_t cached) {
  Strips s{.columns = p.out_w, .width = p.out_w};
  const std::int64_t room = p.w + p.pad_left - p.input_columns(1);
  if (std::is_same_v<T, Compute<T>> && room >= 0 && !strides_collide<T>(p.stride_w * p.x_pixel)) {
    const std::int64_t first = ceil_div(std::max<std::int64_t>(p.pad_left, 0), p.stride_w);
    const std::int64_t after = std::max<std::int64_t>(p.out_w - 1 - room / p.stride_w, 0);
    s.left = ceil_div(first, strip_columns) * strip_columns;
    s.right = p.out_w - ceil_div(after, strip_columns) * strip_columns;
    if (s.right - s.left < strip_columns) s.left = s.right = 0;
  }
  const std::int64_t fitting = (cached / (p.input_rows(1) * p.c) - p.input_columns(1)) / p.stride_w;
  if (fitting < s.width)
    s.width = std::max<std::int64_t>(1, fitting / strip_columns) * strip_columns;
  return s;
}

}  // namespace mien::kernels
