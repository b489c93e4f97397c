#pragma once
// Host side of window pooling over NHWC images: rows of pixels are handed to threads. Gradients
// gather: every input pixel sums over the windows that cover it, so that no two threads meet.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <mien/core/device.hpp>
#include <mien/core/dtype.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>

namespace mien::kernels {

// x (n, h, w, c), y (n, out_h, out_w, c). Padding is the same on both sides; windows of a
// rounded-up output size may reach beyond it.
struct Pool2dParams {
  std::int64_t n, h, w, c, out_h, out_w;
  std::int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  bool count_padding = true;  // average: padding counts as zeros, else it does not count
};

// One dimension of a window: taps [first, last) lie on the input, tap 0 at `origin`.
struct PoolWindow {
  std::int64_t origin, first, last, counted;

  PoolWindow(std::int64_t out, std::int64_t size, std::int64_t kernel, std::int64_t stride,
             std::int64_t pad, bool count_padding)
      : origin(out * stride - pad),
        first(std::max<std::int64_t>(0, -origin)),
        last(std::min(kernel, size - origin)),
        counted(count_padding ? std::min(kernel, size + pad - origin) : last - first) {}
};

// The outputs [first, last) whose window covers input `in`.
struct PoolCover {
  std::int64_t first, last;

  PoolCover(std::int64_t in, std::int64_t outs, std::int64_t kernel, std::int64_t stride,
            std::int64_t pad)
      : first(std::max<std::int64_t>(0, in + pad - kernel + stride) / stride),
        last(std::min(outs, (in + pad) / stride + 1)) {}
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/pool.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// Rows of `pixels` pixels that a thread takes at once.
inline std::int64_t pool_rows_at_once(std::int64_t pixels, std::int64_t c) {
  return (std::int64_t{1} << 14) / std::max<std::int64_t>(1, pixels * c);
}

// NaN wins over every number, as in PyTorch.
template <class T>
void max_pool2d(Cpu, T* y, const T* x, const Pool2dParams& p) {
  const auto kernel = MIEN_ISA_PICK(max_pool2d_rows<T, false>);
  parallel_for(p.n * p.out_h, pool_rows_at_once(p.out_w, p.c),
               [&](std::int64_t b, std::int64_t e) { kernel(y, nullptr, x, b, e, p); });
}

// taps (n, out_h, out_w, c): scratch for the position of each maximum in its window.
template <class T>
void max_pool2d_grad(Cpu, T* dx, const T* x, const T* dy, Compute<T>* taps, const Pool2dParams& p) {
  const auto find = MIEN_ISA_PICK(max_pool2d_rows<T, true>);
  const auto gather = MIEN_ISA_PICK(max_pool2d_grad_rows<T>);
  parallel_for(p.n * p.out_h, pool_rows_at_once(p.out_w, p.c),
               [&](std::int64_t b, std::int64_t e) { find(nullptr, taps, x, b, e, p); });
  parallel_for(p.n * p.h, pool_rows_at_once(p.w, p.c),
               [&](std::int64_t b, std::int64_t e) { gather(dx, taps, dy, b, e, p); });
}

template <class T>
void avg_pool2d(Cpu, T* y, const T* x, const Pool2dParams& p) {
  const auto kernel = MIEN_ISA_PICK(avg_pool2d_rows<T>);
  parallel_for(p.n * p.out_h, pool_rows_at_once(p.out_w, p.c),
               [&](std::int64_t b, std::int64_t e) { kernel(y, x, b, e, p); });
}

template <class T>
void avg_pool2d_grad(Cpu, T* dx, const T* dy, const Pool2dParams& p) {
  const auto kernel = MIEN_ISA_PICK(avg_pool2d_grad_rows<T>);
  parallel_for(p.n * p.h, pool_rows_at_once(p.w, p.c),
               [&](std::int64_t b, std::int64_t e) { kernel(dx, dy, b, e, p); });
}

}  // namespace mien::kernels
