#pragma once
// The core of GEMM, convolution and their gradients: rows of A times panels of
// packed B, in tiles whose sums stay in registers. The instruction sets' part
// is kernels/mien/cpu/panel_product.inl.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <mien/cpu/epilogue.hpp>
#include <mien/cpu/packing.hpp>

namespace mien::kernels {

// Rows of A, whose elements lie `row` apart along the rows and `step` along k: one of them is 1.
// `rows_before` and `rows_after` more around them may be read.
template <class C>
struct AView {
  const C* data = nullptr;
  std::int64_t row = 0, step = 1, rows = 0, rows_before = 0, rows_after = 0;
};

// 4096 bytes between rows would put the same column of every row into one set
// of the cache.
template <class C>
constexpr bool strides_collide(std::int64_t stride) {
  return stride != 0 && stride * static_cast<std::int64_t>(sizeof(C)) % 4096 == 0;
}

// The k range of a row of A: `count` runs of `length` elements, each at its
// offset. A convolution has one run per kernel row, or per kernel element.
struct Runs {
  std::int64_t count, length;
  const std::int64_t* offsets;
};

// Heights of the tiles that an instruction set computes.
struct TileHeights {
  std::int64_t tall, low;
};

// A tile of `height` rows from `start` on, of which `valid` from `first` on are
// wanted.
struct Tile {
  std::int64_t start, height, first, valid;
};

// The tile that begins with row `row` of A: the lowest that reaches the last
// row, moved up where rows beyond the last one may not be read. A and its
// surroundings have at least heights.low rows.
template <class C>
Tile tile_at(const AView<C>& a, std::int64_t row, const TileHeights& heights) {
  const std::int64_t left = a.rows - row, readable = a.rows + a.rows_after;
  const auto suits = [&](std::int64_t height) { return readable + a.rows_before >= height; };
  const std::int64_t height =
      left > heights.low && suits(heights.tall) ? heights.tall : heights.low;
  const std::int64_t start = std::min(row, readable - height);
  return {start, height, row - start, std::min(left, height)};
}

// Elements that will be read soon: one per step of k.
template <class C>
struct Ahead {
  const C* at;
  std::int64_t step;
};

// sums (tile, panel) = [sums +] rows of A * a panel of B.
template <class C>
struct TileProduct {
  C* sums;
  std::int64_t sums_row;
  const C* a;  // elements `row` and `step` apart, as in AView
  std::int64_t row, step;
  Runs k;
  const C* b;  // of the panel
  bool accumulate;
  bool streaming;  // the sums are a result, stored past the caches (cpu/streaming.hpp)
  Ahead<C> ahead;  // of A
};

// c = epilogue(a * panels [panel_begin, panel_end) of b).
template <class T>
struct PanelProduct {
  AView<Compute<T>> a;
  Runs k;
  const Compute<T>* b;  // packed (k, n)
  std::int64_t n, panel_begin, panel_end;
  Compute<T>* sums;  // scratch, panel_sums_size<C> elements
  T* c;              // (a.rows, n), row stride c_row
  const T* residual;
  std::int64_t c_row, residual_row;
  std::int64_t first_channel;  // of c, into the epilogue's parameters
  const Epilogue<T>* epilogue;
  bool plain = is_plain(*epilogue);
};

// k in blocks of nearly equal length: several whole runs, or parts of one. A
// panel of `longest` steps is 1 MB, half of a second-level cache.
struct KBlocks {
  static constexpr std::int64_t longest = 8192;
  std::int64_t runs, length;

  explicit KBlocks(const Runs& k) : runs(k.count), length(std::max<std::int64_t>(k.length, 1)) {
    const std::int64_t parts = ceil_div(k.count * k.length, longest);
    if (parts <= 1) return;
    runs = std::max<std::int64_t>(1, k.count / parts);
    const std::int64_t parts_of_run = ceil_div(k.length, longest);
    length = ceil_div(k.length, parts_of_run);
  }
  bool cut(const Runs& k) const { return runs < k.count || length < k.length; }
};

// Tiles that share a pass over a block of k; their sums stay in the cache
// meanwhile.
inline constexpr int tiles_per_pass = 8;

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/gemm_tile.inl>
#include <mien/cpu/foreach_isa.inl>
#define MIEN_KERNEL_FILE <mien/cpu/panel_product.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// Elements of one tile's sums, for any instruction set.
template <class C>
inline constexpr std::int64_t tile_sums_size = 14 * panel_columns<C>;
template <class C>
inline constexpr std::int64_t panel_sums_size = tiles_per_pass* tile_sums_size<C>;

template <class C>
TileHeights tile_heights() {
  return *MIEN_ISA_PICK(heights<C>);
}

}  // namespace mien::kernels
