// Resizing against checksums of what Pillow and OpenCV make of the same noise, on every instruction
// set.

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mien/cpu/isa.hpp>
#include <mien/data/resize_opencv.hpp>
#include <mien/data/resize_pillow.hpp>

#include "data/generated_images.hpp"
#include "support/csv.hpp"
#include "support/data_dir.hpp"
#include "support/images.hpp"

namespace {

using mien::Error;
using mien::Isa;
using mien::IsaScope;
using mien::data::Image;
using mien::data::OpenCvFilter;
using mien::data::PillowFilter;
using mien::data::PillowResize;
using mien::data::resize_opencv;
using mien::data::resize_pillow;
using mien::data::ResizeShape;
using mien::test::crc32;

std::vector<Isa> instruction_sets() {
  std::vector<Isa> sets;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    if (isa <= mien::best_isa()) sets.push_back(isa);
  return sets;
}

class Resize : public testing::TestWithParam<Isa> {
 protected:
  IsaScope scope_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Isa, Resize, testing::ValuesIn(instruction_sets()),
                         [](const auto& info) { return std::string(to_string(info.param)); });

std::string joined(const std::vector<std::string>& row) {
  std::string text;
  for (const auto& field : row) text += field + ' ';
  return text;
}

TEST_P(Resize, EqualsPillow) {
  const auto table = mien::test::read_csv(mien::test::golden_path("images/resize_pillow.csv"));
  ASSERT_FALSE(table.empty());
  for (const auto& row : table) {
    const auto number = [&](std::size_t i) { return std::stoll(row.at(i)); };
    const Image image = mien::test::noise_image(number(0), number(1), static_cast<int>(number(2)),
                                                8, row.at(3) == "extremes");
    PillowResize options;
    if (row.at(4) == "bicubic") options.filter = PillowFilter::bicubic;
    if (row.at(4) == "lanczos") options.filter = PillowFilter::lanczos;
    const Image out = resize_pillow(image, number(5), number(6), options);
    const auto samples = out.samples<std::uint8_t>();
    EXPECT_EQ(crc32(samples.data(), samples.size()), number(7)) << joined(row);
  }
}

template <class T>
std::uint32_t crc_of_opencv(const std::vector<std::string>& row) {
  const auto number = [&](std::size_t i) { return std::stoll(row.at(i)); };
  const ResizeShape shape{number(0), number(1), number(6), number(7), static_cast<int>(number(2))};
  std::vector<T> in(static_cast<std::size_t>(shape.in_width * shape.in_height * shape.channels));
  std::vector<T> out(static_cast<std::size_t>(shape.out_width * shape.out_height * shape.channels));
  mien::test::Noise noise(row.at(3) == "extremes");
  for (T& sample : in) {
    if constexpr (std::is_same_v<T, float>)
      sample = static_cast<float>(noise.next()) / 65536;
    else
      sample = static_cast<T>(noise.next() >> (16 - 8 * sizeof(T)));
  }
  const auto filter = row.at(5) == "linear" ? OpenCvFilter::linear : OpenCvFilter::lanczos4;
  resize_opencv<T>(out, in, shape, filter);
  return crc32(out.data(), out.size() * sizeof(T));
}

TEST_P(Resize, EqualsOpenCv) {
  const auto table = mien::test::read_csv(mien::test::golden_path("images/resize_opencv.csv"));
  ASSERT_FALSE(table.empty());
  for (const auto& row : table) {
    const std::uint32_t crc = row.at(4) == "u8"    ? crc_of_opencv<std::uint8_t>(row)
                              : row.at(4) == "u16" ? crc_of_opencv<std::uint16_t>(row)
                                                   : crc_of_opencv<float>(row);
    EXPECT_EQ(crc, std::stoll(row.at(8))) << joined(row);
  }
}

// Enough rows for several chunks and bands: threads must not change a bit.
TEST_P(Resize, IsTheSameOnOneThread) {
  const Image image = mien::test::noise_image(301, 407, 3, 8);
  const auto both = [&] {
    return std::pair{resize_pillow(image, 224, 251),
                     resize_opencv(image, 224, 251, OpenCvFilter::lanczos4)};
  };
  const int threads = mien::num_threads();
  mien::set_num_threads(4);
  const auto several = both();
  mien::set_num_threads(1);
  const auto one = both();
  mien::set_num_threads(threads);
  EXPECT_EQ(mien::test::largest_difference(several.first, one.first), 0);
  EXPECT_EQ(mien::test::largest_difference(several.second, one.second), 0);
}

TEST(ResizePillow, KeepsMetadataAndTheImageOfTheSameSize) {
  Image image = mien::test::noise_image(9, 7, 4, 8);
  image.icc.resize(3);
  EXPECT_EQ(mien::test::largest_difference(image, resize_pillow(image, 9, 7)), 0);
  EXPECT_EQ(resize_pillow(image, 4, 4).icc.size(), 3u);
  EXPECT_EQ(resize_opencv(image, 4, 4, OpenCvFilter::linear).icc.size(), 3u);
}

// Shrinking a tall image: Pillow 13 takes the other pass first than the versions before.
TEST(ResizePillow, OrderOfPassesIsAnOption) {
  const Image image = mien::test::noise_image(20, 90, 3, 8);
  PillowResize before;
  before.horizontal_first = true;
  const Image a = resize_pillow(image, 30, 7), b = resize_pillow(image, 30, 7, before);
  const int difference = mien::test::largest_difference(a, b);
  EXPECT_GT(difference, 0);
  EXPECT_LE(difference, 2);
}

TEST(ResizePillow, AlphaIsPremultipliedUnlessAskedOtherwise) {
  Image image(2, 1, 2);
  const std::uint8_t samples[] = {200, 255, 100, 0};  // the right pixel has no part in the colour
  std::copy(std::begin(samples), std::end(samples), image.samples<std::uint8_t>().begin());
  EXPECT_EQ(resize_pillow(image, 1, 1).samples<std::uint8_t>()[0], 199);  // 255 * 100 / 128
  PillowResize plain;
  plain.premultiply_alpha = false;
  EXPECT_EQ(resize_pillow(image, 1, 1, plain).samples<std::uint8_t>()[0], 150);
}

TEST(ResizeErrors, SayWhatIsWrong) {
  EXPECT_THROW(resize_pillow(Image(4, 4, 3, 16), 2, 2), Error);
  EXPECT_THROW(resize_pillow(Image(4, 4, 3), 0, 2), Error);
  EXPECT_THROW(resize_opencv(Image(4, 4, 3), 2, 0, OpenCvFilter::linear), Error);
  std::vector<float> in(16), out(4);
  EXPECT_THROW(resize_opencv<float>(out, in, {4, 4, 2, 2, 1}, OpenCvFilter::lanczos4), Error);
  EXPECT_THROW(resize_opencv<float>(out, in, {4, 3, 2, 2, 1}, OpenCvFilter::linear), Error);
  EXPECT_THROW(resize_opencv<float>(out, in, {4, 4, 3, 2, 1}, OpenCvFilter::linear), Error);
}

}  // namespace
