// BMP: 1, 4 and 8 bits with a palette (plain or run-length coded), 16, 24 and 32 bits (plain or
// with bit masks). Layout: file header (14 bytes), bitmap header (12 bytes in OS/2 1.x, else 40 and
// more), masks, palette, rows from the bottom up, padded to 4 bytes, blue first.
// Pixels as Pillow decodes them: without masks the fourth byte of 32 bits is no alpha.

#include <bit>

#include <mien/io/byte_reader.hpp>

#include "codec.hpp"

namespace mien::data::codec {
namespace {

enum Compression : std::uint32_t { plain = 0, rle8 = 1, rle4 = 2, bit_fields = 3 };

struct Header {
  std::int64_t width = 0, height = 0;
  bool top_down = false;
  int bits = 0;
  std::uint32_t compression = plain;
  std::uint32_t masks[4] = {};  // red, green, blue, alpha
  std::uint32_t colors = 0;     // in the palette
  int palette_entry = 4;        // bytes
  std::uint32_t pixels_at = 0;
};

// Sign and bounds of width and height are checked by the caller.
Header read_header(io::ByteReader& file) {
  Header h;
  file.seek(10);
  h.pixels_at = file.u32();
  const std::uint32_t size = file.u32();
  require(size == 12 || size == 40 || size == 52 || size == 56 || size == 64 || size == 108 ||
              size == 124,
          "a BMP header of ", size, " bytes");
  const std::size_t end = 14 + std::size_t{size};
  if (size == 12) {
    h.width = file.u16();
    h.height = file.u16();
    file.u16();  // planes
    h.bits = file.u16();
    h.palette_entry = 3;
  } else {
    h.width = static_cast<std::int32_t>(file.u32());
    h.height = static_cast<std::int32_t>(file.u32());
    h.top_down = h.height < 0;
    if (h.top_down) h.height = -h.height;
    file.u16();
    h.bits = file.u16();
    h.compression = file.u32();
    file.seek(46);
    h.colors = file.u32();
    file.u32();
    const int masks = h.compression != bit_fields ? 0 : size >= 56 ? 4 : 3;
    for (int i = 0; i < masks; ++i) h.masks[i] = file.u32();
  }
  if (file.position() < end) file.seek(end);
  if (h.bits <= 8 && h.colors == 0) h.colors = 1u << h.bits;
  // Some writers leave the palette out of the offset.
  if (h.pixels_at == end && h.bits <= 8)
    h.pixels_at += h.colors * static_cast<std::uint32_t>(h.palette_entry);
  return h;
}

struct Palette {
  std::vector<std::uint8_t> rgb;  // (colors, 3)
  bool grey = true;               // entry i is the grey i (or, of two entries, black and white)
};

Palette read_palette(io::ByteReader& file, const Header& h) {
  require(h.colors <= 65536, "a BMP palette of ", h.colors, " colours");
  Palette palette;
  for (std::uint32_t i = 0; i < h.colors; ++i) {
    std::uint8_t bgr[3];
    for (auto& value : bgr) value = file.u8();
    if (h.palette_entry == 4) file.u8();
    const std::uint32_t grey = h.colors == 2 ? i * 255 : i;
    for (int c = 2; c >= 0; --c) {
      palette.rgb.push_back(bgr[c]);
      palette.grey = palette.grey && bgr[c] == grey;
    }
  }
  return palette;
}

// Palette indices (height, width), bottom row first, from the rows of a plain file.
std::vector<std::uint8_t> plain_indices(io::ByteReader& file, const Header& h) {
  std::vector<std::uint8_t> indices;
  indices.reserve(static_cast<std::size_t>(h.width * h.height));
  const auto row_bytes = static_cast<std::uint64_t>((h.width * h.bits + 31) / 32 * 4);
  for (std::int64_t y = 0; y < h.height; ++y) {
    const io::Bytes row = file.take(row_bytes);
    for (std::int64_t x = 0; x < h.width; ++x) {
      const auto bit = static_cast<std::size_t>(x * h.bits);
      const int byte = std::to_integer<int>(row[bit / 8]);
      const int shift = 8 - h.bits - static_cast<int>(bit % 8);
      indices.push_back(static_cast<std::uint8_t>(byte >> shift & ((1 << h.bits) - 1)));
    }
  }
  return indices;
}

// The same from run-length coded data. Pairs (n, value): n pixels of value (of its two halves, in
// turn, with 4 bits). (0, 0) ends a row, (0, 1) the picture, (0, 2, right, up) skips,
// (0, n) is followed by n single values, padded to 2 bytes. Pixels that are skipped have index 0.
std::vector<std::uint8_t> run_length_indices(io::ByteReader& file, const Header& h) {
  std::vector<std::uint8_t> indices(static_cast<std::size_t>(h.width * h.height));
  const bool nibbles = h.compression == rle4;
  std::int64_t x = 0, y = 0;
  const auto put = [&](int value) {
    if (x < h.width && y < h.height)
      indices[static_cast<std::size_t>(y * h.width + x)] = static_cast<std::uint8_t>(value);
    ++x;
  };
  while (y < h.height) {
    const int count = file.u8(), value = file.u8();
    if (count > 0) {
      for (int i = 0; i < count; ++i) put(!nibbles ? value : i % 2 == 0 ? value >> 4 : value & 15);
    } else if (value == 0) {
      x = 0;
      ++y;
    } else if (value == 1) {
      break;
    } else if (value == 2) {
      x += file.u8();
      y += file.u8();
    } else {
      const int bytes = nibbles ? (value + 1) / 2 : value;
      const io::Bytes values = file.take(static_cast<std::uint64_t>(bytes + bytes % 2));
      for (int i = 0; i < value; ++i) {
        const int byte =
            std::to_integer<int>(values[static_cast<std::size_t>(nibbles ? i / 2 : i)]);
        put(!nibbles ? byte : i % 2 == 0 ? byte >> 4 : byte & 15);
      }
    }
    // The last row of the picture may end without a mark.
    if (y == h.height - 1 && x >= h.width) break;
  }
  return indices;
}

Image from_palette(const Header& h, const Palette& palette,
                   const std::vector<std::uint8_t>& indices) {
  Image image(h.width, h.height, palette.grey ? 1 : 3);
  for (std::int64_t y = 0; y < h.height; ++y) {
    const std::int64_t stored = h.top_down ? y : h.height - 1 - y;
    const std::uint8_t* index = indices.data() + stored * h.width;
    std::uint8_t* out = image.row<std::uint8_t>(y).data();
    for (std::int64_t x = 0; x < h.width; ++x) {
      require(index[x] < h.colors, "a pixel of colour ", index[x], ", the palette has ", h.colors);
      for (int c = 0; c < image.channels(); ++c)
        *out++ = palette.rgb[index[x] * 3u + static_cast<unsigned>(c)];
    }
  }
  return image;
}

// A channel of a pixel: the bits under a mask, scaled to 8.
class Channel {
 public:
  explicit Channel(std::uint32_t mask)
      : mask_(mask), shift_(mask == 0 ? 0 : std::countr_zero(mask)), largest_(mask >> shift_) {
    require((largest_ & (largest_ + 1)) == 0 && largest_ <= 0xffff, "a BMP mask of ", mask);
  }
  std::uint8_t of(std::uint32_t pixel) const {
    if (largest_ == 0) return 0;
    return static_cast<std::uint8_t>(((pixel & mask_) >> shift_) * 255u / largest_);
  }

