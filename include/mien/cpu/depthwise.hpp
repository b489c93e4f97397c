#pragma once
// Depthwise convolution, NHWC: every channel by itself, with a fused epilogue:
//
//   y(n, i, j, c) = epilogue(sum over u, v of x(n, i sh - pt + u dh, j sw - pl + v dw, c) w(u, v,
//   c))
//
// where x outside the image is zero. Sums over pixels (pooling, weight gradients) are taken over
// pieces whose size depends on the shape alone and are combined in order.

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/epilogue.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/scratch.hpp>
#include <mien/cpu/vectors.hpp>

namespace mien::kernels {

// The taps of a window that lie inside the image: tap t is at input position origin + t * dilation.
struct TapRange {
  std::int64_t origin, begin, end;

  TapRange(std::int64_t first, std::int64_t size, std::int64_t kernel, std::int64_t dilation)
      : origin(first),
        begin(first >= 0 ? 0 : (-first + dilation - 1) / dilation),
        end(first >= size ? 0 : std::min(kernel, (size - 1 - first) / dilation + 1)) {}
};

struct DepthwiseParams {
  static constexpr int max_tile = 7;  // output pixels that a kernel computes at once

  std::int64_t n, h, w, c;          // x (n, h, w, c)
  std::int64_t out_h, out_w;        // y (n, out_h, out_w, c)
  std::int64_t kernel_h, kernel_w;  // weights (kernel_h, kernel_w, c)
  std::int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;  // those below and right follow from out_h and out_w

  TapRange row_taps(std::int64_t oy) const {
    return {oy * stride_h - pad_top, h, kernel_h, dilation_h};
  }
  TapRange column_taps(std::int64_t ox) const {
    return {ox * stride_w - pad_left, w, kernel_w, dilation_w};
  }
  // Rows that a thread takes at once: about 128 KiB of floats, more where there are many, because
  // the rows that two pieces share are read twice.
  static std::int64_t rows_at_once(std::int64_t rows, std::int64_t row_size) {
    constexpr std::int64_t most_pieces = 32, size = std::int64_t{1} << 15;
    return std::max(
        {size / std::max<std::int64_t>(1, row_size), rows / most_pieces, std::int64_t{1}});
  }
  std::int64_t rows_at_once() const {
    return std::min(rows_at_once(n * out_h, out_w * c), std::max<std::int64_t>(1, out_h));
  }
  std::int64_t pieces() const { return (out_h + rows_at_once() - 1) / rows_at_once(); }

