#if !MIEN_WITH_JPEG || !MIEN_WITH_PNG

#include "stb.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

// The largest block that stb may ask for now: a small file can be packed to expand without end.
thread_local std::size_t largest_block = 0;

// Zeroed: stb reads Huffman tables that a broken file uses but never defines.
void* limited_malloc(std::size_t size) {
  return size <= largest_block ? std::calloc(1, size) : nullptr;
}
void* limited_realloc(void* block, std::size_t size) {
  return size <= largest_block ? std::realloc(block, size) : nullptr;
}

}  // namespace

#define STBI_MALLOC(size) limited_malloc(size)
#define STBI_REALLOC(block, size) limited_realloc(block, size)
#define STBI_FREE(block) std::free(block)
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace mien::data::codec {
namespace {

struct Freed {
  void operator()(void* block) const { std::free(block); }
};
using Block = std::unique_ptr<void, Freed>;

const stbi_uc* as_stb(io::Bytes bytes) { return reinterpret_cast<const stbi_uc*>(bytes.data()); }

int length(io::Bytes bytes) {
  require(bytes.size() <= 0x7fffffff, bytes.size(), " bytes are too many for stb");
  return static_cast<int>(bytes.size());
}

std::vector<std::byte> copy(const void* from, int size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  return {bytes, bytes + size};
}

}  // namespace

Image stb_decode(io::Bytes file, std::int64_t width, std::int64_t height) {
  // stb keeps up to 16 bytes a pixel in one block, and doubles the one that it inflates into.
  largest_block = static_cast<std::size_t>(width * height) * 32 + (1 << 20);
  int w = 0, h = 0, channels = 0;
  const bool deep = stbi_is_16_bit_from_memory(as_stb(file), length(file)) != 0;
  const Block pixels(deep
                         ? static_cast<void*>(stbi_load_16_from_memory(as_stb(file), length(file),
                                                                       &w, &h, &channels, 0))
                         : stbi_load_from_memory(as_stb(file), length(file), &w, &h, &channels, 0));
  require(pixels != nullptr, "a broken image: ", stbi_failure_reason());
  require(w == width && h == height, "a broken image: two sizes");
  Image image(w, h, channels, deep ? 16 : 8);
  with_sample(image, [&](auto zero) {
    const auto samples = image.samples<decltype(zero)>();
    std::memcpy(samples.data(), pixels.get(), samples.size_bytes());
  });
  return image;
}

std::vector<std::byte> stb_encode_jpeg(const Image& image, int quality) {
  std::vector<std::byte> out;
  const auto append = [](void* context, void* data, int size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    auto& file = *static_cast<std::vector<std::byte>*>(context);
    file.insert(file.end(), bytes, bytes + size);
  };
  const int done = stbi_write_jpg_to_func(append, &out, static_cast<int>(image.width()),
                                          static_cast<int>(image.height()), image.channels(),
                                          image.samples<std::uint8_t>().data(), quality);
  require(done != 0, "stb cannot write the JPEG");
  return out;
}

std::vector<std::byte> stb_deflate(io::Bytes bytes, int level) {
  int size = 0;
  auto* data = const_cast<stbi_uc*>(as_stb(bytes));  // is only read
  const Block packed(stbi_zlib_compress(data, length(bytes), &size, level));
  require(packed != nullptr, "out of memory");
  return copy(packed.get(), size);
}

std::vector<std::byte> stb_inflate(io::Bytes bytes, std::size_t most) {
  largest_block = most;
  std::vector<std::byte> out(most);
  const int size =
      stbi_zlib_decode_buffer(reinterpret_cast<char*>(out.data()), static_cast<int>(most),
                              reinterpret_cast<const char*>(bytes.data()), length(bytes));
  out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return out;
}

}  // namespace mien::data::codec

#endif
