#include <mien/data/resize_opencv_rows.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace mien::data {
namespace {

template <Sample T>
std::vector<T> noise(std::int64_t count) {
  std::vector<T> samples(static_cast<std::size_t>(count));
  std::uint32_t state = 4711;
  for (T& sample : samples) {
    state = state * 1664525 + 1013904223;
    sample = static_cast<T>(state >> 12);
  }
  return samples;
}

// The result in steps of `step` rows, each from no more source rows than it needs.
template <Sample T>
std::vector<T> resize_in_steps(const std::vector<T>& in, const ResizeShape& s, std::int64_t step) {
  const Lanczos4Rows<T> rows(s);
  const std::int64_t in_row = s.in_width * s.channels, out_row = s.out_width * s.channels;
  std::vector<T> out(static_cast<std::size_t>(s.out_height * out_row));
  for (std::int64_t y = 0; y < s.out_height; y += step) {
    const RowRange to{y, std::min(y + step, s.out_height)};
    const RowRange from = rows.sources(to);
    rows.resize(std::span(out).subspan(static_cast<std::size_t>(to.begin * out_row),
                                       static_cast<std::size_t>((to.end - to.begin) * out_row)),
                to,
                std::span(in).subspan(static_cast<std::size_t>(from.begin * in_row),
                                      static_cast<std::size_t>((from.end - from.begin) * in_row)),
                from);
  }
  return out;
}

template <class T>
class Lanczos4RowsTest : public testing::Test {};
using Samples = testing::Types<std::uint8_t, std::uint16_t>;
TYPED_TEST_SUITE(Lanczos4RowsTest, Samples);

TYPED_TEST(Lanczos4RowsTest, EqualTheWholeResult) {
  const ResizeShape shapes[] = {{24, 200, 12, 100, 3}, {13, 150, 17, 201, 1}, {9, 173, 5, 31, 4},
                                {7, 90, 7, 7, 2},      {5, 1, 8, 3, 3},       {6, 11, 1, 1, 3}};
  for (const ResizeShape& s : shapes) {
    const auto in = noise<TypeParam>(s.in_width * s.in_height * s.channels);
    std::vector<TypeParam> whole(static_cast<std::size_t>(s.out_width * s.out_height * s.channels));
    resize_opencv<TypeParam>(whole, in, s, OpenCvFilter::lanczos4);
    for (const std::int64_t step : {1, 7, 64, 1000})
      EXPECT_EQ(resize_in_steps(in, s, step), whole)
          << s.in_height << " rows to " << s.out_height << " in steps of " << step;
  }
}

TYPED_TEST(Lanczos4RowsTest, RefuseRowsThatDoNotSuffice) {
  const Lanczos4Rows<TypeParam> rows({4, 20, 4, 10, 1});
  const RowRange needed = rows.sources({4, 6});
  EXPECT_EQ(needed.begin, 5);
  EXPECT_EQ(needed.end, 15);
  const auto in = noise<TypeParam>(36);
  std::vector<TypeParam> out(8);
  EXPECT_THROW(rows.resize(out, {4, 6}, in, {5, 14}), Error);
  EXPECT_THROW(rows.resize(out, {4, 6}, in, {5, 15}), Error);  // 36 samples are 9 rows
}

}  // namespace
}  // namespace mien::data
