// PNG by stb: its decoder and its zlib; chunks, their checksums and metadata are read and written
// here. Chunk: length (4 bytes, big-endian), type (4), data, CRC-32 of type and data (4).
#if !MIEN_WITH_PNG

#include <array>
#include <cstdlib>
#include <string_view>

#include <mien/io/byte_reader.hpp>

#include "codec.hpp"
#include "stb.hpp"

namespace mien::data {

std::string png_library() { return "stb_image"; }

namespace codec {
namespace {

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";
constexpr std::size_t largest_profile = 1 << 24;

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}();

std::uint32_t crc(io::Bytes bytes) {
  std::uint32_t c = 0xffffffffu;
  for (const std::byte byte : bytes)
    c = crc_table[(c ^ std::to_integer<std::uint32_t>(byte)) & 0xff] ^ (c >> 8);
  return ~c;
}

std::uint32_t big_endian(io::Bytes bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[static_cast<std::size_t>(i)]);
  return value;
}
void append_big_endian(std::vector<std::byte>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

struct Chunk {
  std::string_view type;
  io::Bytes data;
};

// Chunks in order, their checksums verified.
class Chunks {
 public:
  explicit Chunks(io::Bytes file) : rest_(file.subspan(signature.size())) {}

  Chunk next() {
    const std::uint32_t size = big_endian(take(4));
    require(size < rest_.size(), truncated);
    const io::Bytes whole = take(std::size_t{size} + 4);
    const std::string_view type = io::as_text(whole.first(4));
    require(big_endian(take(4)) == crc(whole), "PNG: a wrong checksum in its ", printable(type));
    return {type, whole.subspan(4)};
  }

 private:
  io::Bytes take(std::size_t size) {
    require(size <= rest_.size(), truncated);
    const io::Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  static std::string printable(std::string_view type) {
    for (const char c : type)
      if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z')) return "chunk";
    return str(type, " chunk");
  }
  io::Bytes rest_;
};

// An iCCP chunk: name, 0, compression method 0, zlib stream. A broken one is left out.
std::vector<std::byte> read_profile(io::Bytes data) {
  const auto name_end = io::as_text(data).find('\0');
  if (name_end == std::string_view::npos || name_end + 2 > data.size()) return {};
  return stb_inflate(data.subspan(name_end + 2), largest_profile);
}

// The byte that PNG's Paeth filter predicts from its left, upper and upper left neighbours.
int paeth(int left, int up, int corner) {
  const int p = left + up - corner;
  const int a = std::abs(p - left), b = std::abs(p - up), c = std::abs(p - corner);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

// The rows as PNG stores them: big-endian samples, each row after a byte for its filter (4: Paeth).
std::vector<std::byte> filtered(const Image& image) {
  const int bytes = image.bits() / 8;
  const auto row_bytes = static_cast<std::size_t>(image.samples_per_row() * bytes);
  const auto pixel = static_cast<std::size_t>(image.channels() * bytes);
  std::vector<std::byte> out;
  out.reserve((row_bytes + 1) * static_cast<std::size_t>(image.height()));
  std::vector<std::uint8_t> above(row_bytes), row(row_bytes);
  for (std::int64_t y = 0; y < image.height(); ++y, above.swap(row)) {
    with_sample(image, [&](auto zero) {
      auto* p = row.data();
      for (const auto sample : image.row<decltype(zero)>(y))
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
          *p++ = static_cast<std::uint8_t>(sample >> shift);
    });
    out.push_back(std::byte{4});
    for (std::size_t i = 0; i < row_bytes; ++i) {
      const int left = i < pixel ? 0 : row[i - pixel], corner = i < pixel ? 0 : above[i - pixel];
      out.push_back(static_cast<std::byte>(row[i] - paeth(left, above[i], corner)));
    }
  }
  return out;
}

void append_chunk(std::vector<std::byte>& out, std::string_view type, io::Bytes data) {
  append_big_endian(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  const io::Bytes tag = io::as_bytes(type);
  out.insert(out.end(), tag.begin(), tag.end());
  out.insert(out.end(), data.begin(), data.end());
  append_big_endian(out, crc(io::Bytes(out).subspan(start)));
}

}  // namespace

Image decode_png(io::Bytes file, const ImageLimits& limits) {
  Chunks chunks(file);
  const Chunk header = chunks.next();
  require(header.type == "IHDR" && header.data.size() == 13,
          "PNG: it does not begin with its header");
  const std::int64_t width = big_endian(header.data), height = big_endian(header.data.subspan(4));
  check_size(width, height, limits);
  // A pixel has at least one bit, and zlib packs at most 1032 to one.
  require(width * height / 8 / 1032 <= static_cast<std::int64_t>(file.size()), truncated);
  std::vector<std::byte> icc, exif;
  for (Chunk chunk = chunks.next(); chunk.type != "IEND"; chunk = chunks.next()) {
    if (chunk.type == "iCCP") icc = read_profile(chunk.data);
    if (chunk.type == "eXIf") exif.assign(chunk.data.begin(), chunk.data.end());
  }
  Image image = stb_decode(file, width, height);
  image.icc = std::move(icc);
  image.exif = std::move(exif);
  return image;
}

void encode_png_file(const Image& image, const EncodeOptions& options, const Sink& sink) {
  constexpr int colors[] = {0, 4, 2, 6};
  std::vector<std::byte> header, file;
  append_big_endian(header, static_cast<std::uint32_t>(image.width()));
  append_big_endian(header, static_cast<std::uint32_t>(image.height()));
  for (const int value : {image.bits(), colors[image.channels() - 1], 0, 0, 0})
    header.push_back(static_cast<std::byte>(value));
  const io::Bytes magic = io::as_bytes(signature);
  file.assign(magic.begin(), magic.end());
  append_chunk(file, "IHDR", header);
  if (!image.icc.empty()) {
    const io::Bytes name = io::as_bytes(std::string_view("ICC profile\0\0", 13));
    std::vector<std::byte> profile(name.begin(), name.end());
    const std::vector<std::byte> packed = stb_deflate(image.icc, options.png_compression);
    profile.insert(profile.end(), packed.begin(), packed.end());
    append_chunk(file, "iCCP", profile);
  }
  if (!image.exif.empty()) append_chunk(file, "eXIf", image.exif);
  append_chunk(file, "IDAT", stb_deflate(filtered(image), options.png_compression));
  append_chunk(file, "IEND", {});
  sink(file);
}

}  // namespace codec
}  // namespace mien::data

#endif
