#pragma once
// Weight gradient of a convolution: dw of a kernel row (or element) = x^T dy
// over all pixels. The micro-kernel of GEMM sees the channels of a run as rows
// of A and the pixels of an output row as k. The pixels are cut into pieces
// that depend on the shape alone and are summed in order, so the bits do not
// depend on the number of threads.

#include <mien/cpu/conv.hpp>

#define MIEN_KERNEL_FILE <mien/cpu/sum_pieces.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

namespace conv_detail {

// The sums of one piece lie in slots (run, tile, panel): a tile of a run's
// channels times a panel of output channels. A slot holds the whole tile, so
// that tiles which overlap at the end of a run do not add to the same place.
template <class T>
class WeightGrad {
 public:
  using C = Compute<T>;

  WeightGrad(const T* x, const T* dy, const Conv2dParams& p)
      : x_(x),
        dy_(dy),
        p_(p),
        group_c_(p.c / p.groups),
        group_out_(p.out_c / p.groups),
        group_panels_(panel_count<C>(group_out_)),
        heights_(tile_heights<C>()),
        strips_(cut(p, heights_.low)),
        joined_(InputRows<T>::joins(p, strips_[0])),
        run_length_(joined_ ? p.kernel_w * group_c_ : group_c_),
        runs_(p.kernel_h * p.kernel_w * group_c_ / run_length_) {
    for (std::int64_t row = 0; row < run_length_; ++tiles_)
      row += tile_at(run_rows(nullptr, 0), row, heights_).valid;
  }

  std::int64_t panels() const { return p_.groups * group_panels_; }
  std::int64_t tiles() const { return runs_ * tiles_; }
  std::int64_t size() const { return tiles() * panels() * tile_sums_size<C>; }
  // The sum over pixels in units: a row of a strip of an image.
  std::int64_t units() const { return p_.n * strips_.count() * p_.out_h; }

  // sums = the share of units [begin, end) in panels [panel_begin, panel_end).
  void add_units(C* sums, std::int64_t begin, std::int64_t end, std::int64_t panel_begin,
                 std::int64_t panel_end) const {
    Scratch<C> packed(strips_.width * (panel_end - panel_begin) * panel_columns<C>);
    for (std::int64_t unit = begin; unit < end;) {
      const std::int64_t image = unit / p_.out_h / strips_.count();
      const Strip strip = strips_[unit / p_.out_h % strips_.count()];
      InputRows<T> input(p_, x_ + image * p_.x_image, strip, joined_);
      const std::int64_t next_strip = std::min(end, (unit / p_.out_h + 1) * p_.out_h);
      for (; unit < next_strip; ++unit) {
        const std::int64_t y = unit % p_.out_h;
        const T* dy = dy_ + image * p_.y_image + y * p_.y_row + strip.begin * p_.y_pixel;
        pack_row(packed.data(), dy, strip.end - strip.begin, panel_begin, panel_end);
        const AView<C> x = input.row(y);
        add_row(sums, x, input.runs(), packed.data(), panel_begin, panel_end, unit > begin,
                dy + (strip.end - strip.begin) * p_.y_pixel);
      }
    }
  }

  // dw of tiles [begin, end), the sums of all pieces added in order.
  void store(C* dw, const C* sums, std::int64_t pieces, std::int64_t begin,
             std::int64_t end) const {
    const auto sum = MIEN_ISA_PICK(sum_pieces<C>);
    for (std::int64_t t = begin; t < end; ++t) {
      std::int64_t row = 0;
      for (std::int64_t i = 0; i < t % tiles_; ++i)
        row += tile_at(run_rows(nullptr, 0), row, heights_).valid;
      const Tile tile = tile_at(run_rows(nullptr, 0), row, heights_);
      for (std::int64_t i = 0; i < panels(); ++i) {
        const Panel panel = panel_of<C>(i % group_panels_, group_out_);
        const std::int64_t column = column_of(i);
        for (std::int64_t r = 0; r < tile.valid; ++r)
          sum(dw + (t / tiles_ * run_length_ + row + r) * p_.out_c + column,
              sums + slot(t, i) + (tile.first + r) * panel.width, panel.columns, pieces, size());
      }
    }
  }

 private:
  // All strips alike, so that the runs are: in place where nothing is padded
  // and a run fills a tile.
  static Strips cut(const Conv2dParams& p, std::int64_t lowest_tile) {
    const bool unpadded = p.pad_top <= 0 && p.pad_left <= 0 &&
                          p.input_rows(p.out_h) - p.pad_top <= p.h &&
                          p.input_columns(p.out_w) - p.pad_left <= p.w;
    const bool in_place = std::is_same_v<T, C> && unpadded && p.c / p.groups >= lowest_tile;
    return {.columns = p.out_w,
            .width = std::min<std::int64_t>(p.out_w, 18 * strip_columns),
            .right = in_place ? p.out_w : 0};
  }

  std::int64_t slot(std::int64_t tile, std::int64_t panel) const {
    return (tile * panels() + panel) * tile_sums_size<C>;
  }

