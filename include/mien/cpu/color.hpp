#pragma once
// Host side of Pillow's colour arithmetic on 8-bit samples, in place. Pixels are (count, 3), red
// green blue. Sources: Pillow, src/libImaging/Blend.c and Convert.c (HSV after Python's colorsys).

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mien/core/device.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/simd_pixels.hpp>

#define MIEN_KERNEL_FILE <mien/cpu/color.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// x = level + factor (x - level), clamped and rounded towards zero.
inline void blend_with_level(Cpu, std::uint8_t* samples, std::int64_t count, float level,
                             float factor) {
  MIEN_ISA_PICK(blend_with_level)(samples, count, level, factor);
}

// The same with the pixel's own grey as the level.
inline void blend_with_grey(Cpu, std::uint8_t* pixels, std::int64_t count, float factor) {
  MIEN_ISA_PICK(blend_with_grey)(pixels, count, factor);
}

// The sum of the pixels as grey, each 0.299 red + 0.587 green + 0.114 blue, rounded.
inline std::int64_t sum_of_greys(Cpu, const std::uint8_t* pixels, std::int64_t count) {
  const auto sum = MIEN_ISA_PICK(sum_of_greys);
  constexpr std::int64_t block = 1 << 16;
  std::int64_t total = 0;
  for (; count > 0; count -= block, pixels += 3 * block)
    total += static_cast<std::int64_t>(sum(pixels, std::min(count, block)));
  return total;
}

// Hue is counted in 255ths of a turn.
inline void rgb_to_hsv(Cpu, std::uint8_t* pixels, std::int64_t count) {
  MIEN_ISA_PICK(rgb_to_hsv)(pixels, count);
}
inline void hsv_to_rgb(Cpu, std::uint8_t* pixels, std::int64_t count) {
  MIEN_ISA_PICK(hsv_to_rgb)(pixels, count);
}

// rgb_to_hsv(), `shift` added to the hue modulo 256, hsv_to_rgb().
inline void shift_hue(Cpu, std::uint8_t* pixels, std::int64_t count, std::uint8_t shift) {
  MIEN_ISA_PICK(shift_hue)(pixels, count, shift);
}

}  // namespace mien::kernels
