// GEMM over the micro-kernel: rows of A times panels of packed B, the epilogue applied to each tile
// while its sums are in the first-level cache.

namespace mien::kernels::MIEN_ISA {

// Tiles that share a pass over a block of k; their sums stay in the cache meanwhile.
inline constexpr int strip_tiles = 8;

// The range of k in blocks of at most about k_block steps and nearly equal length: several whole
// runs, or a part of one.
struct KBlocks {
  std::int64_t runs, length;

  explicit KBlocks(const Segments& k) : runs(k.count), length(k.length) {
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

// Brings the lines of rows [begin, end) of `ahead` to the second-level cache.
MIEN_INLINE void prefetch(const Ahead& ahead, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < std::min(end, ahead.rows); ++r) {
    const char* row = static_cast<const char*>(ahead.data) + r * ahead.stride;
    for (std::int64_t i = 0; i < ahead.bytes; i += 64) __builtin_prefetch(row + i, 0, 2);
  }
}

// Takes the lines where a tile's results go into the cache before they are stored to.
template <class T>
MIEN_INLINE void prefetch_output(const T* c, std::int64_t c_row, const TilePlan& tile,
                                 std::int64_t columns) {
  const std::int64_t bytes = columns * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t r = 0; r < tile.valid; ++r)
    for (std::int64_t i = 0; i < bytes; i += 64)
      __builtin_prefetch(reinterpret_cast<const char*>(c + r * c_row) + i, 1, 3);
}

// A strip of tiles times one panel, block after block of k.
template <ALayout Layout, class T>
void multiply_strip(const RowsTimesPanels<T>& p, const TilePlan* tiles, int count,
                    const Panel& panel, const T* c) {
  using C = Compute<T>;
  constexpr std::int64_t slot = tall_tile<C> * panel_columns<C>;
  const C* b = p.b + panel.first * p.k.count * p.k.length;
  const KBlocks blocks(p.k);
  for (std::int64_t run = 0; run < p.k.count; run += blocks.runs)
    for (std::int64_t k = 0; k < p.k.length; k += blocks.length) {
      const Segments block{std::min(blocks.runs, p.k.count - run),
                           std::min(blocks.length, p.k.length - k), p.k.offsets + run};
      AView<C> a = p.a;
      a.data += k * (Layout == ALayout::rows ? 1 : p.a.stride);
      const bool last = run + blocks.runs >= p.k.count && k + blocks.length >= p.k.length;
      for (int t = 0; t < count; ++t) {
        if (last) prefetch_output(c + (tiles[t].start + tiles[t].first) * p.c_row, p.c_row, tiles[t], panel.columns);
        multiply_panel<Layout>(p.sums + t * slot, panel.width, a, tiles[t], block, b, panel.width,
                               panel.columns, run + k > 0);
      }
      b += block.count * block.length * panel.width;
    }
}

template <ALayout Layout, class T>
void multiply_rows_as(const RowsTimesPanels<T>& p) {
  using C = Compute<T>;
  constexpr std::int64_t slot = tall_tile<C> * panel_columns<C>;
  const int at_once = p.k.count * p.k.length > k_block ? strip_tiles : 1;
  for (std::int64_t i = p.panel_begin; i < p.panel_end; ++i) {
    const Panel panel = panel_of<C>(i, p.n);
    for (std::int64_t row = 0; row < p.a.rows;) {
      TilePlan tiles[strip_tiles];
      int count = 0;
      std::int64_t out_row = row;
      for (; row < p.a.rows && count < at_once; row += tiles[count++].valid)
        tiles[count] = plan_tile(p.a, row);
      if (i == p.panel_begin) prefetch(p.ahead, out_row, row);
      multiply_strip<Layout>(p, tiles, count, panel, p.c + panel.first);
      for (int t = 0; t < count; out_row += tiles[t++].valid)
        apply_epilogue<T>(
            {.sums = p.sums + t * slot + tiles[t].first * panel.width,
             .y = p.c + out_row * p.c_row + panel.first,
             .residual =
                 p.residual ? p.residual + out_row * p.residual_row + panel.first : nullptr,
             .pool = nullptr,
             .sums_row = panel.width,
             .y_row = p.c_row,
             .residual_row = p.residual_row,
             .rows = tiles[t].valid,
             .channels = panel.columns,
             .first_channel = p.first_channel + panel.first},
            *p.epilogue);
    }
  }
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
  Scratch<C> sums(strip_tiles * tall_tile<C> * panel_columns<C>);
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
    RowsTimesPanels<T> product = {
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
        .epilogue = &job.epilogue,
        .ahead = {}};
    if (false && job.layout == ALayout::rows && in_place) {
      const std::int64_t next = tall_tile<C>, bytes = static_cast<std::int64_t>(sizeof(C));
      product.ahead = {a.data + next * a.stride, a.stride * bytes, p.k * bytes, rows - next};
    }
    multiply_rows(product);
  }
}

}  // namespace mien::kernels::MIEN_ISA
