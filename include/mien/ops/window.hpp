#pragma once
// Sizes of sliding windows over images, for convolutions and pooling.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/core/shape.hpp>

namespace mien {

// Height and width; one number stands for both.
struct Size2d {
  std::int64_t h = 1, w = 1;

  constexpr Size2d(std::int64_t both = 1) : h(both), w(both) {}
  constexpr Size2d(std::int64_t height, std::int64_t width) : h(height), w(width) {}
  friend bool operator==(Size2d a, Size2d b) { return a.h == b.h && a.w == b.w; }
  friend std::string to_string(Size2d size) { return str(size.h, 'x', size.w); }
};

// Rows and columns of zeros around an image; one number stands for all four sides.
struct Padding2d {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;

  constexpr Padding2d(std::int64_t all = 0) : Padding2d(all, all, all, all) {}
  constexpr Padding2d(Size2d sides) : Padding2d(sides.h, sides.w, sides.h, sides.w) {}
  constexpr Padding2d(std::int64_t t, std::int64_t l, std::int64_t b, std::int64_t r)
      : top(t), left(l), bottom(b), right(r) {}
};

// Number of windows in one dimension that fit into `size` pixels with `before` and `after` zeros
// around them. Throws where there is none.
inline std::int64_t window_count(std::int64_t size, std::int64_t before, std::int64_t after,
                                 std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                                 std::string_view where) {
  check(kernel >= 1 && stride >= 1 && dilation >= 1, where,
        "kernel, stride and dilation are at least 1, got ", kernel, ", ", stride, ", ", dilation);
  check(before >= 0 && after >= 0, where, "padding is at least 0, got ", before, " and ", after);
  const std::int64_t padded = size + before + after, extent = dilation * (kernel - 1) + 1;
  check(padded >= extent, where, "a window of ", extent,
        " pixels is larger than the padded image's ", padded);
  return (padded - extent) / stride + 1;
}

// TensorFlow's padding SAME: the output has ceil(size / stride) pixels, and where the zeros do not
// divide evenly, the bottom and the right get one more.
inline Padding2d same_padding(const Shape& image, Size2d kernel, Size2d stride = 1,
                              Size2d dilation = 1) {
  check(image.rank() == 4, "same_padding", "expected an image batch (n, h, w, c), got ", image);
  check(stride.h >= 1 && stride.w >= 1, "same_padding", "expected a stride of at least 1, got ",
        stride);
  const auto total = [](std::int64_t size, std::int64_t k, std::int64_t s, std::int64_t d) {
    const std::int64_t out = (size + s - 1) / s;
    return std::max<std::int64_t>(0, (out - 1) * s + d * (k - 1) + 1 - size);
  };
  const std::int64_t h = total(image[1], kernel.h, stride.h, dilation.h);
  const std::int64_t w = total(image[2], kernel.w, stride.w, dilation.w);
  return {h / 2, w / 2, h - h / 2, w - w / 2};
}

namespace ops {
// Shape rule of resizing.
inline Shape resized_shape(const Shape& x, Size2d size, std::string_view where) {
  check(x.rank() == 4 && x[1] > 0 && x[2] > 0, where, "expected images (n, h, w, c), got ", x);
  check(size.h > 0 && size.w > 0, where, "cannot resize to ", size, " pixels");
  return {x[0], size.h, size.w, x[3]};
}
}  // namespace ops

}  // namespace mien
