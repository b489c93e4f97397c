#pragma once
// Colours as hue, saturation and value, and back, as Pillow's convert("HSV") and convert("RGB").
// Not the inverse of each other: 8 bits do not hold every colour.

#include <cstdint>
#include <string_view>

#include <mien/cpu/color.hpp>
#include <mien/data/image.hpp>

namespace mien::data {

namespace detail {

inline void check_rgb8(const Image& image, std::string_view where) {
  check(image.channels() == 3 && image.bits() == 8, where, "expected 3 channels of 8 bits, got ",
        image.channels(), " of ", image.bits());
}

}  // namespace detail

// h in 255ths of a turn, s and v from 0 to 255, in the place of red, green and blue.
inline Image rgb_to_hsv(Image image) {
  detail::check_rgb8(image, "rgb_to_hsv");
  kernels::rgb_to_hsv(Cpu{}, image.samples<std::uint8_t>().data(), image.width() * image.height());
  return image;
}

inline Image hsv_to_rgb(Image image) {
  detail::check_rgb8(image, "hsv_to_rgb");
  kernels::hsv_to_rgb(Cpu{}, image.samples<std::uint8_t>().data(), image.width() * image.height());
  return image;
}

}  // namespace mien::data
