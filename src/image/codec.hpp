#pragma once
// What the codecs of mien::image share. Each format has one set of functions, defined by its own
// library where the build found it (MIEN_WITH_JPEG, MIEN_WITH_PNG), else by stb: the files
// jpeg_turbo.cpp and jpeg_stb.cpp, png_libpng.cpp and png_stb.cpp.

#include <csetjmp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>

namespace mien::data::codec {

// What is wrong with a file or a request. The caller adds the name of the file.
class BadImage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class... Parts>
void require(bool condition, const Parts&... reason) {
  if (!condition) throw BadImage(str(reason...));
}

inline constexpr const char* truncated = "the file is truncated";

// Throws for sizes beyond the limits, before anything is allocated for them.
void check_size(std::int64_t width, std::int64_t height, const ImageLimits& limits);

Image decode_jpeg(io::Bytes file, const ImageLimits& limits);
Image decode_png(io::Bytes file, const ImageLimits& limits);
Image decode_bmp(io::Bytes file, const ImageLimits& limits);

// The image alone; metadata is added by the caller.
std::vector<std::byte> encode_jpeg_pixels(const Image& image, const EncodeOptions& options);
// With the image's metadata.
std::vector<std::byte> encode_png_file(const Image& image, const EncodeOptions& options);

// C libraries report errors by a callback that must not return: it fills `message` and jumps.
struct Trap {
  std::jmp_buf jump;
  char message[256] = {};
};

// Runs body() where the library may jump to the trap, and throws what it reported. `body` and what
// it calls must hold nothing with a destructor: the jump skips destructors.
template <class F>
void guarded(Trap& trap, const F& body) {
  if (setjmp(trap.jump) == 0)
    body();
  else
    throw BadImage(trap.message);
}

}  // namespace mien::data::codec
