// Encoding: what was written reads back the same (PNG) or nearly so (JPEG), with its metadata.

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>

#include "data/generated_images.hpp"
#include "support/data_dir.hpp"
#include "support/images.hpp"
#include "support/pam.hpp"
#include "support/temporary_folder.hpp"

namespace {

using mien::Error;
using mien::data::decode_image;
using mien::data::encode_jpeg;
using mien::data::encode_png;
using mien::data::EncodeOptions;
using mien::data::Image;
using mien::test::largest_difference;

std::vector<std::byte> bytes_of_length(std::size_t size) {
  std::vector<std::byte> bytes(size);
  mien::test::Noise noise;
  for (auto& byte : bytes) byte = static_cast<std::byte>(noise.next() >> 8);
  return bytes;
}

// A profile whose header libpng accepts (ICC.1:2010, section 7.2), and noise after it.
std::vector<std::byte> profile_of_length(std::size_t size) {
  std::vector<std::byte> profile = bytes_of_length(size);
  std::fill_n(profile.begin(), 132, std::byte{0});
  const auto put = [&](std::size_t at, std::string_view text) {
    for (const char c : text) profile[at++] = static_cast<std::byte>(c);
  };
  for (std::size_t i = 0; i < 4; ++i) profile[i] = static_cast<std::byte>(size >> (8 * (3 - i)));
  put(8, "\4");  // version
  put(12, "mntrRGB XYZ ");
  put(36, "acsp");
  put(68, {"\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d", 12});  // the D50 white point
  return profile;
}

constexpr std::string_view exif_turned_right("II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0",
                                             26);

TEST(EncodePng, ReadsBackEqual) {
  for (const int bits : {8, 16})
    for (const int channels : {1, 2, 3, 4})
      for (const auto& [width, height] : {std::pair{37, 23}, {1, 1}, {1, 40}, {40, 1}})
        for (const int compression : {0, 1, 6, 9}) {
          EncodeOptions options;
          options.png_compression = compression;
          const Image image = mien::test::noise_image(width, height, channels, bits);
          EXPECT_EQ(largest_difference(image, decode_image(encode_png(image, options))), 0)
              << width << " x " << height << " x " << channels << ", " << bits << " bits";
        }
}

TEST(EncodeJpeg, ReadsBackNearlyEqual) {
  const bool by_stb = mien::data::jpeg_library() == "stb_image";
  for (const int channels : {1, 3})
    for (const bool subsample : {true, false}) {
      EncodeOptions options;
      options.subsample_chroma = subsample;
      const Image image = mien::test::smooth_image(31, 19, channels, 8);
      const Image back = decode_image(encode_jpeg(image, options));
      if (by_stb && channels == 1) {
        EXPECT_EQ(back.channels(), 3);  // stb writes grey as colour
        continue;
      }
      EXPECT_LE(largest_difference(image, back), 12)
          << channels << " channels, subsampled: " << subsample;
    }
}

TEST(EncodeJpeg, EqualsOpenCvByDefault) {
  if (mien::data::jpeg_library() == "stb_image") GTEST_SKIP() << "stb rounds otherwise";
  using mien::test::golden_path;
  const Image source = mien::test::read_pam(golden_path("images/expected/opencv_source.pam"));
  const Image expected = mien::data::read_image(golden_path("images/files/opencv.jpg"));
  EXPECT_EQ(largest_difference(decode_image(encode_jpeg(source)), expected), 0);
}

TEST(EncodeJpeg, QualityAndSubsamplingSetTheSize) {
  const Image image = mien::test::noise_image(64, 64, 3, 8);
  const auto size = [&](int quality, bool subsample) {
    EncodeOptions options;
    options.jpeg_quality = quality;
    options.subsample_chroma = subsample;
    return encode_jpeg(image, options).size();
  };
  EXPECT_LT(size(30, true), size(80, true));
  EXPECT_LT(size(80, true), size(100, true));
  if (mien::data::jpeg_library() == "stb_image") return;  // it subsamples up to quality 90 only
  EXPECT_LT(size(90, true), size(90, false));
}

TEST(Encode, KeepsMetadata) {
  Image image = mien::test::smooth_image(16, 16, 3, 8);
  for (const char c : exif_turned_right) image.exif.push_back(static_cast<std::byte>(c));
  for (const std::size_t size : {std::size_t{200}, std::size_t{150000}}) {  // one and three pieces
    image.icc = profile_of_length(size);
    for (const auto& file : {encode_png(image), encode_jpeg(image)}) {
      const Image back = decode_image(file);
      EXPECT_EQ(back.icc, image.icc);
      EXPECT_EQ(back.exif, image.exif);
    }
  }
}

TEST(Encode, RefusesWhatTheFormatCannotHold) {
  EXPECT_THROW(encode_jpeg(Image(4, 4, 4)), Error);
  EXPECT_THROW(encode_jpeg(Image(4, 4, 2)), Error);
  EXPECT_THROW(encode_jpeg(Image(4, 4, 3, 16)), Error);
  EXPECT_THROW(encode_jpeg(Image(65501, 1, 1)), Error);
  EncodeOptions options;
  options.jpeg_quality = 0;
  EXPECT_THROW(encode_jpeg(Image(4, 4, 3), options), Error);
  options.png_compression = 10;
  EXPECT_THROW(encode_png(Image(4, 4, 3), options), Error);
  EXPECT_THROW(encode_png(Image()), Error);
  Image image(4, 4, 3);
  image.exif = bytes_of_length(65530);
  EXPECT_THROW(encode_jpeg(image), Error);
}

std::ptrdiff_t files_in(const mien::test::TemporaryFolder& folder) {
  const std::filesystem::directory_iterator files(folder.path());
  return std::distance(begin(files), end(files));
}

TEST(WriteImage, ByEnding) {
  const mien::test::TemporaryFolder folder;
  const Image image = mien::test::smooth_image(20, 10, 3, 8);
  for (const char* name : {"a.png", "a.jpg", "a.JPEG"}) {
    mien::data::write_image(folder / name, image);
    const Image back = mien::data::read_image(folder / name);
    EXPECT_LE(largest_difference(image, back), name == std::string("a.png") ? 0 : 12) << name;
  }
  EXPECT_EQ(files_in(folder), 3);
}

TEST(WriteImage, LeavesNothingBehindWhenItFails) {
  const mien::test::TemporaryFolder folder;
  EXPECT_THROW(mien::data::write_image(folder / "a.webp", Image(4, 4, 3)), Error);
  EXPECT_THROW(mien::data::write_image(folder / "png", Image(4, 4, 3)), Error);
  EXPECT_THROW(mien::data::write_image(folder / "a.jpg", Image(4, 4, 4)), Error);
  EXPECT_THROW(mien::data::write_image(folder / "missing/a.png", Image(4, 4, 3)), Error);
  EXPECT_EQ(files_in(folder), 0);
}

}  // namespace
