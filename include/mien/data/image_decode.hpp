#pragma once
// Reading JPEG, PNG and BMP. Defined in the library mien::image, by libjpeg-turbo and libpng where
// it was built with them, else by stb_image; BMP by mien itself.
//
// What comes out: 8 bits, or 16 where a PNG has them (grey of fewer bits is widened); the channels
// of the file, where a palette counts as colour (a BMP palette of greys as grey) and a transparent
// colour or palette entry adds alpha. CMYK becomes RGB as Pillow's convert("RGB") makes it. Pixels
// equal Pillow's; JPEG by stb_image may differ by a few levels.
//
// Errors are one line: "[photo.png] the file is truncated".

#include <string>

#include <mien/data/image.hpp>
#include <mien/io/mapped_file.hpp>

namespace mien::data {

struct DecodeOptions {
  // Turns the picture upright as its EXIF block says. Off, because that is how PIL.Image.open and
  // cv2.IMREAD_UNCHANGED read, which the models here were trained and published with. The block is
  // kept, so a copy that is written with it still shows upright.
  bool apply_orientation = false;
  ImageLimits limits;
};

// The image in the file at `path`.
Image read_image(const std::string& path, const DecodeOptions& options = {});

// The image in the bytes of a file; `name` stands for the file in errors.
Image decode_image(io::Bytes file, const DecodeOptions& options = {},
                   const std::string& name = "image");

// Name and version of what decodes and encodes: "libjpeg-turbo 2.1.5", "libpng 1.6.39",
// "stb_image".
std::string jpeg_library();
std::string png_library();

}  // namespace mien::data
