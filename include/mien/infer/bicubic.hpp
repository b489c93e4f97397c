#pragma once
// Bicubic enlargement of one channel by a whole factor, rectangle by rectangle: what is written
// does not depend on how the image is cut. Keys' kernel with a = -0.75, edges repeated, as OpenCV's
// INTER_CUBIC; computed in float, so that 8-bit results may differ from OpenCV's fixed point by one
// level.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <mien/infer/pixel_exchange.hpp>

namespace mien::infer {

namespace detail {

// Taps and weights of an output coordinate at `scale` times the input's size.
struct CubicTaps {
  std::array<std::int64_t, 4> index;
  std::array<float, 4> weight;

  CubicTaps(std::int64_t at, std::int64_t scale, std::int64_t size) {
    const float center = (static_cast<float>(at) + 0.5f) / static_cast<float>(scale) - 0.5f;
    const float left = std::floor(center), x = center - left;
    constexpr float a = -0.75f;
    const auto near = [](float d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    const auto far = [](float d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    weight = {far(x + 1), near(x), near(1 - x), far(2 - x)};
    for (std::int64_t t = 0; t < 4; ++t)
      index[static_cast<std::size_t>(t)] =
          std::clamp<std::int64_t>(static_cast<std::int64_t>(left) - 1 + t, 0, size - 1);
  }
};

}  // namespace detail

// Fills channel `channel` of the pixels `to` of an enlarged image; (x, y) of `to` count from the
// enlarged image's corner, whose row `first_row` is the first one of `out`.
template <data::Sample T>
void enlarge_bicubic(data::Image& out, const Rect& to, std::int64_t first_row,
                     const data::Image& image, int channel, std::int64_t scale) {
  for (std::int64_t y = to.y; y < to.y + to.height; ++y) {
    const detail::CubicTaps rows(y, scale, image.height());
    T* row = out.row<T>(y - first_row).data();
    for (std::int64_t x = to.x; x < to.x + to.width; ++x) {
      const detail::CubicTaps columns(x, scale, image.width());
      float sum = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const T* source = image.row<T>(rows.index[i]).data();
        float across = 0;
        for (std::size_t j = 0; j < 4; ++j)
          across += columns.weight[j] *
                    static_cast<float>(source[columns.index[j] * image.channels() + channel]);
        sum += rows.weight[i] * across;
      }
      row[x * out.channels() + channel] =
          static_cast<T>(std::nearbyint(std::clamp(sum, 0.0f, detail::full_scale<T>)));
    }
  }
}

}  // namespace mien::infer
