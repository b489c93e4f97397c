// GEMM over the micro-kernel: rows of A times panels of packed B, the epilogue applied to each tile
// while its sums are in the first-level cache.

namespace mien::kernels::MIEN_ISA {

// Tiles that share a pass over a block of k; their sums stay in the cache meanwhile.
inline constexpr int group_tiles = 8;

// The range of k in blocks of at most about k_block steps and nearly equal length: several whole
// runs, or a part of one.
struct KBlocks {
  std::int64_t runs, length;

  explicit KBlocks(const Segments& k)
      : runs(k.count), length(std::max<std::int64_t>(k.length, 1)) {
    if (k.length >= k_block) {
      const std::int64_t parts = (k.length + k_block - 1) / k_block;
      runs = 1;
      length = (k.length + parts - 1) / parts;
    } else if (k.count * k.length > k_block) {
      const std::int64_t parts = (k.count * k.length + k_block - 1) / k_block;
      runs = (k.count + parts - 1) / parts;
    }
  }
};

// Takes the lines where a tile's results go into the cache before they are stored to.
template <class T>
MIEN_INLINE void prefetch_output(const T* c, std::int64_t c_row, std::int64_t rows,
                                 std::int64_t columns) {
  const std::int64_t bytes = columns * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < bytes; i += 64)
      __builtin_prefetch(reinterpret_cast<const char*>(c + r * c_row) + i, 1, 3);
}

// A few tiles of rows, the first of which begins at `row`.
struct TileGroup {
  TilePlan tiles[group_tiles];
  int count = 0;
  std::int64_t row;
};

// A group times one panel, block after block of k.
template <ALayout Layout, class T>
void multiply_group(const RowsTimesPanels<T>& p, const KBlocks& blocks, const TileGroup& group,
                    const Panel& panel) {
  using C = Compute<T>;
  constexpr std::int64_t slot = tall_tile<C> * panel_columns<C>;
  const std::int64_t k_total = p.k.count * p.k.length;
  const bool prefetch = k_total >= 256;  // long enough to hide it
  const C* b = p.b + panel.first * k_total;
  for (std::int64_t run = 0; run < p.k.count; run += blocks.runs)
    for (std::int64_t k = 0; k == 0 || k < p.k.length; k += blocks.length) {  // also for no k
      const Segments block{std::min(blocks.runs, p.k.count - run),
                           std::min(blocks.length, p.k.length - k), p.k.offsets + run};
      AView<C> a = p.a;
      a.data += k * (Layout == ALayout::rows ? 1 : p.a.stride);
      T* c = p.c + group.row * p.c_row + panel.first;
      for (int t = 0; t < group.count; c += group.tiles[t++].valid * p.c_row) {
        if (prefetch) prefetch_output(c, p.c_row, group.tiles[t].valid, panel.columns);
        multiply_panel<Layout>(p.sums + t * slot, panel.width, a, group.tiles[t], block, b,
                               panel.width, panel.columns, run + k > 0);
      }
      b += block.count * block.length * panel.width;
    }
}

// What multiply_group left in the scratch sums, through the epilogue to c.
template <class T>
void store_group(const RowsTimesPanels<T>& p, const TileGroup& group, const Panel& panel) {
  using C = Compute<T>;
  constexpr std::int64_t slot = tall_tile<C> * panel_columns<C>;
  std::int64_t row = group.row;
  for (int t = 0; t < group.count; row += group.tiles[t++].valid)
    apply_epilogue<T>(
        {.sums = p.sums + t * slot + group.tiles[t].first * panel.width,
         .y = p.c + row * p.c_row + panel.first,
         .residual = p.residual ? p.residual + row * p.residual_row + panel.first : nullptr,
         .pool = nullptr,
         .sums_row = panel.width,
         .y_row = p.c_row,
         .residual_row = p.residual_row,
         .rows = group.tiles[t].valid,
         .channels = panel.columns,
         .first_channel = p.first_channel + panel.first},
        *p.epilogue);
}

