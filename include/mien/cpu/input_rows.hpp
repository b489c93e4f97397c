#pragma once
// The input below one row of a convolution's output after another, as rows of A
// for the micro-kernel: x itself where the window lies inside the image's
// columns, with a row of zeros for the image rows above and below; else a ring
// of zero-padded copies of the rows.

#include <utility>

#include <mien/cpu/conv_geometry.hpp>
#include <mien/cpu/panel_product.hpp>
#include <mien/cpu/scratch.hpp>

namespace mien::kernels {

template <class T>
class InputRows {
 public:
  using C = Compute<T>;

  // For the output columns of `strip`. image: one image of x.
  InputRows(const Conv2dParams& p, const T* image, const Strip& strip)
      : InputRows(p, image, strip, joins(p, strip)) {}

  // Every kernel element is a run of a group's channels; `joined`: those of a
  // kernel row, which lie together, are one run.
  InputRows(const Conv2dParams& p, const T* image, const Strip& strip, bool joined)
      : p_(p),
        image_(image),
        strip_(strip),
        joined_(joined),
        columns_(p.input_columns(strip.end - strip.begin)),
        pixel_(pixel_of(p, strip)),
        ring_rows_(p.input_rows(1)),
        ring_row_((columns_ + slack() * p.stride_w) * pixel_ + strip_columns),
        storage_(strip.in_place ? (reach() + columns_ + 1) * pixel_ : ring_rows_ * ring_row_),
        offsets_(p.kernel_h * p.kernel_w) {
    for (std::int64_t i = 0; !strip.in_place && i < ring_rows_; ++i)  // tiles may read this far
      std::fill(slot(i) + columns_ * pixel_, slot(i) + ring_row_, C(0));
  }

  // Whether the channels that a kernel row meets lie together.
  static bool joins(const Conv2dParams& p, const Strip& strip) {
    return pixel_of(p, strip) == p.c && p.groups == 1 && p.dilation_w == 1;
  }

  // Rows of A for output row y: one per column, from the first group's channels
  // on.
  AView<C> row(std::int64_t y) {
    const std::int64_t top = y * p_.stride_h;  // counted in rows of the padded image
    const std::int64_t column = strip_.begin * p_.stride_w - p_.pad_left;
    const std::int64_t stride = p_.stride_w * pixel_, count = strip_.end - strip_.begin;
    if constexpr (std::is_same_v<T, C>)
      if (strip_.in_place) {
        const C* data = image_ + column * p_.x_pixel;
        set_offsets([&](std::int64_t i) {
          const std::int64_t row = top + i * p_.dilation_h - p_.pad_top;
          return row >= 0 && row < p_.h ? row * p_.x_row : zero_row() - data;
        });
        return {data, stride, 1, count, 0, 0};
      }
    for (std::int64_t row = std::max(loaded_, top); row < top + ring_rows_; ++row)
      load(slot(row), row - p_.pad_top, column);
    loaded_ = top + ring_rows_;
    set_offsets([&](std::int64_t i) { return slot(top + i * p_.dilation_h) - storage_.data(); });
    return {storage_.data(), stride, 1, count, 0, slack()};
  }

  // The runs of k below those rows of A.
  Runs runs() {
    const std::int64_t channels = p_.c / p_.groups, elements = joined_ ? p_.kernel_w : 1;
    return {p_.kernel_h * p_.kernel_w / elements, elements * channels, offsets_.data()};
  }

 private:
  static std::int64_t pixel_of(const Conv2dParams& p, const Strip& strip) {
    return strip.in_place ? p.x_pixel : p.c + (strides_collide<C>(p.stride_w * p.c) ? 16 : 0);
  }

  // Output columns beyond the strip that tiles may read: a low strip is filled
  // up to a tile.
  std::int64_t slack() const {
    return std::max<std::int64_t>(strip_columns - (strip_.end - strip_.begin), 0);
  }

  C* slot(std::int64_t padded_row) { return storage_.data() + padded_row % ring_rows_ * ring_row_; }

  // Input columns before an in-place strip that a tile may read: one of fewer columns than the
  // lowest tile is filled up by those of the strip before it.
  std::int64_t reach() const { return p_.stride_w * tile_heights<C>().low; }

  const C* zero_row() {
    if (!std::exchange(zeroed_, true))
      std::fill_n(storage_.data(), (reach() + columns_ + 1) * pixel_, C(0));
    return storage_.data() + reach() * pixel_;
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

  // Image columns from `column` on of image row `row`, zeros outside the image.
  void load(C* to, std::int64_t row, std::int64_t column) {
    const bool inside = row >= 0 && row < p_.h;
    const std::int64_t first = inside ? std::clamp<std::int64_t>(-column, 0, columns_) : columns_;
    const std::int64_t last = inside ? std::clamp(p_.w - column, first, columns_) : columns_;
    std::fill(to, to + first * pixel_, C(0));
    const T* from = image_ + row * p_.x_row + (column + first) * p_.x_pixel;
    if (p_.x_pixel == p_.c && pixel_ == p_.c)
      copy_as_compute(to + first * pixel_, from, (last - first) * p_.c);
    else
      for (std::int64_t i = first; i < last; ++i, from += p_.x_pixel)
        copy_as_compute(to + i * pixel_, from, p_.c);
    std::fill(to + last * pixel_, to + columns_ * pixel_, C(0));
  }

  const Conv2dParams& p_;
  const T* image_;
  Strip strip_;
  bool joined_;
  std::int64_t columns_, pixel_, ring_rows_, ring_row_;
  Scratch<C> storage_;  // the ring, or a row of zeros
  Scratch<std::int64_t> offsets_;
  bool zeroed_ = false;
  std::int64_t loaded_ = 0;  // rows of the padded image above this one have been in the ring
};

}  // namespace mien::kernels
