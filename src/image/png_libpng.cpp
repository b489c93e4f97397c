// PNG by libpng.
#if MIEN_WITH_PNG

#include <bit>
#include <cstdio>
#include <cstring>
#include <vector>

#include <png.h>
#include <zlib.h>

#include "codec.hpp"

namespace mien::data {

std::string png_library() { return "libpng " PNG_LIBPNG_VER_STRING; }

namespace codec {
namespace {

void on_error(png_structp png, png_const_charp text) {
  auto& trap = *static_cast<Trap*>(png_get_error_ptr(png));
  const bool ended = std::strcmp(text, truncated) == 0;
  std::snprintf(trap.message, sizeof trap.message, "%s%s", ended ? "" : "PNG: ", text);
  std::longjmp(trap.jump, 1);
}
void on_warning(png_structp, png_const_charp) {}

constexpr std::size_t largest_profile = 1 << 24;  // unpacked

// libpng makes room for a chunk before it reads it: none may go beyond the file. Chunk: length (4
// bytes, big-endian), type (4), data, CRC-32 (4).
void check_chunk_lengths(io::Bytes file) {
  constexpr std::size_t signature = 8, around = 12;
  for (std::size_t at = signature; at + around <= file.size();) {
    const auto* header = reinterpret_cast<png_const_bytep>(file.data() + at);
    const std::size_t size = png_get_uint_32(header), rest = file.size() - at - around;
    require(size <= rest, truncated);
    if (std::memcmp(header + 4, "IEND", 4) == 0) return;
    at += around + size;
  }
}

struct Source {
  io::Bytes rest;
};

void read(png_structp png, png_bytep out, std::size_t size) {
  auto& source = *static_cast<Source*>(png_get_io_ptr(png));
  if (size > source.rest.size()) png_error(png, truncated);
  std::memcpy(out, source.rest.data(), size);
  source.rest = source.rest.subspan(size);
}

struct Decoder {
  Trap trap;
  Source source;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &trap, on_error, on_warning);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);

