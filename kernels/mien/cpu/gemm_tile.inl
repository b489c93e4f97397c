// The micro-kernel: `Height` rows of A times the columns of a panel of B, sums
// kept in registers. With 32 vector registers 14 rows x 2 vectors leave room
// for two vectors of B and one broadcast element of A; with 16 registers 6 x 2
// do. It runs at 96 to 98 % of the multiply-add rate of a Sapphire Rapids core
// even while B streams from the second-level cache, so k is not blocked for the
// first.

namespace mien::kernels::MIEN_ISA {

// As many rows as the registers allow, and half of it for the last rows of a matrix (an image of 7
// x 7 pixels has 3 x 14 + 7). Scalar code has one height: it is compiled into every program.
template <class C>
constexpr TileHeights heights = Vec<C>::lanes == 1                ? TileHeights{4, 4}
                                : Vec<C>::lanes * sizeof(C) == 64 ? TileHeights{14, 7}
                                                                  : TileHeights{6, 3};

// sums (Height, Vectors * lanes) = [sums +] A * B, in rows `width` apart; b's
// are, too. Elements of A lie `row` and `step` apart along its rows and k. What
// is read of A next is asked for step by step: all at once it would take longer
// than a short tile.
template <int Height, int Vectors, class C>
MIEN_NOINLINE void multiply_tile(C* sums, const C* a, std::int64_t row, std::int64_t step, Runs k,
                                 const C* b, std::int64_t width, bool accumulate, Ahead<C> ahead) {
  using V = Vec<C>;
  using Register = decltype(V::v);  // arrays of a type without constructors stay in registers
  Register acc[Height][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Height; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; ++j) acc[i][j] = V().v;
  for (std::int64_t s = 0; s < k.count; ++s) {
    const C* at = a + k.offsets[s];
    for (std::int64_t i = 0; i < k.length; ++i, at += step, b += width, ahead.at += ahead.step) {
      __builtin_prefetch(ahead.at, 0, 2);  // into the second level: the first holds this tile
      Register panel[Vectors];
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) panel[j] = V::load(b + j * V::lanes).v;
#pragma GCC unroll 16
      for (int r = 0; r < Height; ++r) {
        const V element(at[r * row]);
#pragma GCC unroll 2
        for (int j = 0; j < Vectors; ++j) acc[r][j] = fma(element, V(panel[j]), V(acc[r][j])).v;
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Height; ++r) {
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; ++j) {
      C* to = sums + r * width + j * V::lanes;
      const V sum(acc[r][j]);
      (accumulate ? V::load(to) + sum : sum).store(to);
    }
  }
}

// A tile of any height times a panel.
template <class C>
void multiply_panel(C* sums, const C* a, std::int64_t row, std::int64_t step, const Tile& tile,
                    const Runs& k, const C* b, const Panel& panel, bool accumulate,
                    const Ahead<C>& ahead) {
  constexpr std::int64_t lanes = Vec<C>::lanes, width = panel_columns<C>;
  constexpr TileHeights h = heights<C>;
  a += tile.start * row;
  const auto multiply = [&](auto height, auto vectors, std::int64_t j) {
    multiply_tile<height.value, vectors.value>(sums + j, a, row, step, k, b + j, panel.width,
                                               accumulate, ahead);
  };
  const auto columns = [&](auto height) {
    if constexpr (width / 2 < 2 * lanes)
      if (panel.width == width / 2) return multiply(height, std::integral_constant<int, 1>{}, 0);
    for (std::int64_t j = 0; j < panel.columns; j += 2 * lanes)
      multiply(height, std::integral_constant<int, 2>{}, j);
  };
  if (tile.height == h.tall)
    columns(std::integral_constant<int, h.tall>{});
  else
    columns(std::integral_constant<int, h.low>{});
}

}  // namespace mien::kernels::MIEN_ISA