 private:
  std::uint32_t mask_;
  int shift_;
  std::uint32_t largest_;
};

Image from_masks(io::ByteReader& file, const Header& h) {
  const Channel channel[4] = {Channel(h.masks[0]), Channel(h.masks[1]), Channel(h.masks[2]),
                              Channel(h.masks[3])};
  Image image(h.width, h.height, h.masks[3] == 0 ? 3 : 4);
  const int bytes = h.bits / 8;
  const auto row_bytes = static_cast<std::uint64_t>((h.width * h.bits + 31) / 32 * 4);
  for (std::int64_t y = 0; y < h.height; ++y) {
    const io::Bytes row = file.take(row_bytes);
    std::uint8_t* out = image.row<std::uint8_t>(h.top_down ? y : h.height - 1 - y).data();
    const std::byte* in = row.data();
    for (std::int64_t x = 0; x < h.width; ++x, in += bytes) {
      std::uint32_t pixel = 0;
      for (int i = 0; i < bytes; ++i) pixel |= std::to_integer<std::uint32_t>(in[i]) << (8 * i);
      for (int c = 0; c < image.channels(); ++c) *out++ = channel[c].of(pixel);
    }
  }
  return image;
}

// The masks of files that come without: blue first, 5 bits a channel with 16 bits. A 32-bit file
// whose masks are all zero has alpha in its fourth byte.
void set_default_masks(Header& h) {
  const std::uint32_t five[4] = {0x7c00, 0x3e0, 0x1f, 0}, eight[4] = {0xff0000, 0xff00, 0xff, 0};
  const bool given = (h.masks[0] | h.masks[1] | h.masks[2] | h.masks[3]) != 0;
  if (given) return;
  for (int c = 0; c < 4; ++c) h.masks[c] = h.bits == 16 ? five[c] : eight[c];
  if (h.bits == 32 && h.compression == bit_fields) h.masks[3] = 0xff000000;
}

Image decode(io::ByteReader& file, const ImageLimits& limits) {
  Header h = read_header(file);
  const bool indexed = h.bits == 1 || h.bits == 4 || h.bits == 8;
  const bool run_length = h.compression == rle8 || h.compression == rle4;
  require(indexed || h.bits == 16 || h.bits == 24 || h.bits == 32, "a BMP of ", h.bits,
          " bits a pixel");
  require(h.compression == plain || (run_length && h.bits == (h.compression == rle8 ? 8 : 4)) ||
              (h.compression == bit_fields && !indexed),
          "a BMP of ", h.bits, " bits with compression ", h.compression);
  check_size(h.width, h.height, limits);
  const Palette palette = indexed ? read_palette(file, h) : Palette{};
  file.seek(h.pixels_at);
  // Four bytes skip at most 255 x 255 pixels.
  const std::int64_t bytes =
      run_length ? h.width * h.height / (255 * 255) : (h.width * h.bits + 31) / 32 * 4 * h.height;
  require(bytes <= static_cast<std::int64_t>(file.remaining()), truncated);
  if (!indexed) {
    set_default_masks(h);
    return from_masks(file, h);
  }
  return from_palette(h, palette,
                      run_length ? run_length_indices(file, h) : plain_indices(file, h));
}

}  // namespace

Image decode_bmp(io::Bytes bytes, const ImageLimits& limits) {
  io::ByteReader file(bytes, "bmp");
  try {
    return decode(file, limits);
  } catch (const Error&) {  // the reader's: a read or an offset beyond the end
    throw BadImage(truncated);
  }
}

}  // namespace mien::data::codec