  explicit Decoder(io::Bytes file) : source{file} { require(info != nullptr, "out of memory"); }
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

struct Header {
  png_uint_32 width = 0, height = 0;
  int bits = 0, color = 0, interlace = 0;
};

Header open(Decoder& decoder) {
  Header header;
  guarded(decoder.trap, [&] {
    png_set_read_fn(decoder.png, &decoder.source, read);
    png_set_user_limits(decoder.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // ours come after
    png_set_chunk_malloc_max(decoder.png, largest_profile);
    png_read_info(decoder.png, decoder.info);
    png_get_IHDR(decoder.png, decoder.info, &header.width, &header.height, &header.bits,
                 &header.color, &header.interlace, nullptr, nullptr);
  });
  return header;
}

// Palettes become colour, grey of fewer bits 8 bits, a transparent colour or entry alpha.
void set_transformations(Decoder& decoder, const Header& header) {
  png_structp png = decoder.png;
  if (header.color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (header.color == PNG_COLOR_TYPE_GRAY && header.bits < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (png_get_valid(png, decoder.info, PNG_INFO_tRNS) != 0) png_set_tRNS_to_alpha(png);
  if (header.bits == 16 && std::endian::native == std::endian::little) png_set_swap(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, decoder.info);
}

void copy_metadata(Decoder& decoder, Image& image) {
  png_charp name = nullptr;
  png_bytep bytes = nullptr;
  png_uint_32 size = 0;
  int compression = 0;
  if (png_get_iCCP(decoder.png, decoder.info, &name, &compression, &bytes, &size) != 0) {
    image.icc.resize(size);
    std::memcpy(image.icc.data(), bytes, size);
  }
  if (png_get_eXIf_1(decoder.png, decoder.info, &size, &bytes) != 0) {
    image.exif.resize(size);
    std::memcpy(image.exif.data(), bytes, size);
  }
}

void write(png_structp png, png_bytep bytes, std::size_t size) {
  auto& trap = *static_cast<Trap*>(png_get_error_ptr(png));
  const auto& sink = *static_cast<const Sink*>(png_get_io_ptr(png));
  if (!deliver(trap, sink, {reinterpret_cast<const std::byte*>(bytes), size}))
    png_error(png, "cannot be written");
}
void flush(png_structp) {}

struct Encoder {
  Trap trap;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &trap, on_error, on_warning);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);

  Encoder() { require(info != nullptr, "out of memory"); }
  ~Encoder() { png_destroy_write_struct(&png, &info); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

void write_header(Encoder& encoder, const Image& image, const EncodeOptions& options) {
  constexpr int colors[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                            PNG_COLOR_TYPE_RGB_ALPHA};
  png_structp png = encoder.png;
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_compression_level(png, options.png_compression);
  png_set_compression_buffer_size(png, 1 << 16);  // larger chunks, fewer pieces to write
  if (options.png_compression == 1) {
    png_set_compression_strategy(png, Z_RLE);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_AVG);  // trying all takes twice the time
  }
  png_set_IHDR(png, encoder.info, static_cast<png_uint_32>(image.width()),
               static_cast<png_uint_32>(image.height()), image.bits(), colors[image.channels() - 1],
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!image.icc.empty())
    png_set_iCCP(png, encoder.info, "ICC profile", PNG_COMPRESSION_TYPE_BASE,
                 reinterpret_cast<png_const_bytep>(image.icc.data()),
                 static_cast<png_uint_32>(image.icc.size()));
  if (!image.exif.empty())
    png_set_eXIf_1(png, encoder.info, static_cast<png_uint_32>(image.exif.size()),
                   reinterpret_cast<png_bytep>(const_cast<std::byte*>(image.exif.data())));
  png_write_info(png, encoder.info);
  if (image.bits() == 16 && std::endian::native == std::endian::little) png_set_swap(png);
}

// Pointers to the rows of an image, as libpng takes them.
template <class Byte, class I>
std::vector<Byte*> row_pointers(I& image) {
  std::vector<Byte*> rows;
  with_sample(image, [&](auto zero) {
    auto* first = image.template samples<decltype(zero)>().data();
    for (std::int64_t y = 0; y < image.height(); ++y)
      rows.push_back(reinterpret_cast<Byte*>(first + y * image.samples_per_row()));
  });
  return rows;
}

}  // namespace

Image decode_png(io::Bytes file, const ImageLimits& limits) {
  check_chunk_lengths(file);
  Decoder decoder(file);
  const Header header = open(decoder);
  check_size(header.width, header.height, limits);
  // zlib packs at most 1032 to one.
  const auto bytes = static_cast<std::int64_t>(png_get_rowbytes(decoder.png, decoder.info)) *
                     static_cast<std::int64_t>(header.height);
  require(bytes / 1032 <= static_cast<std::int64_t>(file.size()), truncated);
  guarded(decoder.trap, [&] { set_transformations(decoder, header); });

  Image image(header.width, header.height, png_get_channels(decoder.png, decoder.info),
              png_get_bit_depth(decoder.png, decoder.info));
  std::vector<png_byte*> rows = row_pointers<png_byte>(image);
  guarded(decoder.trap, [&] {
    png_read_image(decoder.png, rows.data());
    png_read_end(decoder.png, decoder.info);
  });
  copy_metadata(decoder, image);
  return image;
}

void encode_png_file(const Image& image, const EncodeOptions& options, const Sink& sink) {
  Encoder encoder;
  std::vector<const png_byte*> rows = row_pointers<const png_byte>(image);
  guarded(encoder.trap, [&] {
    png_set_write_fn(encoder.png, const_cast<Sink*>(&sink), write, flush);
    write_header(encoder, image, options);
    png_write_image(encoder.png, const_cast<png_bytepp>(rows.data()));
    png_write_end(encoder.png, nullptr);
  });
}

}  // namespace codec
}  // namespace mien::data

#endif
