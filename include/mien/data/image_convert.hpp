#pragma once
// Images with other channels or another depth, by Pillow's arithmetic. An image that is as asked
// for is handed through: to_rgb(std::move(image)) copies nothing then.

#include <algorithm>
#include <cstdint>

#include <mien/data/image.hpp>

namespace mien::data {

namespace detail {

// An image of `channels` channels whose pixels change(out, in) fills from those of `image`.
template <class F>
Image convert_pixels(const Image& image, int channels, F&& change) {
  Image out(image.width(), image.height(), channels, image.bits());
  with_sample(image, [&](auto zero) {
    using T = decltype(zero);
    const T* in = image.samples<T>().data();
    for (T *p = out.samples<T>().data(), *end = p + out.samples<T>().size(); p != end;
         p += channels, in += image.channels())
      change(p, in);
  });
  out.copy_metadata(image);
  return out;
}

}  // namespace detail

// Red, green and blue, as Pillow's convert("RGB"): grey is repeated, alpha is dropped.
inline Image to_rgb(Image image) {
  if (image.channels() == 3) return image;
  const bool grey = image.is_grey();
  return detail::convert_pixels(image, 3, [grey](auto* out, const auto* in) {
    for (int c = 0; c < 3; ++c) out[c] = in[grey ? 0 : c];
  });
}

// Grey, as Pillow's convert("L"): 0.299 red + 0.587 green + 0.114 blue in 16-bit fixed point; alpha
// is dropped.
inline Image to_grey(Image image) {
  if (image.channels() == 1) return image;
  const bool grey = image.is_grey();
  return detail::convert_pixels(image, 1, [grey]<class T>(T* out, const T* in) {
    const auto weighted = [&] {
      return (in[0] * 19595u + in[1] * 38470u + in[2] * 7471u + 0x8000u) >> 16;
    };
    *out = grey ? in[0] : static_cast<T>(weighted());
  });
}

// 8 bits: the high bytes, as OpenCV reads 16-bit files in its 8-bit modes and Pillow opens 16-bit
// colour. (Pillow's convert() of 16-bit grey instead clips at 255, which leaves little but white.)
inline Image to_8_bits(Image image) {
  if (image.bits() == 8) return image;
  Image out(image.width(), image.height(), image.channels());
  const auto in = image.samples<std::uint16_t>();
  std::transform(in.begin(), in.end(), out.samples<std::uint8_t>().begin(),
                 [](std::uint16_t sample) { return static_cast<std::uint8_t>(sample >> 8); });
  out.copy_metadata(image);
  return out;
}

}  // namespace mien::data
