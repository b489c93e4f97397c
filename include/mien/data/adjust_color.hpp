#pragma once
// Brightness, contrast, saturation and hue of images of 8 bits, grey or RGB: bit for bit what
// torchvision's adjust_* functions make of PIL images (ImageEnhance, Image.blend, convert("HSV")).
//
// The first three blend the image x with a plainer one, in single precision and rounded towards
// zero: plain + factor (x - plain). Factor 0 gives the plain image, 1 the image itself.

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

#include <mien/cpu/color.hpp>
#include <mien/data/image.hpp>

namespace mien::data {

namespace detail {

// The factor as Pillow takes it.
inline float checked_factor(const Image& image, double factor, std::string_view where) {
  check(image.bits() == 8 && (image.channels() == 1 || image.channels() == 3), where,
        "expected 1 or 3 channels of 8 bits, got ", image.channels(), " of ", image.bits());
  const auto single = static_cast<float>(factor);
  check(std::isfinite(single), where, "expected a finite factor, got ", factor);
  return single;
}

inline Image blend_with_level(Image image, float level, float factor) {
  const auto samples = image.samples<std::uint8_t>();
  kernels::blend_with_level(Cpu{}, samples.data(), static_cast<std::int64_t>(samples.size()), level,
                            factor);
  return image;
}

// The mean of the image as grey, rounded to the nearest level.
inline std::int64_t mean_grey(const Image& image) {
  const auto samples = image.samples<std::uint8_t>();
  const std::int64_t pixels = image.width() * image.height();
  const std::int64_t sum = image.channels() == 1
                               ? std::accumulate(samples.begin(), samples.end(), std::int64_t{0})
                               : kernels::sum_of_greys(Cpu{}, samples.data(), pixels);
  return (2 * sum + pixels) / (2 * pixels);
}

}  // namespace detail

// Blended with black.
inline Image adjust_brightness(Image image, double factor) {
  const float by = detail::checked_factor(image, factor, "adjust_brightness");
  return detail::blend_with_level(std::move(image), 0, by);
}

// Blended with the grey of the image's mean.
inline Image adjust_contrast(Image image, double factor) {
  const float by = detail::checked_factor(image, factor, "adjust_contrast");
  const auto level = static_cast<float>(detail::mean_grey(image));
  return detail::blend_with_level(std::move(image), level, by);
}

// Blended with its own grey; a grey image stays as it is.
inline Image adjust_saturation(Image image, double factor) {
  const float by = detail::checked_factor(image, factor, "adjust_saturation");
  if (image.channels() == 3)
    kernels::blend_with_grey(Cpu{}, image.samples<std::uint8_t>().data(),
                             image.width() * image.height(), by);
  return image;
}

// The hue turned by `factor` turns, -0.5 to 0.5, through 8-bit HSV: 0 may change a colour by a few
// levels too. A grey image stays as it is.
inline Image adjust_hue(Image image, double factor) {
  detail::checked_factor(image, factor, "adjust_hue");
  check(-0.5 <= factor && factor <= 0.5, "adjust_hue", "expected a factor of -0.5 to 0.5, got ",
        factor);
  const auto shift = static_cast<std::uint8_t>(static_cast<int>(factor * 255));
  if (image.channels() == 3)
    kernels::shift_hue(Cpu{}, image.samples<std::uint8_t>().data(), image.width() * image.height(),
                       shift);
  return image;
}

}  // namespace mien::data