  // Calls f(image, piece, first row, end row) for the pieces of output rows, on several threads.
  template <class F>
  void each_piece(F&& f) const {
    parallel_for(n * pieces(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i % pieces() * rows_at_once();
        f(i / pieces(), i % pieces(), first, std::min(first + rows_at_once(), out_h));
      }
    });
  }
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/depthwise.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// y (n, out_h, out_w, c), x (n, h, w, c), w (kernel_h, kernel_w, c), dense. `pooled`, where given,
// becomes (n, c): the sums of y over pixels.
template <class T>
void depthwise_conv2d(Cpu, T* y, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                      const Epilogue<T>& e = {}, Compute<T>* pooled = nullptr) {
  using C = Compute<T>;
  const auto kernel = MIEN_ISA_PICK(depthwise_rows<T>);
  Scratch<C> partial(pooled ? p.n * p.pieces() * p.c : 0);
  p.each_piece([&](std::int64_t image, std::int64_t piece, std::int64_t begin, std::int64_t end) {
    Scratch<C> sums(DepthwiseParams::max_tile * p.c +
                    64 / static_cast<std::int64_t>(sizeof(C)));  // whole vectors
    C* pool = pooled ? partial.data() + (image * p.pieces() + piece) * p.c : nullptr;
    if (pool) std::fill(pool, pool + p.c, C(0));
    Epilogue<T> of_image = e;
    if (e.residual)
      of_image.residual += image * p.out_h * p.out_w * (e.residual_pixel ? e.residual_pixel : p.c);
    kernel(y + image * p.out_h * p.out_w * p.c, x + image * p.h * p.w * p.c, w, p, of_image,
           sums.data(), pool, begin, end);
  });
  if (!pooled) return;
  for (std::int64_t image = 0; image < p.n; ++image) {
    C* total = pooled + image * p.c;
    std::fill(total, total + p.c, C(0));
    for (std::int64_t i = 0; i < p.pieces(); ++i)
      for (std::int64_t j = 0; j < p.c; ++j)
        total[j] += partial.data()[(image * p.pieces() + i) * p.c + j];
  }
}

// dx (n, h, w, c) from dy (n, out_h, out_w, c). With stride 1 it is a convolution of dy by the
// weights turned around.
template <class T>
void depthwise_conv2d_data_grad(Cpu, T* dx, const T* dy, const Compute<T>* w,
                                const DepthwiseParams& p) {
  using C = Compute<T>;
  if (p.stride_h == 1 && p.stride_w == 1) {
    Scratch<C> turned(p.kernel_h * p.kernel_w * p.c);
    const std::int64_t taps = p.kernel_h * p.kernel_w;
    for (std::int64_t i = 0; i < taps; ++i)
      std::copy_n(w + (taps - 1 - i) * p.c, p.c, turned.data() + i * p.c);
    DepthwiseParams back = p;
    std::swap(back.h, back.out_h);
    std::swap(back.w, back.out_w);
    back.pad_top = (p.kernel_h - 1) * p.dilation_h - p.pad_top;
    back.pad_left = (p.kernel_w - 1) * p.dilation_w - p.pad_left;
    if (back.pad_top >= 0 && back.pad_left >= 0)
      return depthwise_conv2d<T>(Cpu{}, dx, dy, turned.data(), back);
  }
  const auto kernel = MIEN_ISA_PICK(depthwise_data_grad_row<T>);
  const std::int64_t image = p.out_h * p.out_w * p.c, row = p.w * p.c;
  parallel_for(p.n * p.h, p.rows_at_once(p.n * p.h, row),
               [&](std::int64_t begin, std::int64_t end) {
                 Scratch<C> sums(row);
                 for (std::int64_t i = begin; i < end; ++i)
                   kernel(dx + i * row, sums.data(), dy + i / p.h * image, w, p, i % p.h);
               });
}

// dw (kernel_h, kernel_w, c). The rows of all images are cut into pieces, whose sums are a small
// part of the pixels that they are over, and the channels into slices. A thread takes a slice of a
// piece, in blocks of rows that stay in the second-level cache.
template <class T>
void depthwise_conv2d_weight_grad(Cpu, Compute<T>* dw, const T* x, const T* dy,
                                  const DepthwiseParams& p) {
  using C = Compute<T>;
  constexpr std::int64_t most_pieces = 32, slice = 256, block_pixels = 112;
  const std::int64_t taps = p.kernel_h * p.kernel_w, size = taps * p.c, rows = p.n * p.out_h;
  const std::int64_t pieces = std::clamp<std::int64_t>(
      rows * p.out_w / (8 * taps), 1, std::clamp<std::int64_t>(rows, 1, most_pieces));
  const std::int64_t slices = (p.c + slice - 1) / slice;
  const std::int64_t block = 1 + (block_pixels - 1) / std::max<std::int64_t>(1, p.out_w);
  const auto kernel = MIEN_ISA_PICK(depthwise_weight_grad_rows<T>);
  Scratch<C> partial(pieces * size);
  parallel_for(pieces * slices, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t piece = i / slices, first = i % slices * slice,
                         last = std::min(first + slice, p.c), end_row = (piece + 1) * rows / pieces;
      C* sums = partial.data() + piece * size;
      for (std::int64_t t = 0; t < taps; ++t)
        std::fill(sums + t * p.c + first, sums + t * p.c + last, C(0));
      for (std::int64_t row = piece * rows / pieces, count; row < end_row; row += count) {
        const std::int64_t image = row / p.out_h, oy = row % p.out_h;
        count = std::min({block, end_row - row, p.out_h - oy});
        kernel(sums, x + image * p.h * p.w * p.c, dy + image * p.out_h * p.out_w * p.c, p, oy,
               oy + count, first, last);
      }
    }
  });
  parallel_for(size, 4096, [&](std::int64_t begin, std::int64_t end) {
    std::copy(partial.data() + begin, partial.data() + end, dw + begin);
    for (std::int64_t i = 1; i < pieces; ++i)
      for (std::int64_t j = begin; j < end; ++j) dw[j] += partial.data()[i * size + j];
  });
}

// The definitions, readable and slow: what the kernels and ops are tested against.
template <class T>
void depthwise_conv2d_reference(T* y, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                                const Epilogue<T>& e = {}) {
  using C = Compute<T>;
  const std::int64_t residual_pixel = e.residual_pixel ? e.residual_pixel : p.c;
  for (std::int64_t pixel = 0; pixel < p.n * p.out_h * p.out_w; ++pixel)
    for (std::int64_t c = 0; c < p.c; ++c) {
      const TapRange rows = p.row_taps(pixel / p.out_w % p.out_h);
      const TapRange columns = p.column_taps(pixel % p.out_w);
      const T* image = x + pixel / (p.out_h * p.out_w) * p.h * p.w * p.c;
      C sum = 0;
      for (std::int64_t u = rows.begin; u < rows.end; ++u)
        for (std::int64_t v = columns.begin; v < columns.end; ++v)
          sum += static_cast<C>(image[((rows.origin + u * p.dilation_h) * p.w + columns.origin +
                                       v * p.dilation_w) *
                                          p.c +
                                      c]) *
                 w[(u * p.kernel_w + v) * p.c + c];
      y[pixel * p.c + c] = epilogue_reference(
          sum, e, c, e.residual ? e.residual + pixel * residual_pixel + c : nullptr);
    }
}

}  // namespace mien::kernels
