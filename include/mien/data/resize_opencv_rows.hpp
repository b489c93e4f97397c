#pragma once
// The same as resize_opencv() for images that are never whole in memory: rows of the result from
// the rows of the source that they are made of. Bit for bit the rows of the whole result.

#include <cstdint>
#include <span>
#include <vector>

#include <mien/data/resize_opencv.hpp>

namespace mien::data {

// Rows [begin, end) of an image.
struct RowRange {
  std::int64_t begin = 0, end = 0;
};

// Lanczos4 of samples of type T.
template <Sample T>
class Lanczos4Rows {
 public:
  explicit Lanczos4Rows(const ResizeShape& shape)
      : shape_(shape),
        x_(shape.in_width, shape.out_width, OpenCvFilter::lanczos4, true),
        y_(shape.in_height, shape.out_height, OpenCvFilter::lanczos4, false) {}

  const ResizeShape& shape() const { return shape_; }

  // The source rows that rows `out` of the result are made of.
  RowRange sources(RowRange out) const {
    const std::int32_t* index = y_.axis().index;
    return {index[out.begin * taps], index[out.end * taps - 1] + 1};
  }

  // Writes rows `to` of the result to `out`; `in` holds the source rows `from`.
  void resize(std::span<T> out, RowRange to, std::span<const T> in, RowRange from) const {
    constexpr std::string_view where = "resize_rows";
    const RowRange needed = sources(to);
    check(from.begin <= needed.begin && needed.end <= from.end, where, "rows ", needed.begin,
          " to ", needed.end, " are needed, got ", from.begin, " to ", from.end);
    check_size(where, in.size(), shape_.in_width, from);
    check_size(where, out.size(), shape_.out_width, to);
    std::vector<std::int32_t> index;
    for (std::int64_t i = to.begin * taps; i < to.end * taps; ++i)
      index.push_back(y_.axis().index[i] - static_cast<std::int32_t>(from.begin));
    const std::int64_t rows = to.end - to.begin;
    // The kernel takes the heights as a ratio only, which must not be less than the whole image's.
    const std::int64_t in_rows =
        (rows * shape_.in_height + shape_.out_height - 1) / shape_.out_height;
    const kernels::OpenCvAxis<Sum> y{index.data(), y_.axis().weights + to.begin * taps};
    kernels::resize_opencv<taps>(
        Cpu{}, out.data(), in.data(),
        {x_.axis(), y, shape_.in_width, in_rows, shape_.out_width, rows, shape_.channels});
  }

 private:
  using Sum = kernels::OpenCvSum<T>;
  static constexpr int taps = 8;

  void check_size(std::string_view where, std::size_t samples, std::int64_t width,
                  RowRange rows) const {
    check(samples == static_cast<std::size_t>((rows.end - rows.begin) * width * shape_.channels),
          where, "rows ", rows.begin, " to ", rows.end, " do not take ", samples, " samples");
  }

  ResizeShape shape_;
  detail::OpenCvWeights<Sum> x_, y_;
};

}  // namespace mien::data
