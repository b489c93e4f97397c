// Brings operands into the micro-kernel's form: B into panels, rows of A into contiguous memory.

namespace mien::kernels::MIEN_ISA {

// to[i] = from[i], in the compute type.
template <class T>
MIEN_INLINE void copy_converted(Compute<T>* to, const T* from, std::int64_t n) {
  using V = Vec<Compute<T>>;
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes) V::load(from + i).store(to + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) V::load(from + i, rest).store(to + i, rest);
}

// A panel's rows for p.k rows of b: columns [first, first + columns), zeros up to `width` columns.
template <class T>
void pack_panel(Compute<T>* panel, const T* b, const PackParams& p, std::int64_t first,
                std::int64_t columns, std::int64_t width) {
  using C = Compute<T>;
  b += first * p.column_stride;
  if (p.column_stride == 1) {
    using V = Vec<C>;
    for (std::int64_t k = 0; k < p.k; ++k, panel += width, b += p.row_stride)
      for (std::int64_t j = 0; j < width; j += V::lanes) {
        const auto left = std::clamp<std::int64_t>(columns - j, 0, V::lanes);
        V::load(b + j, static_cast<int>(left)).store(panel + j);
      }
    return;
  }
  if (columns < width) std::fill(panel, panel + p.k * width, C(0));
  constexpr std::int64_t block = 16;  // rows at a time: a line of b and of the panel each stay cached
  for (std::int64_t k0 = 0; k0 < p.k; k0 += block) {
    const std::int64_t k1 = std::min(p.k, k0 + block);
    for (std::int64_t j = 0; j < columns; ++j)
      for (std::int64_t k = k0; k < k1; ++k)
        panel[k * width + j] = static_cast<C>(b[k * p.row_stride + j * p.column_stride]);
  }
}

template <class T>
void pack_panels(Compute<T>* packed, const T* b, const PackParams& p, std::int64_t panel_begin,
                 std::int64_t panel_end) {
  using C = Compute<T>;
  for (std::int64_t i = panel_begin; i < panel_end; ++i) {
    const Panel panel = panel_of<C>(i, p.n);
    pack_panel(packed + panel.first * p.k_total + p.k_begin * panel.width, b, p, panel.first, panel.columns, panel.width);
  }
}

// rows [begin, begin + rows) of a, made contiguous: (rows, k) or, where a's columns are contiguous,
// (k, rows). Zero rows follow up to `padded` of them.
template <class T>
void copy_rows(Compute<T>* to, std::int64_t to_stride, const T* a, const GemmParams& p,
               ALayout layout, std::int64_t begin, std::int64_t rows, std::int64_t padded) {
  using C = Compute<T>;
  a += begin * p.a_row;
  if (layout == ALayout::columns) {
    for (std::int64_t k = 0; k < p.k; ++k) {
      C* line = to + k * to_stride;
      copy_converted(line, a + k * p.a_col, rows);
      std::fill(line + rows, line + padded, C(0));
    }
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    C* line = to + r * to_stride;
    if (p.a_col == 1) copy_converted(line, a + r * p.a_row, p.k);
    else
      for (std::int64_t k = 0; k < p.k; ++k)
        line[k] = static_cast<C>(a[r * p.a_row + k * p.a_col]);
  }
  for (std::int64_t r = rows; r < padded; ++r) std::fill_n(to + r * to_stride, p.k, C(0));
}

}  // namespace mien::kernels::MIEN_ISA
