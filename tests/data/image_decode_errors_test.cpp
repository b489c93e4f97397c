// Files that are no images, and images that were damaged.

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>

#include "data/generated_images.hpp"
#include "support/csv.hpp"
#include "support/data_dir.hpp"
#include "support/thrown.hpp"

namespace {

using mien::Error;
using mien::data::decode_image;
using mien::data::DecodeOptions;
using mien::data::Image;
using mien::io::Bytes;

// What decoding complains of.
std::string complaint(Bytes bytes, const DecodeOptions& options = {}) {
  return mien::test::thrown([&] { decode_image(bytes, options, "photo.png"); });
}
const std::string none = mien::test::thrown([] {});

std::vector<std::vector<std::byte>> small_files() {
  std::vector<std::vector<std::byte>> files;
  for (const auto& row : mien::test::read_csv(mien::test::golden_path("images/decode.csv"))) {
    const mien::io::MappedFile file(mien::test::golden_path("images/files/" + row.at(0)));
    files.emplace_back(file.bytes().begin(), file.bytes().end());
  }
  return files;
}

TEST(DecodeErrors, AreOneLineWithFileAndReason) {
  EXPECT_EQ(complaint(Bytes{}), "[photo.png] the file is empty");
  EXPECT_EQ(complaint(mien::io::as_bytes("once upon a time")),
            "[photo.png] not a JPEG, PNG or BMP file");
  EXPECT_EQ(complaint(mien::io::as_bytes("BM")), "[photo.png] the file is truncated");
}

TEST(DecodeErrors, NameFilesThatCannotBeRead) {
  EXPECT_EQ(mien::test::thrown([] { mien::data::read_image("/nowhere/photo.png"); }),
            "[/nowhere/photo.png] cannot be opened: No such file or directory");
  EXPECT_THROW(mien::data::read_image("/tmp"), Error);
}

TEST(DecodeErrors, SizesBeyondTheLimits) {
  const auto png = mien::data::encode_png(mien::test::smooth_image(30, 20, 3, 8));
  const auto jpeg = mien::data::encode_jpeg(mien::test::smooth_image(30, 20, 3, 8));
  for (const auto& file : {png, jpeg}) {
    DecodeOptions few_pixels, short_sides;
    few_pixels.limits.max_pixels = 599;
    short_sides.limits.max_dimension = 29;
    EXPECT_EQ(complaint(file, few_pixels),
              "[photo.png] 30 x 20 pixels are more than the limit (599 pixels, 1048576 a side)");
    EXPECT_NE(complaint(file, short_sides), none);
    few_pixels.limits.max_pixels = 600;
    EXPECT_EQ(complaint(file, few_pixels), none);
  }
}

// A short file that claims a large picture must fail before memory is taken for it.
TEST(DecodeErrors, LargeSizesInShortFiles) {
  auto png = mien::data::encode_png(mien::test::smooth_image(30, 20, 3, 8));
  for (const std::size_t at : {17u, 21u}) png[at] = std::byte{0x3f};  // the third byte of each side
  EXPECT_NE(complaint(png), none);
  auto jpeg = mien::data::encode_jpeg(mien::test::smooth_image(30, 20, 3, 8));
  for (std::size_t i = 0; i + 8 < jpeg.size(); ++i)
    if (jpeg[i] == std::byte{0xff} && jpeg[i + 1] == std::byte{0xc0})
      jpeg[i + 5] = jpeg[i + 7] = std::byte{0x3f};
  EXPECT_EQ(complaint(jpeg), "[photo.png] the file is truncated");
}

// Every file cut at every length is an error. The last byte may be padding in a BMP.
TEST(DecodeErrors, TruncatedAnywhere) {
  for (const auto& file : small_files()) {
    const bool bmp = file[0] == std::byte{'B'};
    for (std::size_t size = 0; size + (bmp ? 4 : 1) <= file.size(); size += 1 + size / 64)
      EXPECT_NE(complaint(Bytes(file).first(size)), none) << size << " of " << file.size();
  }
}

// Huffman tables of a progressive JPEG that promise more codes than there are, or are not there.
TEST(DecodeErrors, BrokenHuffmanTables) {
  const mien::io::MappedFile file(mien::test::golden_path("images/files/progressive.jpg"));
  const std::vector<std::byte> good(file.bytes().begin(), file.bytes().end());
  std::vector<std::byte> without = good;
  int tables = 0;
  for (std::size_t i = 0; i + 21 < good.size(); ++i) {
    if (good[i] != std::byte{0xff} || good[i + 1] != std::byte{0xc4}) continue;
    ++tables;
    std::vector<std::byte> long_table = good, short_segment = good;
    for (std::size_t k = 0; k < 16; ++k) long_table[i + 5 + k] = std::byte{0xff};
    EXPECT_NE(complaint(long_table), none);
    short_segment[i + 2] = std::byte{0};
    short_segment[i + 3] = std::byte{4};
    EXPECT_NE(complaint(short_segment), none);
    without[i + 1] = std::byte{0xfe};  // a comment
  }
  EXPECT_GT(tables, 1);
  complaint(without);  // an error, or decoded by tables of the library's own
}

// Every byte of every file in turn, with bits flipped: decodes or throws, nothing else.
TEST(DecodeErrors, FlippedBitsDecodeOrThrow) {
  DecodeOptions options;
  options.limits.max_pixels = 1 << 16;
  int decoded = 0, refused = 0;
  for (const auto& original : small_files()) {
    std::vector<std::byte> file = original;
    for (std::size_t at = 0; at < file.size(); at += 1 + at / 40) {
      for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
        file[at] = original[at] ^ static_cast<std::byte>(flip);
        ++(complaint(file, options) == none ? decoded : refused);
      }
      file[at] = original[at];
    }
  }
  EXPECT_GT(decoded, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
