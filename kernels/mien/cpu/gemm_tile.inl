// The micro-kernel of GEMM and convolution: `height` rows of A times a panel of packed B, sums kept
// in registers. With 32 vector registers 14 rows x 2 vectors leave room for two vectors of B and one
// broadcast element of A; with 16 registers 6 x 2 do. It runs at 96 to 98 % of the FMA rate of a
// Sapphire Rapids core even while B streams from the second-level cache, so K is not blocked for L1.

namespace mien::kernels::MIEN_ISA {

// Tile heights: as many rows as registers allow, and two smaller ones for the last rows.
template <class C>
constexpr int tall_tile = Vec<C>::lanes * sizeof(C) == 64 ? 14 : 6;
template <class C>
constexpr int middle_tile = (tall_tile<C> + 2) / 2;
template <class C>
constexpr int low_tile = middle_tile<C> / 2;

// sums (Height, Vectors * lanes) = [sums +] A * B.
template <int Height, int Vectors, ALayout Layout, class C>
MIEN_NOINLINE void multiply_tile(C* sums, std::int64_t sums_row, const C* a, std::int64_t a_stride,
                                 Segments k, const C* b, std::int64_t b_row, bool accumulate) {
  using V = Vec<C>;
  using Register = decltype(V::v);  // arrays of a type without constructors stay in registers
  const std::int64_t row = Layout == ALayout::rows ? a_stride : 1;
  const std::int64_t step = Layout == ALayout::rows ? 1 : a_stride;
  Register acc[Height][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Height; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) acc[i][j] = V().v;
  for (std::int64_t s = 0; s < k.count; ++s) {
    const C* at = a + k.offsets[s];
    for (std::int64_t i = 0; i < k.length; ++i, at += step, b += b_row) {
      Register panel[Vectors];
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) panel[j] = V::load(b + j * V::lanes).v;
#pragma GCC unroll 16
      for (int r = 0; r < Height; ++r) {
        const V element(at[r * row]);
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j)
          acc[r][j] = fma(element, V(panel[j]), V(acc[r][j])).v;
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Height; ++r) {
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) {
      C* to = sums + r * sums_row + j * V::lanes;
      const V sum(acc[r][j]);
      (accumulate ? V::load(to) + sum : sum).store(to);
    }
  }
}

// One tile of any height over the first `columns` columns of a panel.
template <ALayout Layout, class C>
void multiply_panel(C* sums, std::int64_t sums_row, const AView<C>& a, const TilePlan& tile,
                    Segments k, const C* b, std::int64_t b_row, std::int64_t columns,
                    bool accumulate) {
  constexpr int lanes = Vec<C>::lanes, tall = tall_tile<C>, middle = middle_tile<C>;
  const C* rows = a.data + tile.start * (Layout == ALayout::rows ? a.stride : 1);
  for (std::int64_t j = 0; j < columns; j += 2 * lanes) {
    const bool two = columns - j > lanes;
    const auto run = [&](auto height) {
      const auto multiply = two ? multiply_tile<height.value, 2, Layout, C>
                                : multiply_tile<height.value, 1, Layout, C>;
      multiply(sums + j, sums_row, rows, a.stride, k, b + j, b_row, accumulate);
    };
    if (tile.height == tall) run(std::integral_constant<int, tall>{});
    else if (tile.height == middle) run(std::integral_constant<int, middle>{});
    else run(std::integral_constant<int, low_tile<C>>{});
  }
}

// The tile that begins with row `row` of `a`: of the heights that reach the last row the smallest,
// moved up where rows beyond the last one may not be read.
template <class C>
TilePlan plan_tile(const AView<C>& a, std::int64_t row) {
  const std::int64_t left = a.rows - row, readable = a.rows + a.rows_after;
  const auto plan = [&](int height) {
    const std::int64_t start = std::min(row, readable - height);
    return TilePlan{start, height, row - start, std::min<std::int64_t>(left, height)};
  };
  const auto fits = [&](int height) { return readable + a.rows_before >= height; };
  constexpr int heights[] = {low_tile<C>, middle_tile<C>, tall_tile<C>};
  int largest = heights[0];
  for (const int height : heights) {
    if (!fits(height)) break;
    largest = height;
    if (height >= left) break;
  }
  return plan(largest);
}

}  // namespace mien::kernels::MIEN_ISA
