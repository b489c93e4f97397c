// The image type, its conversions to other channels, depths and tensors, and EXIF orientation.

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/exif.hpp>
#include <mien/data/image_convert.hpp>
#include <mien/data/image_tensor.hpp>

#include "data/generated_images.hpp"
#include "support/images.hpp"

namespace {

using mien::Error;
using mien::Shape;
using mien::Tensor;
using mien::data::Image;
using mien::data::Normalization;
using mien::test::largest_difference;

template <class T>
Image image_of(std::int64_t width, std::int64_t height, int channels,
               const std::vector<int>& samples) {
  Image image(width, height, channels, 8 * sizeof(T));
  std::transform(samples.begin(), samples.end(), image.samples<T>().begin(),
                 [](int sample) { return static_cast<T>(sample); });
  return image;
}

template <class T>
std::vector<int> samples_of(const Image& image) {
  const auto samples = image.samples<T>();
  return {samples.begin(), samples.end()};
}

TEST(Image, IsAValue) {
  Image a = mien::test::noise_image(5, 4, 3, 8);
  Image b = a;
  b.samples<std::uint8_t>()[0] ^= 1;
  EXPECT_EQ(largest_difference(a, b), 1);
  const Image c = std::move(b);
  EXPECT_TRUE(b.empty());  // NOLINT: what moving leaves is part of the type's contract
  EXPECT_EQ(c.row<std::uint8_t>(3).size(), 15u);
  EXPECT_EQ(c.row<std::uint8_t>(1).data(), c.samples<std::uint8_t>().data() + 15);
}

TEST(Image, RefusesImpossibleOnes) {
  EXPECT_THROW(Image(0, 4, 3), Error);
  EXPECT_THROW(Image(4, -1, 3), Error);
  EXPECT_THROW(Image(4, 4, 5), Error);
  EXPECT_THROW(Image(4, 4, 3, 12), Error);
  EXPECT_THROW(Image(0x7fffffff, 0x7fffffff, 4, 16), Error);
  const Image image(4, 4, 3, 16);
  EXPECT_THROW(image.samples<std::uint8_t>(), Error);
  EXPECT_THROW(image.row<std::uint16_t>(4), Error);
}

TEST(ImageConvert, ToRgb) {
  EXPECT_EQ(samples_of<std::uint8_t>(to_rgb(image_of<std::uint8_t>(2, 1, 1, {7, 9}))),
            (std::vector<int>{7, 7, 7, 9, 9, 9}));
  EXPECT_EQ(samples_of<std::uint8_t>(to_rgb(image_of<std::uint8_t>(2, 1, 2, {7, 0, 9, 1}))),
            (std::vector<int>{7, 7, 7, 9, 9, 9}));
  EXPECT_EQ(samples_of<std::uint16_t>(to_rgb(image_of<std::uint16_t>(1, 1, 4, {1, 2, 3, 0}))),
            (std::vector<int>{1, 2, 3}));
}

// 19595 r + 38470 g + 7471 b, rounded: values of Pillow's convert("L").
TEST(ImageConvert, ToGrey) {
  const Image image =
      image_of<std::uint8_t>(4, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 90});
  EXPECT_EQ(samples_of<std::uint8_t>(to_grey(image)), (std::vector<int>{76, 150, 29, 131}));
  EXPECT_EQ(
      samples_of<std::uint16_t>(to_grey(image_of<std::uint16_t>(1, 1, 3, {65535, 65535, 65535}))),
      (std::vector<int>{65535}));
  EXPECT_EQ(samples_of<std::uint8_t>(to_grey(image_of<std::uint8_t>(1, 1, 2, {77, 3}))),
            (std::vector<int>{77}));
}

TEST(ImageConvert, To8BitsTakesTheHighByte) {
  EXPECT_EQ(
      samples_of<std::uint8_t>(to_8_bits(image_of<std::uint16_t>(3, 1, 1, {255, 256, 65535}))),
      (std::vector<int>{0, 1, 255}));
}

