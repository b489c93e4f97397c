// Direct convolution over the micro-kernel. The input rows below an output row lie in a ring of
// zero-padded rows; in such a row the (kw, channel) range below an output pixel is contiguous, and
// the next output pixel's begins stride_w pixels further on: rows of A for the micro-kernel.
// Where nothing is padded the input is read in place.

namespace mien::kernels::MIEN_ISA {

// Image columns [column, column + count) of image row `row`, zeros outside the image.
template <class T>
void load_row(Compute<T>* to, const T* image, const Conv2dParams& p, std::int64_t pixel,
              std::int64_t row, std::int64_t column, std::int64_t count) {
  using C = Compute<T>;
  const bool inside = row >= 0 && row < p.h;
  const std::int64_t first = inside ? std::clamp<std::int64_t>(-column, 0, count) : count;
  const std::int64_t last = inside ? std::clamp<std::int64_t>(p.w - column, first, count) : count;
  std::fill(to, to + first * pixel, C(0));
  const T* from = image + row * p.x_row + (column + first) * p.x_pixel;
  if (p.x_pixel == p.c && pixel == p.c) {
    copy_converted(to + first * pixel, from, (last - first) * p.c);
  } else {
    for (std::int64_t i = first; i < last; ++i, from += p.x_pixel)
      copy_converted(to + i * pixel, from, p.c);
  }
  std::fill(to + last * pixel, to + count * pixel, C(0));
}

// The input below output columns [begin, begin + count), one output row after another.
template <class T>
class InputRows {
 public:
  using C = Compute<T>;

  InputRows(const ConvJob<T>& job, const T* image, std::int64_t begin, std::int64_t count)
      : job_(job), image_(image), begin_(begin), count_(count), columns_(job.p.input_columns(count)),
        ring_(job.in_place ? 0 : job.ring_rows * job.ring_row),
        offsets_(job.p.kernel_h * job.runs_per_row) {
    if (job.in_place) set_offsets(0);
    for (std::int64_t i = 0; !job.in_place && i < job.ring_rows; ++i)  // tiles may read beyond the last column
      std::fill(slot(i) + columns_ * job.pixel, slot(i) + job.ring_row, C(0));
  }

  // Rows of A for output row y, as far as the first group's channels go.
  AView<C> rows(std::int64_t y) {
    const Conv2dParams& p = job_.p;
    const std::int64_t stride = p.stride_w * job_.pixel;
    if constexpr (std::is_same_v<T, C>)
      if (job_.in_place) {
        const C* data = image_ + y * p.stride_h * p.x_row + begin_ * stride;
        return {data, stride, count_, begin_, p.out_w - begin_ - count_};
      }
    const std::int64_t top = y * p.stride_h;  // counted in rows of the padded image
    for (std::int64_t row = std::max(loaded_, top); row < top + job_.ring_rows; ++row)
      load_row(slot(row), image_, p, job_.pixel, row - p.pad_top, begin_ * p.stride_w - p.pad_left,
               columns_);
    loaded_ = top + job_.ring_rows;
    set_offsets(top);
    return {ring_.data(), stride, count_, 0, tall_tile<C>};
  }

  // The part of the image that the next output row needs and the ring does not hold yet.
  Ahead ahead() const {
    const Conv2dParams& p = job_.p;
    const std::int64_t row = loaded_ - p.pad_top, column = begin_ * p.stride_w, bytes = sizeof(T);
    if (job_.in_place || row >= p.h || column >= p.w) return {};
    const std::int64_t per_row = (p.stride_w - 1) * p.x_pixel + p.c;
    return {image_ + row * p.x_row + column * p.x_pixel, p.stride_w * p.x_pixel * bytes,
            per_row * bytes, std::min(count_, (p.w - column) / p.stride_w)};
  }

  // The runs of k below a row of A.
  Segments segments() {
    const Conv2dParams& p = job_.p;
    return {p.kernel_h * job_.runs_per_row, job_.run_length, offsets_.data()};
  }

 private:
  C* slot(std::int64_t padded_row) { return ring_.data() + padded_row % job_.ring_rows * job_.ring_row; }

  void set_offsets(std::int64_t top) {
    const Conv2dParams& p = job_.p;
    std::int64_t* offset = offsets_.data();
    for (std::int64_t i = 0; i < p.kernel_h; ++i) {
      const std::int64_t row = i * p.dilation_h;
      const std::int64_t at = job_.in_place ? row * p.x_row : slot(top + row) - ring_.data();
      for (std::int64_t j = 0; j < job_.runs_per_row; ++j)
        *offset++ = at + j * p.dilation_w * job_.pixel;
    }
  }

  const ConvJob<T>& job_;
  const T* image_;
  std::int64_t begin_, count_, columns_;
  Scratch<C> ring_;
  Scratch<std::int64_t> offsets_;
  std::int64_t loaded_ = 0;  // rows of the padded image above this one have been in the ring
};

// One piece of the output: an image's rows and columns, and panels of output channels.
template <class T>
void conv_block(const ConvJob<T>& job, const ConvBlock& block) {
  using C = Compute<T>;
  const Conv2dParams& p = job.p;
  const Epilogue<T>& e = job.epilogue;
  const std::int64_t group_c = p.c / p.groups, group_out = p.out_c / p.groups;
  const std::int64_t group_panels = panel_count<C>(group_out);
  const std::int64_t count = block.column_end - block.column_begin;
  Scratch<C> sums(strip_tiles * tall_tile<C> * panel_columns<C>);
  InputRows<T> input(job, job.x + block.image * p.x_image, block.column_begin, count);
  for (std::int64_t y = block.row_begin; y < block.row_end; ++y) {
    const AView<C> rows = input.rows(y);
    const std::int64_t pixel = (block.image * p.out_h + y) * p.out_w + block.column_begin;
    T* out = job.y + block.image * p.y_image + y * p.y_row + block.column_begin * p.y_pixel;
    for (std::int64_t panel = block.panel_begin; panel < block.panel_end;) {
      const std::int64_t group = panel / group_panels, first = panel % group_panels;
      const std::int64_t last = std::min(group_panels, first + block.panel_end - panel);
      AView<C> a = rows;
      a.data += group * group_c;
      multiply_rows<T>(
          {.a = a,
           .layout = ALayout::rows,
           .k = input.segments(),
           .b = job.w + group * job.group_size,
           .n = group_out,
           .panel_begin = first,
           .panel_end = last,
           .sums = sums.data(),
           .c = out + group * group_out,
           .residual =
               e.residual ? e.residual + pixel * e.residual_pixel + group * group_out : nullptr,
           .c_row = p.y_pixel,
           .residual_row = e.residual_pixel,
           .first_channel = group * group_out,
           .epilogue = &e,
           .ahead = panel == block.panel_begin ? input.ahead() : Ahead{}});
      panel += last - first;
    }
  }
}

}  // namespace mien::kernels::MIEN_ISA
