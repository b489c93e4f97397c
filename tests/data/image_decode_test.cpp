// Decoding against the pixels that Pillow and OpenCV decode: tests/golden/images.

#include <cctype>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/image_decode.hpp>

#include "support/csv.hpp"
#include "support/data_dir.hpp"
#include "support/images.hpp"
#include "support/pam.hpp"

namespace {

using mien::Error;
using mien::data::DecodeOptions;
using mien::data::Image;
using mien::data::read_image;
using mien::test::golden_path;

struct Golden {
  std::string file, expected;
  bool upright;
};

std::vector<Golden> goldens() {
  std::vector<Golden> all;
  for (const auto& row : mien::test::read_csv(golden_path("images/decode.csv")))
    all.push_back({row.at(0), row.at(1), row.at(2) == "upright"});
  return all;
}

std::string name_of(const testing::TestParamInfo<Golden>& info) {
  std::string name = info.param.expected.substr(0, info.param.expected.rfind('.'));
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

class Decode : public testing::TestWithParam<Golden> {};

TEST_P(Decode, EqualsPillowAndOpenCv) {
  const Golden& golden = GetParam();
  const bool by_stb = ends_with(golden.file, ".jpg") && mien::data::jpeg_library() == "stb_image";
  if (by_stb && golden.file == "cmyk_unmarked.jpg") {
    EXPECT_THROW(read_image(golden_path("images/files/" + golden.file)), Error);
    return;
  }
  DecodeOptions options;
  options.apply_orientation = golden.upright;
  const Image image = read_image(golden_path("images/files/" + golden.file), options);
  const Image expected = mien::test::read_pam(golden_path("images/expected/" + golden.expected));
  // stb rounds its inverse transform and chroma interpolation otherwise than libjpeg-turbo, and
  // interpolates wrongly at the right edge with 4:2:2 and in images of one column.
  const bool edge = golden.file == "422.jpg" || golden.file == "1x16.jpg";
  const int tolerance = !by_stb ? 0 : edge ? 128 : 3;
  EXPECT_LE(mien::test::largest_difference(image, expected), tolerance)
      << image.width() << " x " << image.height() << " x " << image.channels() << ", "
      << image.bits() << " bits";
}

INSTANTIATE_TEST_SUITE_P(Golden, Decode, testing::ValuesIn(goldens()), name_of);

TEST(DecodeMetadata, IccProfileAndExifBlock) {
  const mien::io::MappedFile profile(golden_path("images/expected/metadata.icc"));
  for (const char* file : {"metadata.png", "metadata.jpg"}) {
    const Image image = read_image(golden_path(std::string("images/files/") + file));
    ASSERT_EQ(image.icc.size(), profile.bytes().size()) << file;
    EXPECT_EQ(std::memcmp(image.icc.data(), profile.bytes().data(), image.icc.size()), 0) << file;
    ASSERT_GE(image.exif.size(), 8u) << file;
    EXPECT_EQ(image.exif[2] == std::byte{42}, image.exif[0] == std::byte{'I'}) << file;
  }
}

TEST(DecodeRealFiles, HaveTheirSizes) {
  const auto dir = mien::test::data_dir();
  if (!dir) GTEST_SKIP() << "MIEN_DATA is not set";
  const Image deep = read_image(*dir + "/images/tree_alpha_16bit_64.png");
  EXPECT_EQ(deep.bits(), 16);
  EXPECT_EQ(deep.channels(), 4);
  EXPECT_EQ(read_image(*dir + "/images/00017_gray.png").channels(), 1);
  EXPECT_EQ(read_image(*dir + "/images/0014.jpg").channels(), 3);
}

}  // namespace
