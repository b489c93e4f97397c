#pragma once
// What max_pool2d and avg_pool2d share: sizes, checked as PyTorch does.

#include <mien/cpu/pool.hpp>
#include <mien/ops/window.hpp>

namespace mien::ops {

// Rounding up keeps a last window only if it begins on the image or on the padding before it.
inline std::int64_t pooled_size(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                                std::int64_t pad, bool ceil_mode, std::string_view where) {
  check(pad >= 0 && 2 * pad <= kernel, where, "padding of ", pad, " pixels for a window of ",
        kernel, ", expected at most half of it");
  const std::int64_t whole = window_count(size, pad, pad, kernel, stride, 1, where);
  const bool rest = (size + 2 * pad - kernel) % stride != 0;
  return ceil_mode && rest && whole * stride < size + pad ? whole + 1 : whole;
}

// `stride` 0 stands for the kernel's size.
inline kernels::Pool2dParams pool2d_params(const Shape& x, Size2d kernel, Size2d stride,
                                           Size2d padding, bool ceil_mode, std::string_view where) {
  check(x.rank() == 4, where, "expected x of shape (n, h, w, c), got ", x);
  if (stride == Size2d(0)) stride = kernel;
  return {.n = x[0],
          .h = x[1],
          .w = x[2],
          .c = x[3],
          .out_h = pooled_size(x[1], kernel.h, stride.h, padding.h, ceil_mode, where),
          .out_w = pooled_size(x[2], kernel.w, stride.w, padding.w, ceil_mode, where),
          .kernel_h = kernel.h,
          .kernel_w = kernel.w,
          .stride_h = stride.h,
          .stride_w = stride.w,
          .pad_h = padding.h,
          .pad_w = padding.w};
}

}  // namespace mien::ops
