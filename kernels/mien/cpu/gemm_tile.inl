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

// Height rows and Vectors vectors of a product, of columns `column` and on; rows
// of b lie `width` apart. What is read of A next is asked for step by step: all
// at once it would take longer than a short tile.
template <int Height, int Vectors, class C>
MIEN_NOINLINE void multiply_tile(const TileProduct<C>& p, std::int64_t column, std::int64_t width) {
  using V = Vec<C>;
  const std::int64_t row = p.row, step = p.step;
  const C* b = p.b + column;
  Ahead<C> ahead = p.ahead;
  using Register = decltype(V::v);  // arrays of a type without constructors stay in registers
  Register acc[Height][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Height; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; ++j) acc[i][j] = V().v;
  for (std::int64_t s = 0; s < p.k.count; ++s) {
    const C* at = p.a + p.k.offsets[s];
    for (std::int64_t i = p.k.length; i > 0; --i, at += step, b += width, ahead.at += ahead.step) {
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
      C* to = p.sums + r * p.sums_row + column + j * V::lanes;
      const V sum(acc[r][j]);
      store_vector(p.accumulate ? V::load(to) + sum : sum, to, V::lanes, p.streaming);
    }
  }
}

// A tile of any height times a panel.
template <class C>
void multiply_panel(const TileProduct<C>& p, const Tile& tile, const Panel& panel) {
  constexpr std::int64_t lanes = Vec<C>::lanes, width = panel_columns<C>;
  constexpr TileHeights h = heights<C>;
  const auto multiply = [&](auto height, auto vectors, std::int64_t column) {
    multiply_tile<height.value, vectors.value>(p, column, panel.width);
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
