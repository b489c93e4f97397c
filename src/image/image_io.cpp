// Reading and writing images of any format: tells formats apart and names the file in errors.

#include <algorithm>
#include <string_view>
#include <utility>

#include <mien/data/exif.hpp>
#include <mien/io/atomic_file.hpp>

#include "codec.hpp"
#include "jpeg_markers.hpp"

namespace mien::data {

namespace codec {

void check_size(std::int64_t width, std::int64_t height, const ImageLimits& limits) {
  require(width >= 1 && height >= 1, "a size of ", width, " x ", height, " pixels");
  require(width <= limits.max_dimension && height <= limits.max_dimension &&
              width <= limits.max_pixels / height,
          width, " x ", height, " pixels are more than the limit (", limits.max_pixels, " pixels, ",
          limits.max_dimension, " a side)");
}

namespace {

bool starts_with(io::Bytes file, std::string_view magic) {
  return file.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin(), [](char wanted, std::byte byte) {
           return static_cast<std::byte>(wanted) == byte;
         });
}

Image decode(io::Bytes file, const DecodeOptions& options) {
  require(!file.empty(), "the file is empty");
  if (starts_with(file, "\xff\xd8\xff")) return decode_jpeg(file, options.limits);
  if (starts_with(file, "\x89PNG\r\n\x1a\n")) return decode_png(file, options.limits);
  if (starts_with(file, "BM")) return decode_bmp(file, options.limits);
  throw BadImage("not a JPEG, PNG or BMP file");
}

void write_jpeg(const Image& image, const EncodeOptions& options, const Sink& sink) {
  require(image.bits() == 8 && (image.channels() == 1 || image.channels() == 3),
          "JPEG holds 8 bits and 1 or 3 channels, the image has ", image.bits(), " bits and ",
          image.channels(), " channels");
  require(image.width() <= 65500 && image.height() <= 65500, "JPEG holds 65500 pixels a side, ",
          "the image has ", image.width(), " x ", image.height());
  require(options.jpeg_quality >= 1 && options.jpeg_quality <= 100,
          "expected a JPEG quality of 1 to 100, got ", options.jpeg_quality);
  bool first = true;
  encode_jpeg_pixels(image, options, [&](io::Bytes piece) {
    if (std::exchange(first, false))
      sink(with_jpeg_metadata(piece, image));
    else
      sink(piece);
  });
}

void write_png(const Image& image, const EncodeOptions& options, const Sink& sink) {
  require(!image.empty(), "an empty image");
  require(options.png_compression >= 0 && options.png_compression <= 9,
          "expected a PNG compression of 0 to 9, got ", options.png_compression);
  encode_png_file(image, options, sink);
}

// Lower case, with the dot; empty where the last part of the path has none.
std::string extension(const std::string& path) {
  const auto dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] == '/') return "";
  std::string ending = path.substr(dot);
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return ending;
}

// Calls f() and puts `name` before what it reports.
template <class F>
auto naming(const std::string& name, F&& f) {
  try {
    return f();
  } catch (const BadImage& error) {
    fail(name, error.what());
  }
}

using Encode = void(const Image&, const EncodeOptions&, const Sink&);

// The writer of the files with this ending.
Encode& encoder_of(const std::string& ending) {
  if (ending == ".png") return write_png;
  if (ending == ".jpg" || ending == ".jpeg") return write_jpeg;
  throw BadImage("images are written as .png, .jpg or .jpeg");
}

std::vector<std::byte> in_memory(Encode& encode, const std::string& name, const Image& image,
                                 const EncodeOptions& options) {
  std::vector<std::byte> out;
  naming(name, [&] {
    encode(image, options,
           [&](io::Bytes piece) { out.insert(out.end(), piece.begin(), piece.end()); });
  });
  return out;
}

}  // namespace
}  // namespace codec

Image decode_image(io::Bytes file, const DecodeOptions& options, const std::string& name) {
  return codec::naming(name, [&] {
    Image image = codec::decode(file, options);
    return options.apply_orientation ? upright(std::move(image)) : std::move(image);
  });
}

Image read_image(const std::string& path, const DecodeOptions& options) {
  const io::MappedFile file(path);
  return decode_image(file.bytes(), options, path);
}

std::vector<std::byte> encode_jpeg(const Image& image, const EncodeOptions& options) {
  return codec::in_memory(codec::write_jpeg, "encode_jpeg", image, options);
}

std::vector<std::byte> encode_png(const Image& image, const EncodeOptions& options) {
  return codec::in_memory(codec::write_png, "encode_png", image, options);
}

void write_image(const std::string& path, const Image& image, const EncodeOptions& options) {
  codec::naming(path, [&] {
    codec::Encode& encode = codec::encoder_of(codec::extension(path));
    io::AtomicFile file(path);
    encode(image, options, [&](io::Bytes piece) { file.write(piece); });
    file.commit();
  });
}

}  // namespace mien::data