TEST(ImageTensor, NormalisesPerChannel) {
  const Normalization by{{0.5f, 0.25f, 0}, {0.5f, 0.5f, 2}};
  const Image image = image_of<std::uint8_t>(1, 2, 3, {255, 0, 51, 0, 255, 102});
  const Tensor<float> x = mien::data::to_tensor(image, by);
  ASSERT_EQ(x.shape(), (Shape{1, 2, 1, 3}));
  EXPECT_EQ(x(0, 0, 0, 0), 1.0f);
  EXPECT_EQ(x(0, 0, 0, 1), -0.5f);
  EXPECT_EQ(x(0, 0, 0, 2), 51.0f / 255.0f / 2.0f);
  EXPECT_EQ(x(0, 1, 0, 1), 1.5f);
}

TEST(ImageTensor, BatchesImagesOfOneSize) {
  const std::vector<Image> images = {mien::test::noise_image(4, 3, 3, 16),
                                     mien::test::smooth_image(4, 3, 3, 16)};
  const Tensor<float> x = mien::data::to_tensor<float>(std::span<const Image>(images));
  ASSERT_EQ(x.shape(), (Shape{2, 3, 4, 3}));
  EXPECT_EQ(x(1, 2, 3, 1), static_cast<float>(images[1].row<std::uint16_t>(2)[10]) / 65535.0f);
  const std::vector<Image> mixed = {Image(4, 3, 3), Image(3, 4, 3)};
  EXPECT_THROW(mien::data::to_tensor<float>(std::span<const Image>(mixed)), Error);
  EXPECT_THROW(mien::data::to_tensor<float>(std::span<const Image>()), Error);
}

TEST(ImageTensor, ReturnsEveryImage) {
  for (const int bits : {8, 16})
    for (const int channels : {1, 2, 3, 4}) {
      const Image image = mien::test::noise_image(13, 7, channels, bits);
      EXPECT_EQ(largest_difference(image, mien::data::to_image(mien::data::to_tensor(image), bits)),
                0);
    }
}

TEST(ImageTensor, ClampsAndRoundsToEven) {
  const float nan = std::nanf("");
  const auto x = Tensor<float>::from(Shape{1, 1, 6, 1},
                                     {-1.0f, 2.0f, 0.5f / 255, 1.5f / 255, 2.5f / 255, nan});
  EXPECT_EQ(samples_of<std::uint8_t>(mien::data::to_image(x)),
            (std::vector<int>{0, 255, 0, 2, 2, 0}));
  EXPECT_THROW(mien::data::to_image(Tensor<float>(Shape{2, 4, 4, 3})), Error);
}

// Blocks that end early, point outside or loop must be harmless.
TEST(Exif, HostileBlocksAreUpright) {
  Image image(3, 2, 1);
  EXPECT_EQ(mien::data::exif_orientation(image.exif), 1);
  const std::string good("II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", 22);
  const auto block = [](const std::string& text) {
    std::vector<std::byte> bytes;
    for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
    return bytes;
  };
  EXPECT_EQ(mien::data::exif_orientation(block(good)), 6);
  for (std::size_t size = 0; size < 20; ++size)
    EXPECT_EQ(mien::data::exif_orientation(block(good.substr(0, size))), 1) << size;
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const int value : {0, 9, 127, 255}) {
      std::string bad = good;
      bad[at] = static_cast<char>(value);
      image.exif = block(bad);
      const int orientation = mien::data::exif_orientation(image.exif);
      EXPECT_GE(orientation, 1);
      EXPECT_LE(orientation, 8);
      EXPECT_EQ(upright(image).exif.size(), image.exif.size());
    }
}

TEST(Exif, UprightImagesSaySo) {
  Image image = mien::test::noise_image(5, 3, 3, 16);
  for (const char* text : {"II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0",
                           "MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"}) {
    image.exif.clear();
    for (int i = 0; i < 22; ++i) image.exif.push_back(static_cast<std::byte>(text[i]));
    ASSERT_EQ(mien::data::exif_orientation(image.exif), 6);
    const Image turned = upright(image);
    EXPECT_EQ(turned.width(), 3);
    EXPECT_EQ(turned.height(), 5);
    EXPECT_EQ(mien::data::exif_orientation(turned.exif), 1);
  }
}

}  // namespace