template <ALayout Layout, class T>
void multiply_rows_as(const RowsTimesPanels<T>& p) {
  using C = Compute<T>;
  const KBlocks blocks(p.k);
  const std::int64_t k_total = p.k.count * p.k.length;
  const int at_once = blocks.length * blocks.runs < k_total ? group_tiles : 1;
  const auto each_group = [&](std::int64_t panel_begin, std::int64_t panel_end) {
    TileGroup group;
    for (std::int64_t row = 0; row < p.a.rows;) {
      group.row = row;
      group.count = 0;
      for (; row < p.a.rows && group.count < at_once; row += group.tiles[group.count++].valid)
        group.tiles[group.count] = plan_tile(p.a, row);
      for (std::int64_t i = panel_begin; i < panel_end; ++i) {
        const Panel panel = panel_of<C>(i, p.n);
        multiply_group<Layout>(p, blocks, group, panel);
        store_group(p, group, panel);
      }
    }
  };
  // Panels that fit the second-level cache together are gone through for every group: its rows of a
  // stay in the first level, its rows of c are written at once.
  constexpr std::int64_t cached = (512 << 10) / sizeof(C);
  if ((p.panel_end - p.panel_begin) * panel_columns<C> * k_total <= cached)
    return each_group(p.panel_begin, p.panel_end);
  for (std::int64_t i = p.panel_begin; i < p.panel_end; ++i) each_group(i, i + 1);
}

template <class T>
void multiply_rows(const RowsTimesPanels<T>& p) {
  p.layout == ALayout::rows ? multiply_rows_as<ALayout::rows>(p)
                            : multiply_rows_as<ALayout::columns>(p);
}

// Rows [row_begin, row_end) and panels [panel_begin, panel_end) of c = epilogue(a * b).
template <class T>
void gemm_block(const GemmJob<T>& job, std::int64_t row_begin, std::int64_t row_end,
                std::int64_t panel_begin, std::int64_t panel_end) {
  using C = Compute<T>;
  const GemmParams& p = job.p;
  constexpr std::int64_t low = low_tile<C>;
  const bool in_place = can_read_in_place(job, low);
  const std::int64_t rows_at_once = std::min(row_end - row_begin, job.rows_at_once);
  const std::int64_t padded = std::max(rows_at_once, low);
  const std::int64_t stride = job.layout == ALayout::rows ? padded_stride<C>(p.k) : padded;
  const std::int64_t copy_size = (job.layout == ALayout::rows ? padded : p.k) * stride;
  Scratch<C> sums(group_tiles * tall_tile<C> * panel_columns<C>);
  Scratch<C> copy(in_place ? 0 : copy_size);
  const std::int64_t zero_offset = 0;
  for (std::int64_t begin = row_begin; begin < row_end; begin += rows_at_once) {
    const std::int64_t rows = std::min(rows_at_once, row_end - begin);
    AView<C> a;
    if constexpr (std::is_same_v<T, C>)
      if (in_place)
        a = {.data = job.a + begin * p.a_row,
             .stride = job.layout == ALayout::rows ? p.a_row : p.a_col,
             .rows = rows,
             .rows_before = begin,
             .rows_after = p.m - begin - rows};
    if (!in_place) {
      copy_rows(copy.data(), stride, job.a, p, job.layout, begin, rows, std::max(rows, low));
      a = {copy.data(), stride, rows, 0, std::max(rows, low) - rows};
    }
    const std::int64_t residual_row =
        job.epilogue.residual_pixel ? job.epilogue.residual_pixel : p.c_row;
    const RowsTimesPanels<T> product = {
        .a = a,
        .layout = job.layout,
        .k = {1, p.k, &zero_offset},
        .b = job.b,
        .n = p.n,
        .panel_begin = panel_begin,
        .panel_end = panel_end,
        .sums = sums.data(),
        .c = job.c + begin * p.c_row,
        .residual =
            job.epilogue.residual ? job.epilogue.residual + begin * residual_row : nullptr,
        .c_row = p.c_row,
        .residual_row = residual_row,
        .first_channel = 0,
        .epilogue = &job.epilogue};
    multiply_rows(product);
  }
}

}  // namespace mien::kernels::MIEN_ISA
