#pragma once
// Host side of softmax and log-softmax of x (pre, n, post) over n.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/math.hpp>

#define MIEN_KERNEL_FILE <mien/cpu/softmax.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

struct SoftmaxParams {
  std::int64_t pre = 1, n = 1, post = 1;
};

namespace detail {

// Calls f(offset, columns) for each row, or strip of columns, of (pre, n, post).
template <class F>
void each_softmax_strip(const SoftmaxParams& p, F&& f) {
  constexpr std::int64_t elements_at_once = 1 << 13, max_width = 64;
  const std::int64_t width = std::min(p.post, max_width);
  if (p.pre * p.n * p.post == 0) return;
  const std::int64_t strips = (p.post + width - 1) / width;
  parallel_for(p.pre * strips, elements_at_once / (p.n * width),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t column = i % strips * width;
                   f(i / strips * p.n * p.post + column, std::min(width, p.post - column));
                 }
               });
}

}  // namespace detail

// y = x - log(sum(exp(x))) where Log, else exp of that.
template <bool Log, class T>
void softmax(Cpu, T* y, const T* x, const SoftmaxParams& p) {
  const auto row = MIEN_ISA_PICK(softmax_row<Log, T>);
  const auto columns = MIEN_ISA_PICK(softmax_columns<Log, T>);
  detail::each_softmax_strip(p, [&](std::int64_t at, std::int64_t width) {
    p.post == 1 ? row(y + at, x + at, p.n) : columns(y + at, x + at, p.n, p.post, width);
  });
}

template <bool Log, class T>
void softmax_grad(Cpu, T* dx, const T* y, const T* dy, const SoftmaxParams& p) {
  const auto row = MIEN_ISA_PICK(softmax_row_grad<Log, T>);
  const auto columns = MIEN_ISA_PICK(softmax_columns_grad<Log, T>);
  detail::each_softmax_strip(p, [&](std::int64_t at, std::int64_t width) {
    p.post == 1 ? row(dx + at, y + at, dy + at, p.n)
                : columns(dx + at, y + at, dy + at, p.n, p.post, width);
  });
}

}  // namespace mien::kernels
