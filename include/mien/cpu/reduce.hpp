#pragma once
// Host side of the reductions: x (pre, mid, post) reduced over mid to y (pre, post). Long
// reductions are split into pieces of fixed size whose results are combined in order, so the bits
// do not depend on the number of threads.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>

namespace mien::kernels {

enum class Reduction { sum, max, min };

struct ReduceParams {
  std::int64_t pre = 1, mid = 1, post = 1;  // x (pre, mid, post), y (pre, post)
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/reduce.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// The value that changes nothing: what an empty reduction gives.
template <Reduction Kind, class C>
constexpr C neutral() {
  if constexpr (Kind == Reduction::sum)
    return C(0);
  else if constexpr (Kind == Reduction::max)
    return -std::numeric_limits<C>::infinity();
  else
    return std::numeric_limits<C>::infinity();
}

template <Reduction Kind, class T>
void reduce(Cpu, T* y, const T* x, const ReduceParams& p) {
  using C = Compute<T>;
  constexpr std::int64_t elements_at_once = 1 << 14;
  const auto columns = MIEN_ISA_PICK(reduce_columns<Kind, T>);
  const auto row = MIEN_ISA_PICK(reduce_row<Kind, T>);
  const auto slice = [&](C* out, const T* in, std::int64_t mid) {
    if (p.post == 1)
      *out = row(in, mid, neutral<Kind, C>());
    else
      columns(out, in, mid, p.post, neutral<Kind, C>());
  };

  // Pieces of `mid` whose size depends on the shape alone.
  const std::int64_t piece =
      std::max<std::int64_t>(1, elements_at_once / std::max<std::int64_t>(p.post, 1));
  const std::int64_t pieces = std::max<std::int64_t>(1, (p.mid + piece - 1) / piece);
  std::vector<C> partial(static_cast<std::size_t>(p.pre * pieces * p.post));
  const std::int64_t at_once =
      std::max<std::int64_t>(1, elements_at_once / std::max<std::int64_t>(1, p.mid * p.post));
  parallel_for(p.pre * pieces, at_once, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % pieces * piece;
      slice(partial.data() + i * p.post, x + ((i / pieces) * p.mid + first) * p.post,
            std::min(piece, p.mid - first));
    }
  });
  for (std::int64_t i = 0; i < p.pre; ++i) {
    C* total = partial.data() + i * pieces * p.post;
    for (std::int64_t k = 1; k < pieces; ++k)
      for (std::int64_t j = 0; j < p.post; ++j)
        total[j] = scalar::combine<Kind>(total[j], total[k * p.post + j]);
    for (std::int64_t j = 0; j < p.post; ++j) y[i * p.post + j] = static_cast<T>(total[j]);
  }
}

}  // namespace mien::kernels