  // The first output channel of a panel.
  std::int64_t column_of(std::int64_t panel) const {
    return panel / group_panels_ * group_out_ + panel % group_panels_ * panel_columns<C>;
  }

  // A run's channels as rows of A. Copied rows of the input may be read beyond
  // the run.
  AView<C> run_rows(const C* first, std::int64_t pixel) const {
    return {first, 1, pixel, run_length_, 0, strips_[0].in_place ? 0 : strip_columns};
  }

  void pack_row(C* packed, const T* dy, std::int64_t pixels, std::int64_t panel_begin,
                std::int64_t panel_end) const {
    const PackParams pack{pixels, group_out_, p_.y_pixel, 1, pixels};
    for (std::int64_t i = panel_begin; i < panel_end; ++i, packed += pixels * panel_columns<C>)
      pack_panel(packed, dy + i / group_panels_ * group_out_, pack,
                 panel_of<C>(i % group_panels_, group_out_));
  }

  // The pixels after these: two tiles ask for a panel's lines of dy, the others for their rows of
  // x.
  Ahead<C> ahead_of(const AView<C>& rows, const Tile& tile, std::int64_t t, std::int64_t column,
                    std::int64_t pixels, const T* next_dy) const {
    constexpr std::int64_t line = 64 / sizeof(C);
    if constexpr (std::is_same_v<T, C>)
      if (t < 2) return {next_dy + column + t * line, p_.y_pixel};
    return {rows.data + tile.start + pixels * rows.step, rows.step};
  }

  void add_row(C* sums, const AView<C>& x, const Runs& runs, const C* dy, std::int64_t panel_begin,
               std::int64_t panel_end, bool accumulate, const T* next_dy) const {
    const auto multiply = MIEN_ISA_PICK(multiply_panel<C>);
    const std::int64_t pixels = x.rows, zero = 0;
    for (std::int64_t i = panel_begin; i < panel_end; ++i, dy += pixels * panel_columns<C>) {
      const Panel panel = panel_of<C>(i % group_panels_, group_out_);
      for (std::int64_t run = 0; run < runs.count; ++run) {
        const AView<C> rows =
            run_rows(x.data + runs.offsets[run] + i / group_panels_ * group_c_, x.row);
        for (std::int64_t row = 0, t = run * tiles_; row < run_length_; ++t) {
          const Tile tile = tile_at(rows, row, heights_);
          multiply({.sums = sums + slot(t, i),
                    .sums_row = panel.width,
                    .a = rows.data + tile.start,
                    .row = rows.row,
                    .step = rows.step,
                    .k = {1, pixels, &zero},
                    .b = dy,
                    .accumulate = accumulate,
                    .streaming = false,
                    .ahead = ahead_of(rows, tile, t, column_of(i), pixels, next_dy)},
                   tile, panel);
          row += tile.valid;
        }
      }
    }
  }

  const T* x_;
  const T* dy_;
  const Conv2dParams& p_;
  std::int64_t group_c_, group_out_, group_panels_;
  TileHeights heights_;
  Strips strips_;
  bool joined_;
  std::int64_t run_length_, runs_;
  std::int64_t tiles_ = 0;  // of a run
};

}  // namespace conv_detail

// dw (kernel_h, kernel_w, c / groups, out_c); `params` describe the forward
// convolution, x and dy are laid out as its x and y.
template <FloatElement T>
void conv2d_weight_grad(Cpu, Compute<T>* dw, const T* x, const T* dy, const Conv2dParams& params) {
  using C = Compute<T>;
  constexpr std::int64_t work_of_piece = 1 << 21, most_pieces = 64, most_sums = 1 << 20;
  Conv2dParams p = params.resolved();
  if (conv_detail::is_matrix_product(p)) {  // one long row of pixels
    p.w = p.out_w = p.n * p.h * p.w;
    p.n = p.h = p.out_h = 1;
    p.x_row = p.x_image = p.w * p.x_pixel;
    p.y_row = p.y_image = p.out_w * p.y_pixel;
  }
  const conv_detail::WeightGrad<T> grad(x, dy, p);
  const std::int64_t work = p.n * p.out_h * p.out_w * grad.size();
  const std::int64_t wanted = std::clamp<std::int64_t>(work / work_of_piece, 1, most_pieces);
  const std::int64_t pieces =
      std::clamp<std::int64_t>(most_sums / grad.size(), 1, std::min(wanted, grad.units()));
  const std::int64_t slices = std::min(grad.panels(), ceil_div(wanted, pieces));
  Scratch<C> sums(pieces * grad.size());
  parallel_for(pieces * slices, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t piece = i / slices, slice = i % slices;
      grad.add_units(sums.data() + piece * grad.size(), piece * grad.units() / pieces,
                     (piece + 1) * grad.units() / pieces, slice * grad.panels() / slices,
                     (slice + 1) * grad.panels() / slices);
    }
  });
  const std::int64_t tiles_at_once = 1 + (1 << 14) * grad.tiles() / (grad.size() * pieces);
  parallel_for(grad.tiles(), tiles_at_once, [&](std::int64_t begin, std::int64_t end) {
    grad.store(dw, sums.data(), pieces, begin, end);
  });
}

}  // namespace mien::kernels
