#pragma once
// Images that the tests make up, and the checksum by which large ones are compared.

#include <array>
#include <cstdint>

#include <mien/data/image.hpp>

namespace mien::test {

// The generator of tests/golden/images/make_images.py: the upper 16 bits of a linear congruential
// sequence, or (`extremes`) whether they are above the middle.
class Noise {
 public:
  explicit Noise(bool extremes = false) : extremes_(extremes) {}
  std::uint16_t next() {
    state_ = state_ * 1664525u + 1013904223u;
    const auto value = static_cast<std::uint16_t>(state_ >> 16);
    return extremes_ ? static_cast<std::uint16_t>(value > 32767 ? 65535 : 0) : value;
  }

 private:
  std::uint32_t state_ = 1;
  bool extremes_;
};

inline data::Image noise_image(std::int64_t width, std::int64_t height, int channels, int bits,
                               bool extremes = false) {
  data::Image image(width, height, channels, bits);
  Noise noise(extremes);
  data::with_sample(image, [&](auto zero) {
    for (auto& sample : image.samples<decltype(zero)>())
      sample = static_cast<decltype(zero)>(noise.next() >> (16 - bits));
  });
  return image;
}

// Colour gradients, which JPEG keeps well.
inline data::Image smooth_image(std::int64_t width, std::int64_t height, int channels, int bits) {
  data::Image image(width, height, channels, bits);
  data::with_sample(image, [&](auto zero) {
    for (std::int64_t y = 0; y < height; ++y) {
      auto* p = image.row<decltype(zero)>(y).data();
      for (std::int64_t x = 0; x < width; ++x)
        for (int c = 0; c < channels; ++c)
          *p++ = static_cast<decltype(zero)>((x * 3 + y * 2 + c * 50) << (bits - 8));
    }
  });
  return image;
}

// What eight bits are shifted out as.
inline constexpr auto crc32_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit)
      table[i] = (table[i] & 1) != 0 ? 0xedb88320u ^ (table[i] >> 1) : table[i] >> 1;
  }
  return table;
}();

inline std::uint32_t crc32(const void* data, std::size_t size) {
  std::uint32_t crc = 0xffffffffu;
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) crc = crc32_table[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  return ~crc;
}

// Of 8-bit samples.
inline std::uint32_t crc32(const data::Image& image) {
  const auto samples = image.samples<std::uint8_t>();
  return crc32(samples.data(), samples.size());
}

}  // namespace mien::test
