#pragma once
// Random images, which the programs in bench/peers make too, and the checksum that results are
// compared by.

#include <cstdint>

#include <mien/data/image.hpp>

namespace mien::bench {

// The upper bytes of s = 1664525 s + 1013904223 mod 2^32, from s = seed.
inline data::Image noise(std::int64_t width, std::int64_t height, std::uint32_t seed) {
  data::Image image(width, height, 3);
  for (auto& sample : image.samples<std::uint8_t>()) {
    seed = seed * 1664525u + 1013904223u;
    sample = static_cast<std::uint8_t>(seed >> 24);
  }
  return image;
}

inline std::uint32_t crc32(const void* data, std::size_t size) {
  std::uint32_t crc = 0xffffffffu;
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? 0xedb88320u ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

inline std::uint32_t crc32(const data::Image& image) {
  const auto samples = image.samples<std::uint8_t>();
  return crc32(samples.data(), samples.size());
}

}  // namespace mien::bench
