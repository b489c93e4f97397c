#pragma once
// stb_image and stb_image_write, where libjpeg-turbo or libpng is not there.

#include <cstdint>
#include <vector>

#include "codec.hpp"

namespace mien::data::codec {

// The pixels of a JPEG or PNG file, whose size is known to be width x height.
Image stb_decode(io::Bytes file, std::int64_t width, std::int64_t height);

std::vector<std::byte> stb_encode_jpeg(const Image& image, int quality);

// zlib streams. The result of inflating has at most `most` bytes; empty where it is broken or
// longer.
std::vector<std::byte> stb_deflate(io::Bytes bytes, int level);
std::vector<std::byte> stb_inflate(io::Bytes bytes, std::size_t most);

}  // namespace mien::data::codec
