// Tile after tile of A's rows times every panel of B, the epilogue applied
// while a tile's sums are in the first-level cache.

namespace mien::kernels::MIEN_ISA {

// Takes the lines where results go into the cache before they are stored to.
MIEN_INLINE void prefetch_output(const void* c, std::int64_t row_bytes, std::int64_t rows,
                                 std::int64_t bytes) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < bytes; i += 64)
      __builtin_prefetch(static_cast<const char*>(c) + r * row_bytes + i, 1, 3);
}

// Some tiles, the first of which begins at `row` of A.
struct Pass {
  Tile tiles[tiles_per_pass];
  int count = 0;
  std::int64_t row;
};

// The rows of A after a tile's, spread over the steps of its first panel.
template <class T>
Ahead<Compute<T>> ahead_of(const PanelProduct<T>& p, const Tile& tile, const Panel& panel) {
  const bool first = panel.first == p.panel_begin * panel_columns<Compute<T>>;
  if (!first || p.a.step != 1 || p.k.count != 1 || p.k.length == 0) return {p.a.data, 0};
  return {p.a.data + (tile.start + tile.height) * p.a.row, tile.height * p.a.row / p.k.length};
}

// Where the sums of a tile belong: into c itself, where nothing is done to them and no row around
// the tile is touched, else into the scratch.
template <class T>
bool stored_at_once(const PanelProduct<T>& p, const KBlocks& blocks, const Tile& tile,
                    const Panel& panel) {
  return std::is_same_v<T, Compute<T>> && p.plain && !blocks.cut(p.k) &&
         tile.valid == tile.height && panel.columns == panel.width;
}

// A pass times one panel, block after block of k.
template <class T>
void multiply_pass(const PanelProduct<T>& p, const KBlocks& blocks, const Pass& pass,
                   const Panel& panel) {
  using C = Compute<T>;
  constexpr std::int64_t slot = heights<C>.tall * panel_columns<C>, bytes = sizeof(T);
  const std::int64_t k_total = p.k.count * p.k.length;
  const C* b = p.b + panel.first * k_total;
  for (std::int64_t run = 0; run < p.k.count; run += blocks.runs)
    for (std::int64_t k = 0; k == 0 || k < p.k.length; k += blocks.length) {  // also for no k
      const Runs block{std::min(blocks.runs, p.k.count - run),
                       std::min(blocks.length, p.k.length - k), p.k.offsets + run};
      const C* a = p.a.data + k * p.a.step;
      T* c = p.c + pass.row * p.c_row + panel.first;
      for (int t = 0; t < pass.count; c += pass.tiles[t++].valid * p.c_row) {
        const Tile& tile = pass.tiles[t];
        if (k_total >= 256 && !p.epilogue->streaming)  // long enough to hide it
          prefetch_output(c, p.c_row * bytes, tile.valid, panel.columns * bytes);
        TileProduct<C> product{.sums = p.sums + t * slot,
                               .sums_row = panel.width,
                               .a = a + tile.start * p.a.row,
                               .row = p.a.row,
                               .step = p.a.step,
                               .k = block,
                               .b = b,
                               .accumulate = run + k > 0,
                               .streaming = false,
                               .ahead = ahead_of(p, tile, panel)};
        if constexpr (std::is_same_v<T, C>)
          if (stored_at_once(p, blocks, tile, panel)) {
            product.sums = c;
            product.sums_row = p.c_row;
            product.streaming = p.epilogue->streaming && streams_lines<T>;
          }
        multiply_panel(product, tile, panel);
      }
      b += block.count * block.length * panel.width;
    }
}

// What multiply_pass left in the sums, through the epilogue to c.
template <class T>
void store_pass(const PanelProduct<T>& p, const KBlocks& blocks, const Pass& pass,
                const Panel& panel) {
  using C = Compute<T>;
  constexpr std::int64_t slot = heights<C>.tall * panel_columns<C>;
  std::int64_t row = pass.row;
  for (int t = 0; t < pass.count; row += pass.tiles[t++].valid) {
    if (stored_at_once(p, blocks, pass.tiles[t], panel)) continue;
    apply_epilogue<T>(
        {.sums = p.sums + t * slot + pass.tiles[t].first * panel.width,
         .y = p.c + row * p.c_row + panel.first,
         .residual = p.residual ? p.residual + row * p.residual_row + panel.first : nullptr,
         .pool = nullptr,
         .sums_row = panel.width,
         .y_row = p.c_row,
         .residual_row = p.residual_row,
         .rows = pass.tiles[t].valid,
         .channels = panel.columns,
         .first_channel = p.first_channel + panel.first},
        *p.epilogue);
  }
}

template <class T>
void multiply(const PanelProduct<T>& p) {
  using C = Compute<T>;
  const KBlocks blocks(p.k);
  const int at_once = blocks.cut(p.k) ? tiles_per_pass : 1;
  const auto each_pass = [&](std::int64_t panel_begin, std::int64_t panel_end) {
    Pass pass;
    for (std::int64_t row = 0; row < p.a.rows;) {
      pass.row = row;
      for (pass.count = 0; row < p.a.rows && pass.count < at_once;
           row += pass.tiles[pass.count++].valid)
        pass.tiles[pass.count] = tile_at(p.a, row, heights<C>);
      for (std::int64_t i = panel_begin; i < panel_end; ++i) {
        const Panel panel = panel_of<C>(i, p.n);
        multiply_pass(p, blocks, pass, panel);
        store_pass(p, blocks, pass, panel);
      }
    }
  };
  // Panels that fit the second-level cache together are gone through tile by
  // tile: the tile's rows of A stay in the first level, its rows of c are
  // written at once.
  constexpr std::int64_t cached = (512 << 10) / sizeof(C);
  const std::int64_t panel_size = panel_columns<C> * p.k.count * p.k.length;
  if ((p.panel_end - p.panel_begin) * panel_size <= cached)
    return each_pass(p.panel_begin, p.panel_end);
  for (std::int64_t i = p.panel_begin; i < p.panel_end; ++i) each_pass(i, i + 1);
}

}  // namespace mien::kernels::MIEN_ISA
