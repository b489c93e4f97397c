#pragma once
// Matrix product with a fused epilogue, c (m, n) = epilogue(a (m, k) * b (k, n)).
//
// b is read from panels of 128 bytes (32 float or 16 double columns) in which the columns of one row
// lie together; the last panel is half as wide where that suffices. The form is the same for every
// instruction set, so weights are packed once, ahead of time. a is read where it lies.
// Technique: K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008,
// without the packing of a. Every element of c is summed in the order of k by one thread, so the
// bits do not depend on the number of threads.

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/epilogue.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/scratch.hpp>

namespace mien::kernels {

// Strides in elements. b's are not read where b is packed.
struct GemmParams {
  std::int64_t m, n, k;
  std::int64_t a_row, a_col;  // a (m, k)
  std::int64_t b_row, b_col;  // b (k, n)
  std::int64_t c_row;         // c (m, n), unit column stride
};

// Weights in the kernels' own layout, made by pack_b or pack_conv2d.
template <class T>
struct Packed {
  const Compute<T>* data;
};

// Rows of b (k, n) that become rows [k_begin, k_begin + k) of a packed matrix of k_total rows.
struct PackParams {
  std::int64_t k, n, row_stride, column_stride, k_total, k_begin = 0;
};

template <class C>
inline constexpr std::int64_t panel_columns = 128 / sizeof(C);

// Columns [first, first + columns) of b, stored with `width` columns.
struct Panel {
  std::int64_t first, columns, width;
};

template <class C>
Panel panel_of(std::int64_t index, std::int64_t n) {
  constexpr std::int64_t full = panel_columns<C>;
  const std::int64_t first = index * full, columns = std::min(full, n - first);
  return {first, columns, 2 * columns <= full ? full / 2 : full};
}

template <class C>
std::int64_t panel_count(std::int64_t n) {
  return (n + panel_columns<C> - 1) / panel_columns<C>;
}

// The steps of k in one pass: a panel of them is 1 MB, half of a second-level cache.
inline constexpr std::int64_t k_block = 8192;

// How the micro-kernel finds a's elements: rows apart by a stride with contiguous k, or the reverse.
enum class ALayout : unsigned char { rows, columns };

// Rows of a for the micro-kernel. It may read `rows_before` and `rows_after` more around them.
template <class C>
struct AView {
  const C* data = nullptr;
  std::int64_t stride = 0, rows = 0, rows_before = 0, rows_after = 0;
};

// The k range of a row of a: `count` runs of `length` elements, each at its offset. A convolution
// has one run per kernel row, or per kernel element.
struct Segments {
  std::int64_t count, length;
  const std::int64_t* offsets;
};

// A tile of `height` rows from `start` on, of which `valid` from `first` on are wanted.
struct TilePlan {
  std::int64_t start;
  int height;
  std::int64_t first, valid;
};

// What a region's multiply_rows does: c = epilogue(a * panels of b).
template <class T>
struct RowsTimesPanels {
  AView<Compute<T>> a;
  ALayout layout;
  Segments k;
  const Compute<T>* b;  // packed (k, n)
  std::int64_t n, panel_begin, panel_end;
  Compute<T>* sums;  // scratch
  T* c;
  const T* residual;
  std::int64_t c_row, residual_row, first_channel;
  const Epilogue<T>* epilogue;
};

// A whole product, as its chunks see it.
template <class T>
struct GemmJob {
  T* c;
  const T* a;
  const Compute<T>* b;  // packed
  GemmParams p;
  Epilogue<T> epilogue;
  ALayout layout;
  std::int64_t rows_at_once;  // rows of a that fit the cache beside a panel
};

// 4096 bytes between rows would put the same column of every row into one set of the cache.
template <class C>
constexpr bool strides_collide(std::int64_t stride) {
  return stride != 0 && stride * static_cast<std::int64_t>(sizeof(C)) % 4096 == 0;
}

// The row stride for a copy of rows of `length` elements.
template <class C>
constexpr std::int64_t padded_stride(std::int64_t length) {
  return strides_collide<C>(length) ? length + 16 : length;
}

template <class T>
bool can_read_in_place(const GemmJob<T>& job, std::int64_t lowest_tile) {
  if (!std::is_same_v<T, Compute<T>> || job.p.m < lowest_tile) return false;
  if (job.layout == ALayout::columns) return true;
  return job.p.a_col == 1 && !strides_collide<T>(job.p.a_row);
}

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/gemm_tile.inl>
#include <mien/cpu/foreach_isa.inl>
#define MIEN_KERNEL_FILE <mien/cpu/pack.inl>
#include <mien/cpu/foreach_isa.inl>
#define MIEN_KERNEL_FILE <mien/cpu/gemm.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// Elements of Compute<T> that pack_b writes for a b of (k, n).
template <FloatElement T>
std::int64_t packed_size(std::int64_t k, std::int64_t n) {
  if (n <= 0) return 0;
  const Panel last = panel_of<Compute<T>>(panel_count<Compute<T>>(n) - 1, n);
  return k * (last.first + last.width);
}

template <FloatElement T>
void pack_b(Compute<T>* packed, const T* b, const PackParams& p) {
  const auto pack = MIEN_ISA_PICK(pack_panels<T>);
  const std::int64_t panels_at_once = 1 + (1 << 14) / (p.k * panel_columns<Compute<T>> + 1);
  parallel_for(panel_count<Compute<T>>(p.n), panels_at_once,
               [&](std::int64_t begin, std::int64_t end) { pack(packed, b, p, begin, end); });
}

template <FloatElement T>
void pack_b(Cpu, Compute<T>* packed, const T* b, std::int64_t k, std::int64_t n, std::int64_t b_row,
            std::int64_t b_col) {
  pack_b<T>(packed, b, {k, n, b_row, b_col, k});
}

// How a product is cut for threads: halved along its longer side until a piece has about 2 M
// multiply-adds (10 us) or there are about 64 pieces.
struct ProductSplit {
  std::int64_t rows, panels;  // per piece
};

inline ProductSplit split_product(std::int64_t m, std::int64_t panels, std::int64_t columns,
                                  std::int64_t k, std::int64_t tile) {
  constexpr std::int64_t smallest = 1 << 21, pieces = 64;
  ProductSplit s{m, panels};
  const auto work = [&] { return s.rows * s.panels * columns * k; };
  const std::int64_t wanted = std::max(smallest, work() / pieces);
  const auto halved_rows = [&] { return ((s.rows + 1) / 2 + tile - 1) / tile * tile; };
  while (work() > wanted) {
    const bool rows_shrink = halved_rows() < s.rows;
    if (rows_shrink && (s.panels == 1 || s.rows >= s.panels * columns)) s.rows = halved_rows();
    else if (s.panels > 1) s.panels = (s.panels + 1) / 2;
    else break;
  }
  return s;
}

template <FloatElement T>
void gemm(Cpu, T* c, const T* a, Packed<T> b, const GemmParams& p, const Epilogue<T>& e = {}) {
  using C = Compute<T>;
  constexpr std::int64_t a_bytes = 512 << 10;
  const std::int64_t tile = *MIEN_ISA_PICK(tall_tile<C>);
  const std::int64_t panels = panel_count<C>(p.n);
  const ProductSplit split = split_product(p.m, panels, panel_columns<C>, p.k, tile);
  const std::int64_t fitting = a_bytes / static_cast<std::int64_t>(sizeof(C)) / (p.k + 1);
  const bool columns = p.a_col != 1 && p.a_row == 1;
  const GemmJob<T> job{.c = c,
                       .a = a,
                       .b = b.data,
                       .p = p,
                       .epilogue = e,
                       .layout = columns ? ALayout::columns : ALayout::rows,
                       .rows_at_once = std::max<std::int64_t>(1, fitting / tile) * tile};
  const std::int64_t row_pieces = (p.m + split.rows - 1) / std::max<std::int64_t>(split.rows, 1);
  const std::int64_t panel_pieces = (panels + split.panels - 1) / std::max<std::int64_t>(split.panels, 1);
  const auto block = MIEN_ISA_PICK(gemm_block<T>);
  parallel_for(row_pieces * panel_pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / panel_pieces * split.rows, panel = i % panel_pieces * split.panels;
      block(job, row, std::min(p.m, row + split.rows), panel, std::min(panels, panel + split.panels));
    }
  });
}

// The same with b as it lies in memory; packs it first.
template <FloatElement T>
void gemm(Cpu cpu, T* c, const T* a, const T* b, const GemmParams& p, const Epilogue<T>& e = {}) {
  Scratch<Compute<T>> packed(packed_size<T>(p.k, p.n));
  pack_b(cpu, packed.data(), b, p.k, p.n, p.b_row, p.b_col);
  gemm(cpu, c, a, Packed<T>{packed.data()}, p, e);
}

// What gemm computes, readable and slow.
template <FloatElement T>
void gemm_reference(T* c, const T* a, const T* b, const GemmParams& p, const Epilogue<T>& e = {}) {
  using C = Compute<T>;
  const std::int64_t residual_row = e.residual_pixel ? e.residual_pixel : p.c_row;
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      C sum = 0;
      for (std::int64_t k = 0; k < p.k; ++k)
        sum += static_cast<C>(a[i * p.a_row + k * p.a_col]) *
               static_cast<C>(b[k * p.b_row + j * p.b_col]);
      const T* residual = e.residual ? e.residual + i * residual_row + j : nullptr;
      c[i * p.c_row + j] = epilogue_reference(sum, e, j, residual);
    }
}

}  // namespace mien::kernels
