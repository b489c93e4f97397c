#pragma once
// Elements picked along the middle dimension of x (pre, size, post) by index, and the adjoint.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>

namespace mien::kernels {

// y (pre, count, post). The index of y[i, k, j] is index[k] where whole rows are picked (by_rows),
// else index[i, k, j]; all lie in [0, size).
struct GatherParams {
  std::int64_t pre = 1, size = 1, count = 1, post = 1;
  bool by_rows = false;
};

template <class T>
void gather(Cpu, T* y, const T* x, const std::int64_t* index, const GatherParams& p) {
  const std::int64_t rows_at_once =
      std::max<std::int64_t>(1, (1 << 14) / std::max<std::int64_t>(1, p.post));
  parallel_for(p.pre * p.count, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* from = x + row / p.count * p.size * p.post;
      T* to = y + row * p.post;
      if (p.by_rows) {
        std::memcpy(static_cast<void*>(to), from + index[row % p.count] * p.post,
                    static_cast<std::size_t>(p.post) * sizeof(T));
      } else {
        const std::int64_t* at = index + row * p.post;
        for (std::int64_t j = 0; j < p.post; ++j) to[j] = from[at[j] * p.post + j];
      }
    }
  });
}

// Adds dy into dx, which holds zeros. One thread does all rows of a strip of columns in order, so
// the sums do not depend on the number of threads.
template <class C, class T>
void gather_grad(Cpu, C* dx, const T* dy, const std::int64_t* index, const GatherParams& p) {
  constexpr std::int64_t width = 64;
  const std::int64_t strips = (p.post + width - 1) / width;
  parallel_for(p.pre * strips, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t i = task / strips, first = task % strips * width;
      const std::int64_t last = std::min(first + width, p.post);
      C* to = dx + i * p.size * p.post;
      for (std::int64_t k = 0; k < p.count; ++k) {
        const std::int64_t row = (i * p.count + k) * p.post;
        for (std::int64_t j = first; j < last; ++j)
          to[(p.by_rows ? index[k] : index[row + j]) * p.post + j] += static_cast<C>(dy[row + j]);
      }
    }
  });
}

}  // namespace mien::kernels
