#pragma once
// Mirroring images, always or by chance.

#include <cstdint>
#include <cstring>

#include <mien/core/random.hpp>
#include <mien/data/image.hpp>

namespace mien::data {

namespace detail {

// out, in (height, width, Channels).
template <int Channels, Sample T>
void mirror_rows(T* out, const T* in, std::int64_t width, std::int64_t height) {
  for (std::int64_t y = 1; y <= height; ++y) {
    const T* from = in + y * width * Channels;
    for (std::int64_t x = 0; x < width; ++x, out += Channels) {
      from -= Channels;
      std::memcpy(out, from, Channels * sizeof(T));
    }
  }
}

}  // namespace detail

// Left and right exchanged.
inline Image flip_horizontal(const Image& image) {
  Image out(image.width(), image.height(), image.channels(), image.bits());
  with_sample(image, [&](auto zero) {
    using T = decltype(zero);
    constexpr decltype(&detail::mirror_rows<1, T>) mirror[] = {
        detail::mirror_rows<1, T>, detail::mirror_rows<2, T>, detail::mirror_rows<3, T>,
        detail::mirror_rows<4, T>};
    mirror[image.channels() - 1](out.samples<T>().data(), image.samples<T>().data(), image.width(),
                                 image.height());
  });
  out.copy_metadata(image);
  return out;
}

// A transform: flips with probability p.
struct RandomHorizontalFlip {
  double p = 0.5;

  Image operator()(Image image, Generator& random) const {
    check(0 <= p && p <= 1, "random_horizontal_flip", "expected a probability, got ", p);
    if (random.uniform() < p) return flip_horizontal(image);
    return image;
  }
};

}  // namespace mien::data
