#pragma once
// Images to test with, and comparing images.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <mien/data/image.hpp>

namespace mien::test {

// A picture with gradients and fine detail in every channel.
inline data::Image picture(std::int64_t width, std::int64_t height, int channels = 3,
                           int bits = 8) {
  data::Image image(width, height, channels, bits);
  data::with_sample(image, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        for (int c = 0; c < channels; ++c)
          image.row<T>(y)[static_cast<std::size_t>(x * channels + c)] = static_cast<T>(
              (x * (7 + 3 * c) + y * (5 + c) + (x * y * (c + 1)) % 17) * (bits == 16 ? 251 : 1));
  });
  return image;
}

// The largest difference of any sample; 65536 where the images have not the same form.
inline int largest_difference(const data::Image& a, const data::Image& b) {
  if (a.width() != b.width() || a.height() != b.height() || a.channels() != b.channels() ||
      a.bits() != b.bits())
    return 1 << 16;
  int largest = 0;
  data::with_sample(a, [&](auto zero) {
    using T = decltype(zero);
    for (std::size_t i = 0; i < a.samples<T>().size(); ++i)
      largest = std::max(largest, std::abs(a.samples<T>()[i] - b.samples<T>()[i]));
  });
  return largest;
}

}  // namespace mien::test
