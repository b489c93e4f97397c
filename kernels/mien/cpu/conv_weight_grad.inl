// Weight gradient of a convolution: dw of a kernel row (or element) += x^T dy over the pixels of one
// output row after another, x and dy both read along their channels. The micro-kernel sees the
// channels of a run as rows of A and the pixels as k.

namespace mien::kernels::MIEN_ISA {

// Sums of one tile of a run's rows times one panel of output channels; a whole tile, valid or not, so
// that tiles which overlap at the end of a run do not add to the same place.
template <class C>
constexpr std::int64_t grad_slot = tall_tile<C> * panel_columns<C>;

// The rows of A that a run is, `first` being its first channel at the first pixel.
template <class C>
AView<C> run_rows(const C* first, std::int64_t pixel, const WeightGradShape& s) {
  return {first, pixel, s.run_length, 0, s.in_place ? 0 : strip_columns};
}

// Slots are numbered (run, tile of the run, panel).
template <class C>
std::int64_t grad_tiles(const WeightGradShape& s) {
  const AView<C> rows = run_rows<C>(nullptr, 0, s);
  std::int64_t tiles = 0;
  for (std::int64_t row = 0; row < s.run_length; ++tiles) row += plan_tile(rows, row).valid;
  return tiles;
}

// One output row's share of panels [panel_begin, panel_end). dy: its panels, packed.
template <class C>
void add_row_gradient(C* partial, const WeightGradShape& s, const C* x, std::int64_t pixel,
                      const Segments& runs, const C* dy, std::int64_t pixels,
                      std::int64_t panel_begin, std::int64_t panel_end, bool accumulate) {
  const std::int64_t tiles = grad_tiles<C>(s), zero = 0;
  for (std::int64_t i = panel_begin; i < panel_end; ++i, dy += pixels * panel_columns<C>) {
    const Panel panel = panel_of<C>(i % s.group_panels, s.group_out);
    const std::int64_t first_channel = i / s.group_panels * s.group_c;
    for (std::int64_t run = 0; run < runs.count; ++run) {
      const AView<C> rows = run_rows(x + runs.offsets[run] + first_channel, pixel, s);
      for (std::int64_t row = 0, t = run * tiles; row < s.run_length; ++t) {
        const TilePlan tile = plan_tile(rows, row);
        multiply_panel<ALayout::columns>(partial + (t * s.panels + i) * grad_slot<C>, panel.width,
                                         rows, tile, Segments{1, pixels, &zero}, dy, panel.width,
                                         panel.columns, accumulate);
        row += tile.valid;
      }
    }
  }
}

// Units [unit_begin, unit_end) of the reduction, a unit being one row of one strip of an image, for
// panels [panel_begin, panel_end).
template <class T>
void weight_grad_block(const WeightGradJob<T>& job, Compute<T>* partial, std::int64_t unit_begin,
                       std::int64_t unit_end, std::int64_t panel_begin, std::int64_t panel_end) {
  using C = Compute<T>;
  const Conv2dParams& p = job.p;
  const WeightGradShape& s = job.shape;
  Scratch<C> panels(job.strips.width * (panel_end - panel_begin) * panel_columns<C>);
  for (std::int64_t unit = unit_begin; unit < unit_end;) {
    const std::int64_t image = unit / p.out_h / job.strips.count();
    const Strip strip = job.strips[unit / p.out_h % job.strips.count()];
    const std::int64_t pixels = strip.end - strip.begin;
    InputRows<T> input(p, job.x + image * p.x_image, strip, p.c, s.joined);
    for (bool same_strip = true; same_strip && unit < unit_end;
         same_strip = ++unit % p.out_h != 0) {
      const std::int64_t y = unit % p.out_h;
      const T* dy = job.dy + image * p.y_image + y * p.y_row + strip.begin * p.y_pixel;
      const PackParams pack{pixels, s.group_out, p.y_pixel, 1, pixels};
      for (std::int64_t i = panel_begin; i < panel_end; ++i) {
        const Panel panel = panel_of<C>(i % s.group_panels, s.group_out);
        pack_panel(panels.data() + (i - panel_begin) * pixels * panel_columns<C>,
                   dy + i / s.group_panels * s.group_out, pack, panel.first, panel.columns,
                   panel.width);
      }
      const C* x = input.row(y);
      add_row_gradient(partial, s, x, input.stride(), input.runs(), panels.data(), pixels,
                       panel_begin, panel_end, unit > unit_begin);
    }
  }
}

// dw of tiles [tile_begin, tile_end) of all runs: the partial sums of every piece, added in order.
template <class T>
void sum_weight_grad(T* dw, const WeightGradJob<T>& job, const Compute<T>* partial,
                     std::int64_t tile_begin, std::int64_t tile_end) {
  using C = Compute<T>;
  using V = Vec<C>;
  const WeightGradShape& s = job.shape;
  const AView<C> rows = run_rows<C>(nullptr, 0, s);
  const std::int64_t tiles = grad_tiles<C>(s), size = s.runs * tiles * s.panels * grad_slot<C>;
  for (std::int64_t t = tile_begin; t < tile_end; ++t) {
    std::int64_t row = 0;
    for (std::int64_t i = 0; i < t % tiles; ++i) row += plan_tile(rows, row).valid;
    const TilePlan tile = plan_tile(rows, row);
    for (std::int64_t i = 0; i < s.panels; ++i) {
      const Panel panel = panel_of<C>(i % s.group_panels, s.group_out);
      const std::int64_t column = i / s.group_panels * s.group_out + panel.first;
      for (std::int64_t r = 0; r < tile.valid; ++r) {
        const C* from = partial + (t * s.panels + i) * grad_slot<C> + (tile.first + r) * panel.width;
        T* to = dw + (t / tiles * s.run_length + row + r) * job.p.out_c + column;
        for (std::int64_t j = 0; j < panel.columns; j += V::lanes) {
          V sum = V::load(from + j);
          for (std::int64_t piece = 1; piece < job.pieces; ++piece)
            sum = sum + V::load(from + piece * size + j);
          sum.store(to + j, static_cast<int>(std::min<std::int64_t>(V::lanes, panel.columns - j)));
        }
      }
    }
  }
}

}  // namespace mien::kernels::MIEN_ISA
