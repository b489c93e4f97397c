#pragma once
// Matrix product with a fused epilogue, c (m, n) = epilogue(a (m, k) * b (k,
// n)).
//
// b is packed (cpu/packing.hpp), a is read where it lies. Technique: K. Goto,
// R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008,
// without the packing of a. Every element of c is summed in the order of k by
// one thread, so the bits do not depend on the number of threads.

#include <mien/cpu/panel_product.hpp>
#include <mien/cpu/scratch.hpp>

namespace mien::kernels {

// Strides in elements. b's are not read where b is packed.
struct GemmParams {
  std::int64_t m, n, k;
  std::int64_t a_row, a_col;  // a (m, k)
  std::int64_t b_row, b_col;  // b (k, n)
  std::int64_t c_row;         // c (m, n), unit column stride
};

namespace gemm_detail {

// Room to point at even where k, and with it the matrix, is empty.
inline std::int64_t some(std::int64_t size) { return std::max<std::int64_t>(size, 1); }

// How a product is cut for threads: halved along its longer side until a piece
// has about 2 M multiply-adds (10 us) or there are about 64 pieces.
struct Split {
  std::int64_t rows, panels;  // per piece
};

inline Split split(std::int64_t m, std::int64_t panels, std::int64_t columns, std::int64_t k,
                   std::int64_t tile) {
  constexpr std::int64_t smallest = 1 << 21, pieces = 64;
  Split s{m, panels};
  const auto work = [&] { return s.rows * s.panels * columns * k; };
  const std::int64_t wanted = std::max(smallest, work() / pieces);
  const auto halved_rows = [&] { return ceil_div((s.rows + 1) / 2, tile) * tile; };
  while (work() > wanted) {
    const bool rows_shrink = halved_rows() < s.rows;
    if (rows_shrink && (s.panels == 1 || s.rows >= s.panels * columns))
      s.rows = halved_rows();
    else if (s.panels > 1)
      s.panels = (s.panels + 1) / 2;
    else
      break;
  }
  return s;
}

// Rows of a for the micro-kernel: in place where they can be read so, else as
// copies.
template <class T>
class RowsOfA {
 public:
  using C = Compute<T>;

  RowsOfA(const T* a, const GemmParams& p, std::int64_t most_rows)
      : a_(a),
        p_(p),
        low_(tile_heights<C>().low),
        columns_(p.a_col != 1 && p.a_row == 1),
        in_place_(readable_in_place()),
        stride_(columns_ ? padded(most_rows) : p.k + (strides_collide<C>(p.k) ? 16 : 0)),
        copy_(in_place_ ? 0 : some(stride_ * (columns_ ? p.k : padded(most_rows)))) {}

  // Rows [begin, begin + rows); valid until the next call.
  AView<C> view(std::int64_t begin, std::int64_t rows) {
    const std::int64_t before = begin, after = p_.m - begin - rows;
    const T* from = a_ + begin * p_.a_row;
    if constexpr (std::is_same_v<T, C>)
      if (in_place_) return {from, p_.a_row, p_.a_col, rows, before, after};
    const std::int64_t lines = columns_ ? p_.k : rows, length = columns_ ? rows : p_.k;
    const std::int64_t line_stride = columns_ ? p_.a_col : p_.a_row;
    const std::int64_t stride = columns_ ? p_.a_row : p_.a_col;
    for (std::int64_t i = 0; i < lines; ++i) {
      C* line = copy_.data() + i * stride_;
      if (stride == 1)
        copy_as_compute(line, from + i * line_stride, length);
      else
        for (std::int64_t j = 0; j < length; ++j)
          line[j] = static_cast<C>(from[i * line_stride + j * stride]);
      if (columns_) std::fill(line + rows, line + padded(rows), C(0));
    }
    for (std::int64_t r = rows; !columns_ && r < padded(rows); ++r)
      std::fill_n(copy_.data() + r * stride_, p_.k, C(0));
    return {copy_.data(),       columns_ ? 1 : stride_, columns_ ? stride_ : 1, rows, 0,
            padded(rows) - rows};
  }

