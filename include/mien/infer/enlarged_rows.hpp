#pragma once
// Where a network's output goes: into bands of rows, from the top of the image to its bottom, and
// from there into the result. Without a final resize the one band is the result. With one, a band
// is resized as soon as it is full, and only the rows that the next band needs are kept: the image
// at the network's scale never exists as a whole.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <mien/data/image.hpp>
#include <mien/data/resize_opencv_rows.hpp>

namespace mien::infer {

template <data::Sample T>
class EnlargedRows {
 public:
  // `shape` tells the size at the network's scale and that of the result.
  EnlargedRows(const data::ResizeShape& shape, int bits) : shape_(shape) {
    if (shape.in_width == shape.out_width && shape.in_height == shape.out_height) return;
    resize_.emplace(shape);
    result_ = data::Image(shape.out_width, shape.out_height, shape.channels, bits);
  }

  bool resizes() const { return resize_.has_value(); }

  // Opens a band of `rows` rows after those of the last one.
  void begin(std::int64_t rows) {
    const std::int64_t kept_from = resizes() ? first_needed() : end_;
    data::Image band(shape_.in_width, end_ + rows - kept_from, shape_.channels, 8 * sizeof(T));
    for (std::int64_t y = kept_from; y < end_; ++y) {
      const auto row = std::as_const(band_).template row<T>(y - first_);
      std::copy(row.begin(), row.end(), band.row<T>(y - kept_from).begin());
    }
    band_ = std::move(band);
    first_ = kept_from;
    end_ += rows;
  }

  // The open band, and the row of the enlarged image that its first row is.
  data::Image& band() { return band_; }
  std::int64_t first_row() const { return first_; }

  // The open band is filled.
  void finish() {
    if (!resizes()) return;
    std::int64_t next = done_;
    while (next < shape_.out_height && resize_->sources({next, next + 1}).end <= end_) ++next;
    if (next == done_) return;
    const auto to = static_cast<std::size_t>(result_.samples_per_row());
    resize_->resize(result_.samples<T>().subspan(static_cast<std::size_t>(done_) * to,
                                                 static_cast<std::size_t>(next - done_) * to),
                    {done_, next}, std::as_const(band_).template samples<T>(), {first_, end_});
    done_ = next;
  }

  // The result, once all rows are there.
  data::Image take() { return std::move(resizes() ? result_ : band_); }

 private:
  // The first row that result rows from done_ on are made of.
  std::int64_t first_needed() const {
    return done_ < shape_.out_height ? std::min(resize_->sources({done_, done_ + 1}).begin, end_)
                                     : end_;
  }

  data::ResizeShape shape_;
  std::optional<data::Lanczos4Rows<T>> resize_;
  data::Image band_, result_;
  std::int64_t first_ = 0, end_ = 0;  // rows of the enlarged image that the band holds
  std::int64_t done_ = 0;             // rows of the result that are written
};

}  // namespace mien::infer
