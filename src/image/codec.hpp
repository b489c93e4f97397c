#pragma once
// What the codecs of mien::image share. Each format has one set of functions, defined by its own
// library where the build found it (MIEN_WITH_JPEG, MIEN_WITH_PNG), else by stb: the files
// jpeg_turbo.cpp and jpeg_stb.cpp, png_libpng.cpp and png_stb.cpp.

#include <csetjmp>
#include <cstdint>
#include <exception>
#include <functional>
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

// Takes the bytes of a file in order, piece by piece.
using Sink = std::function<void(io::Bytes)>;

// The image alone; metadata is added by the caller. The headers are within the first piece.
void encode_jpeg_pixels(const Image& image, const EncodeOptions& options, const Sink& sink);
// With the image's metadata.
void encode_png_file(const Image& image, const EncodeOptions& options, const Sink& sink);

// C libraries report errors by a callback that must not return: it fills `message` and jumps.
struct Trap {
  std::jmp_buf jump;
  char message[256] = {};
  std::exception_ptr failure;  // of our own code that the library called; goes before `message`
};

// Calls the sink from a C library's frames, which an exception must not cross. False where it
// threw: the caller then makes the library jump.
inline bool deliver(Trap& trap, const Sink& sink, io::Bytes bytes) noexcept {
  try {
    sink(bytes);
    return true;
  } catch (...) {
    trap.failure = std::current_exception();
    return false;
  }
}

// Runs body() where the library may jump to the trap, and throws what it reported. `body` and what
// it calls must hold nothing with a destructor: the jump skips destructors.
template <class F>
void guarded(Trap& trap, const F& body) {
  if (setjmp(trap.jump) == 0)
    body();
  else if (trap.failure)
    std::rethrow_exception(trap.failure);
  else
    throw BadImage(trap.message);
}

}  // namespace mien::data::codec
