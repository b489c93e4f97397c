// The input below one row of a convolution's output after another: what output column i meets with
// kernel element (u, v) lies at row(y) + i * stride() + offset of (u, v), whether x is read in place
// or through a ring of zero-padded rows. In place, rows above and below the image are read from a
// row of zeros.

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

template <class T>
class InputRows {
 public:
  using C = Compute<T>;
  static constexpr std::int64_t row_slack = strip_columns;  // elements behind a row of the ring

  // For the columns of `strip`. Every kernel element is a run of the channels of a group; those of a
  // kernel row are `joined` into one where they lie together (see joins).
  InputRows(const Conv2dParams& p, const T* image, const Strip& strip, std::int64_t ring_pixel,
            bool joined)
      : p_(p),
        image_(image),
        strip_(strip),
        columns_(p.input_columns(strip.end - strip.begin)),
        pixel_(strip.in_place ? p.x_pixel : ring_pixel),
        ring_rows_(p.input_rows(1)),
        ring_row_((columns_ + slack() * p.stride_w) * pixel_ + row_slack),
        joined_(joined),
        storage_(strip.in_place ? (columns_ + 1) * pixel_ : ring_rows_ * ring_row_),
        offsets_(p.kernel_h * p.kernel_w) {
    for (std::int64_t i = 0; !strip.in_place && i < ring_rows_; ++i)  // tiles may read this far
      std::fill(slot(i) + columns_ * pixel_, slot(i) + ring_row_, C(0));
  }

  std::int64_t stride() const { return p_.stride_w * pixel_; }

  // Columns beyond the strip that may be read as well: tiles are at most strip_columns high.
  std::int64_t slack() const {
    const std::int64_t missing = strip_columns - (strip_.end - strip_.begin);
    return strip_.in_place ? 0 : std::max<std::int64_t>(missing, 0);
  }

  // Moves to output row y.
  const C* row(std::int64_t y) {
    const std::int64_t top = y * p_.stride_h;  // counted in rows of the padded image
    const std::int64_t column = strip_.begin * p_.stride_w - p_.pad_left;
    if constexpr (std::is_same_v<T, C>)
      if (strip_.in_place) {
        const C* data = image_ + column * p_.x_pixel;
        set_offsets([&](std::int64_t i) {
          const std::int64_t row = top + i * p_.dilation_h - p_.pad_top;
          return row >= 0 && row < p_.h ? row * p_.x_row : zero_row() - data;
        });
        return data;
      }
    for (std::int64_t row = std::max(loaded_, top); row < top + ring_rows_; ++row)
      load_row(slot(row), image_, p_, pixel_, row - p_.pad_top, column, columns_);
    loaded_ = top + ring_rows_;
    set_offsets([&](std::int64_t i) { return slot(top + i * p_.dilation_h) - storage_.data(); });
    return storage_.data();
  }

  // The runs, their offsets from the pointer that row() gave.
  Segments runs() {
    const std::int64_t channels = p_.c / p_.groups, elements = joined_ ? p_.kernel_w : 1;
    return {p_.kernel_h * p_.kernel_w / elements, elements * channels, offsets_.data()};
  }

 private:
  C* slot(std::int64_t padded_row) {
    return storage_.data() + padded_row % ring_rows_ * ring_row_;
  }

  const C* zero_row() {
    if (!std::exchange(zeroed_, true)) std::fill_n(storage_.data(), (columns_ + 1) * pixel_, C(0));
    return storage_.data();
  }

  template <class RowOffset>
  void set_offsets(RowOffset&& row_offset) {
    std::int64_t* offset = offsets_.data();
    for (std::int64_t u = 0; u < p_.kernel_h; ++u) {
      const std::int64_t at = row_offset(u);
      for (std::int64_t v = 0; v < (joined_ ? 1 : p_.kernel_w); ++v)
        *offset++ = at + v * p_.dilation_w * pixel_;
    }
  }

  const Conv2dParams& p_;
  const T* image_;
  Strip strip_;
  std::int64_t columns_, pixel_, ring_rows_, ring_row_;
  bool joined_;
  Scratch<C> storage_;  // the ring, or a row of zeros
  Scratch<std::int64_t> offsets_;
  bool zeroed_ = false;
  std::int64_t loaded_ = 0;  // rows of the padded image above this one have been in the ring
};

}  // namespace mien::kernels::MIEN_ISA
