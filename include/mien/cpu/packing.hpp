#pragma once
// The layout in which GEMM and convolution read their right-hand side b (k, n):
// panels of 128 bytes (32 float or 16 double columns) in which the columns of
// one row of b lie together, row after row; the last panel is half as wide
// where that suffices. The same for every instruction set, so weights are
// packed once, ahead of time.

#include <algorithm>
#include <cstdint>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/convert.hpp>

namespace mien::kernels {

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Weights in this layout, made by pack_b or pack_conv2d; C: the type that kernels compute with.
template <class C>
struct Packed {
  const C* data;
};

template <class C>
inline constexpr std::int64_t panel_columns = 128 / sizeof(C);

// Columns [first, first + columns) of b, stored as `width` columns.
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
  return ceil_div(n, panel_columns<C>);
}

// Elements of Compute<T> that a packed b takes.
template <FloatElement T>
std::int64_t packed_size(std::int64_t k, std::int64_t n) {
  if (n <= 0) return 0;
  const Panel last = panel_of<Compute<T>>(panel_count<Compute<T>>(n) - 1, n);
  return k * (last.first + last.width);
}

// Rows of b (k, n) that become rows [k_begin, k_begin + k) of a packed matrix
// of k_total rows.
struct PackParams {
  std::int64_t k, n, row_stride, column_stride, k_total, k_begin = 0;
};

// One panel of b; `to` is where the panel's row k_begin begins. Columns that b
// lacks become zero.
template <class T>
void pack_panel(Compute<T>* to, const T* b, const PackParams& p, const Panel& panel) {
  using C = Compute<T>;
  b += panel.first * p.column_stride;
  if (p.column_stride == 1) {
    for (std::int64_t k = 0; k < p.k; ++k, to += panel.width, b += p.row_stride) {
      copy_as_compute(to, b, panel.columns);
      std::fill(to + panel.columns, to + panel.width, C(0));
    }
    return;
  }
  if (panel.columns < panel.width) std::fill_n(to, p.k * panel.width, C(0));
  constexpr std::int64_t block =
      16;  // rows at a time: a line of b and of the panel each stay cached
  for (std::int64_t k0 = 0; k0 < p.k; k0 += block) {
    const std::int64_t k1 = std::min(p.k, k0 + block);
    for (std::int64_t j = 0; j < panel.columns; ++j)
      for (std::int64_t k = k0; k < k1; ++k)
        to[k * panel.width + j] = static_cast<C>(b[k * p.row_stride + j * p.column_stride]);
  }
}

template <FloatElement T>
void pack_b(Cpu, Compute<T>* packed, const T* b, const PackParams& p) {
  using C = Compute<T>;
  const std::int64_t panels_at_once = 1 + (1 << 14) / (p.k * panel_columns<C> + 1);
  parallel_for(panel_count<C>(p.n), panels_at_once, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Panel panel = panel_of<C>(i, p.n);
      pack_panel(packed + panel.first * p.k_total + p.k_begin * panel.width, b, p, panel);
    }
  });
}

// packed: packed_size<T>(k, n) elements.
template <FloatElement T>
void pack_b(Cpu cpu, Compute<T>* packed, const T* b, std::int64_t k, std::int64_t n,
            std::int64_t b_row, std::int64_t b_col) {
  pack_b(cpu, packed, b, {k, n, b_row, b_col, k});
}

}  // namespace mien::kernels
