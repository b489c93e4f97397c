#pragma once
// Host side of the reductions: x (pre, mid, post) reduced over mid to y (pre, post). NaN wins in
// max and min. x is cut into tiles whose sizes depend on its shape alone and whose results are
// combined in order, in double, so the bits do not depend on the number of threads.

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

// (mid, post) in tiles of at most rows x columns elements.
struct ReduceTiles {
  static constexpr std::int64_t elements_at_once = 1 << 14;
  std::int64_t rows, columns, across_mid, across_post;

  explicit ReduceTiles(const ReduceParams& p) {
    columns = p.post < 1 ? 1 : smaller(p.post, 512);
    // At most 1024 elements one after the other into a sum, which loses precision as it grows
    // (reduce_row has four sums at least).
    rows = columns == 1 ? 4096 : smaller(elements_at_once / columns, 1024);
    across_mid = p.mid < 1 ? 1 : (p.mid + rows - 1) / rows;
    across_post = (p.post + columns - 1) / columns;
  }
  static constexpr std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
};

// The result is not rounded to T.
template <Reduction Kind, class T>
void reduce(Cpu, Compute<T>* y, const T* x, const ReduceParams& p) {
  using C = Compute<T>;
  const auto reduce_tile = MIEN_ISA_PICK(reduce_columns<Kind, T>);
  const auto reduce_line = MIEN_ISA_PICK(reduce_row<Kind, T>);
  const ReduceTiles tiles(p);
  const auto at_once = [](std::int64_t size) {
    return size < ReduceTiles::elements_at_once ? ReduceTiles::elements_at_once / (size + 1) : 1;
  };
  std::vector<C> several(
      static_cast<std::size_t>(tiles.across_mid > 1 ? p.pre * tiles.across_mid * p.post : 0));
  C* partial = tiles.across_mid > 1 ? several.data() : y;  // (pre, across_mid, post)
  parallel_for(p.pre * tiles.across_mid * tiles.across_post,
               at_once(tiles.smaller(p.mid, tiles.rows) * tiles.columns),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t column = i % tiles.across_post * tiles.columns;
                   const std::int64_t part = i / tiles.across_post;
                   const std::int64_t row = part % tiles.across_mid * tiles.rows;
                   const std::int64_t rows = tiles.smaller(tiles.rows, p.mid - row);
                   const T* in = x + (part / tiles.across_mid * p.mid + row) * p.post + column;
                   C* out = partial + part * p.post + column;
                   if (p.post == 1)
                     *out = reduce_line(in, rows, neutral<Kind, C>());
                   else
                     reduce_tile(out, in, rows, tiles.smaller(tiles.columns, p.post - column),
                                 p.post, neutral<Kind, C>());
                 }
               });
  if (tiles.across_mid == 1) return;
  parallel_for(p.pre * p.post, at_once(tiles.across_mid),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const C* part = partial + i / p.post * tiles.across_mid * p.post + i % p.post;
                   double total = *part;
                   for (std::int64_t k = 1; k < tiles.across_mid; ++k)
                     total = scalar::combine<Kind, double>(total, part[k * p.post]);
                   y[i] = static_cast<C>(total);
                 }
               });
}

}  // namespace mien::kernels
