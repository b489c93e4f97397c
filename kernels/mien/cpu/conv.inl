// Direct convolution over the micro-kernel. Below an output pixel the (kw, channel) range of a
// kernel row is contiguous where pixels are dense, and the next output pixel's begins stride_w pixels
// further on: rows of A for the micro-kernel, without im2col.

namespace mien::kernels::MIEN_ISA {

// One piece of the output: an image's rows and columns, and panels of output channels.
template <class T>
void conv_block(const ConvJob<T>& job, const ConvBlock& block) {
  using C = Compute<T>;
  const Conv2dParams& p = job.p;
  const Epilogue<T>& e = job.epilogue;
  const std::int64_t group_c = p.c / p.groups, group_out = p.out_c / p.groups;
  const std::int64_t group_panels = panel_count<C>(group_out);
  Scratch<C> sums(group_tiles * tall_tile<C> * panel_columns<C>);
  const std::int64_t pixel_size = block.strip.in_place ? p.x_pixel : job.ring_pixel;
  InputRows<T> input(p, job.x + block.image * p.x_image, block.strip, job.ring_pixel,
                     joins_runs(p, pixel_size));
  for (std::int64_t y = block.row_begin; y < block.row_end; ++y) {
    const AView<C> rows{input.row(y), input.stride(), block.strip.end - block.strip.begin, 0,
                        input.slack()};
    const std::int64_t pixel = (block.image * p.out_h + y) * p.out_w + block.strip.begin;
    T* out = job.y + block.image * p.y_image + y * p.y_row + block.strip.begin * p.y_pixel;
    for (std::int64_t panel = block.panel_begin; panel < block.panel_end;) {
      const std::int64_t group = panel / group_panels, first = panel % group_panels;
      const std::int64_t last = std::min(group_panels, first + block.panel_end - panel);
      AView<C> a = rows;
      a.data += group * group_c;
      multiply_rows<T>(
          {.a = a,
           .layout = ALayout::rows,
           .k = input.runs(),
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
           .epilogue = &e});
      panel += last - first;
    }
  }
}

}  // namespace mien::kernels::MIEN_ISA
