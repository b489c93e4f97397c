#pragma once
// The orientation in an EXIF block, and turning an image by it. EXIF 2.32, section 4.6.4: a TIFF
// header, then directories of 12-byte entries; tag 0x0112 of the first one is the orientation:
//
//   1 upright         2 mirrored            3 turned by 180         4 mirrored, turned by 180
//   5 transposed      6 turn by 90 right    7 anti-transposed       8 turn by 90 left

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <mien/data/image.hpp>

namespace mien::data {

namespace detail {

// Integers of an EXIF block, in its byte order. Reads beyond the end give zero.
class ExifReader {
 public:
  explicit ExifReader(std::span<const std::byte> exif)
      : exif_(exif), big_endian_(!exif.empty() && exif[0] == std::byte{'M'}) {}

  bool valid() const {
    const bool marked =
        exif_.size() >= 8 && exif_[0] == exif_[1] && (big_endian_ || exif_[0] == std::byte{'I'});
    return marked && integer(2, 2) == 42;
  }
  std::uint32_t integer(std::size_t at, int size) const {
    if (at > exif_.size() || exif_.size() - at < static_cast<std::size_t>(size)) return 0;
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const int from = big_endian_ ? i : size - 1 - i;
      value =
          value << 8 | std::to_integer<std::uint32_t>(exif_[at + static_cast<std::size_t>(from)]);
    }
    return value;
  }
  // Where the value of the orientation entry stands; 0 where there is none.
  std::size_t orientation_offset() const {
    if (!valid()) return 0;
    const std::size_t directory = integer(4, 4);
    const std::size_t entries = integer(directory, 2);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t entry = directory + 2 + i * 12;
      constexpr std::uint32_t tag = 0x0112, type_short = 3;
      if (integer(entry, 2) == tag && integer(entry + 2, 2) == type_short) return entry + 8;
    }
    return 0;
  }

 private:
  std::span<const std::byte> exif_;
  bool big_endian_;
};

}  // namespace detail

// 1 to 8; 1 where the block has no orientation or a meaningless one.
inline int exif_orientation(std::span<const std::byte> exif) {
  const detail::ExifReader reader(exif);
  const std::size_t at = reader.orientation_offset();
  const std::uint32_t value = at == 0 ? 1 : reader.integer(at, 2);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

// The image turned upright as its EXIF block says (as PIL.ImageOps.exif_transpose does); its block
// then says that it is upright.
inline Image upright(Image image) {
  const int orientation = exif_orientation(image.exif);
  if (orientation == 1) return image;
  const bool transposed = orientation >= 5;
  // Of the source position that upright pixel (x, y) comes from; before a transposition.
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out(transposed ? image.height() : image.width(),
            transposed ? image.width() : image.height(), image.channels(), image.bits());
  with_sample(image, [&](auto zero) {
    using T = decltype(zero);
    const int channels = image.channels();
    const auto source = image.samples<T>();
    for (std::int64_t y = 0; y < out.height(); ++y) {
      const auto row = out.row<T>(y);
      for (std::int64_t x = 0; x < out.width(); ++x) {
        std::int64_t from_x = transposed ? y : x, from_y = transposed ? x : y;
        if (from_right) from_x = image.width() - 1 - from_x;
        if (from_below) from_y = image.height() - 1 - from_y;
        const auto at = static_cast<std::size_t>((from_y * image.width() + from_x) * channels);
        std::copy_n(source.data() + at, channels, row.data() + x * channels);
      }
    }
  });
  out.copy_metadata(image);
  const std::size_t at = detail::ExifReader(out.exif).orientation_offset();
  const bool big_endian = out.exif[0] == std::byte{'M'};
  out.exif[at] = std::byte{big_endian ? std::uint8_t{0} : std::uint8_t{1}};
  out.exif[at + 1] = std::byte{big_endian ? std::uint8_t{1} : std::uint8_t{0}};
  return out;
}

}  // namespace mien::data