 private:
  std::int64_t padded(std::int64_t rows) const { return std::max(rows, low_); }

  bool readable_in_place() const {
    if (!std::is_same_v<T, C> || p_.m < low_) return false;
    return columns_ || (p_.a_col == 1 && !strides_collide<C>(p_.a_row));
  }

  const T* a_;
  const GemmParams& p_;
  std::int64_t low_;
  bool columns_;  // contiguous are the columns of a, not its rows
  bool in_place_;
  std::int64_t stride_;
  Scratch<C> copy_;
};

// Rows [row_begin, row_end) of c, panels [panel_begin, panel_end).
template <class T>
void run_piece(T* c, const T* a, Packed<Compute<T>> b, const GemmParams& p, const Epilogue<T>& e,
               std::int64_t row_begin, std::int64_t row_end, std::int64_t panel_begin,
               std::int64_t panel_end) {
  using C = Compute<T>;
  constexpr std::int64_t cached = (512 << 10) / sizeof(C);  // rows of a stay in the second level
  const std::int64_t tile = tile_heights<C>().tall, zero = 0;
  const std::int64_t fitting = std::max<std::int64_t>(1, cached / (p.k + 1) / tile) * tile;
  const std::int64_t step = std::min(fitting, row_end - row_begin);
  const std::int64_t residual_row = e.residual_pixel ? e.residual_pixel : p.c_row;
  const auto multiply = MIEN_ISA_PICK(multiply<T>);
  RowsOfA<T> rows_of_a(a, p, step);
  Scratch<C> sums(panel_sums_size<C>);
  for (std::int64_t row = row_begin; row < row_end; row += step)
    multiply({.a = rows_of_a.view(row, std::min(step, row_end - row)),
              .k = {1, p.k, &zero},
              .b = b.data,
              .n = p.n,
              .panel_begin = panel_begin,
              .panel_end = panel_end,
              .sums = sums.data(),
              .c = c + row * p.c_row,
              .residual = e.residual ? e.residual + row * residual_row : nullptr,
              .c_row = p.c_row,
              .residual_row = residual_row,
              .first_channel = 0,
              .epilogue = &e});
}

}  // namespace gemm_detail

template <FloatElement T>
void gemm(Cpu, T* c, const T* a, Packed<Compute<T>> b, const GemmParams& p,
          const Epilogue<T>& epilogue = {}) {
  using C = Compute<T>;
  if (p.m <= 0 || p.n <= 0) return;
  const Epilogue<T> e = stored_well(epilogue, c, p.m, p.c_row);
  const std::int64_t panels = panel_count<C>(p.n);
  const auto split = gemm_detail::split(p.m, panels, panel_columns<C>, p.k, tile_heights<C>().tall);
  const std::int64_t slices = ceil_div(panels, split.panels);
  parallel_for(ceil_div(p.m, split.rows) * slices, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / slices * split.rows, panel = i % slices * split.panels;
      gemm_detail::run_piece(c, a, b, p, e, row, std::min(p.m, row + split.rows), panel,
                             std::min(panels, panel + split.panels));
      if (e.streaming) end_streaming();
    }
  });
}

// The same with b as it lies in memory, of type T or Compute<T>; packs it first.
template <FloatElement T, OneOf<T, Compute<T>> B>
void gemm(Cpu cpu, T* c, const T* a, const B* b, const GemmParams& p, const Epilogue<T>& e = {}) {
  Scratch<Compute<T>> packed(gemm_detail::some(packed_size<T>(p.k, p.n)));
  pack_b(cpu, packed.data(), b, p.k, p.n, p.b_row, p.b_col);
  gemm(cpu, c, a, Packed<Compute<T>>{packed.data()}, p, e);
}

// What gemm computes, readable and slow.
template <FloatElement T, OneOf<T, Compute<T>> B>
void gemm_reference(T* c, const T* a, const B* b, const GemmParams& p, const Epilogue<T>& e = {}) {
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
