#pragma once
// Pixels between images of 8 or 16 bits and networks that read and write RGB floats in [0, 1]:
// windows in, cores out, so that no float copy of a whole image is ever needed.
// Arithmetic: RealESRGANer.enhance (github.com/xinntao/Real-ESRGAN, realesrgan/utils.py).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <mien/core/tensor.hpp>
#include <mien/data/image.hpp>
#include <mien/infer/tiling.hpp>

namespace mien::infer {

// What of an image goes through a network in one pass. Grey and alpha go as three equal channels.
enum class Plane { colour, alpha };

// The size of an image and what is added at its right and bottom by reflection: first `pre_pad`
// pixels, then as many as make both sides divisible by `multiple`.
struct PaddedSize {
  std::int64_t width, height, pre_pad = 0, multiple = 1;

  std::int64_t padded_width() const { return divisible(width + pre_pad); }
  std::int64_t padded_height() const { return divisible(height + pre_pad); }
  std::int64_t source_x(std::int64_t x) const { return source(x, width); }
  std::int64_t source_y(std::int64_t y) const { return source(y, height); }

 private:
  std::int64_t divisible(std::int64_t size) const {
    return (size + multiple - 1) / multiple * multiple;
  }
  // Reflection without repeating the edge; where the size is too small for that, the edge repeats.
  static std::int64_t reflected(std::int64_t at, std::int64_t size) {
    return at < size ? at : std::max<std::int64_t>(2 * (size - 1) - at, 0);
  }
  std::int64_t source(std::int64_t at, std::int64_t size) const {
    return reflected(reflected(at, size + pre_pad), size);
  }
};

namespace detail {

template <data::Sample T>
constexpr float full_scale = static_cast<float>(std::numeric_limits<T>::max());

// Where the three channels of a plane lie in a pixel: first, first + step, first + 2 * step.
struct PlaneChannels {
  int first, step;

  PlaneChannels(const data::Image& image, Plane plane)
      : first(plane == Plane::alpha ? image.channels() - 1 : 0),
        step(plane == Plane::alpha || image.is_grey() ? 0 : 1) {}
};

// Rounded half to even, as NumPy rounds. `value` is in [0, 1].
template <data::Sample T>
T quantised(float value) {
  return static_cast<T>(std::nearbyint(value * full_scale<T>));
}

inline float clamped(float value) { return std::clamp(value, 0.0f, 1.0f); }

// OpenCV's COLOR_BGR2GRAY of floats.
inline float grey_of(const float* rgb) {
  return 0.114f * clamped(rgb[2]) + 0.587f * clamped(rgb[1]) + 0.299f * clamped(rgb[0]);
}

}  // namespace detail

// The pixels of `window` (in padded coordinates) as (1, height, width, 3).
template <data::Sample T>
Tensor<float> read_window(const data::Image& image, const PaddedSize& size, const Rect& window,
                          Plane plane) {
  const detail::PlaneChannels channels(image, plane);
  Tensor<float> out(Shape{1, window.height, window.width, 3});
  float* p = out.mutable_data();
  for (std::int64_t y = 0; y < window.height; ++y) {
    const T* row = image.row<T>(size.source_y(window.y + y)).data();
    for (std::int64_t x = 0; x < window.width; ++x, p += 3) {
      const T* pixel = row + size.source_x(window.x + x) * image.channels() + channels.first;
      for (int c = 0; c < 3; ++c)
        p[c] = static_cast<float>(pixel[c * channels.step]) / detail::full_scale<T>;
    }
  }
  return out;
}

// Quantises the pixels of `result` (1, height, width, 3) from (from_x, from_y) on into the
// rectangle `to` of `image`. Returns false, with the rectangle half written, where one of them is
// NaN or infinite.
template <data::Sample T>
bool write_plane(data::Image& image, const Rect& to, Plane plane, const Tensor<float>& result,
                 std::int64_t from_x, std::int64_t from_y) {
  const detail::PlaneChannels channels(image, plane);
  for (std::int64_t y = 0; y < to.height; ++y) {
    const float* in = result.data() + ((from_y + y) * result.dim(2) + from_x) * 3;
    T* out = image.row<T>(to.y + y).data() + to.x * image.channels() + channels.first;
    for (std::int64_t x = 0; x < to.width; ++x, in += 3, out += image.channels()) {
      if (!(std::isfinite(in[0]) && std::isfinite(in[1]) && std::isfinite(in[2]))) return false;
      if (channels.step == 0) {
        out[0] = detail::quantised<T>(detail::grey_of(in));
      } else {
        for (int c = 0; c < 3; ++c) out[c] = detail::quantised<T>(detail::clamped(in[c]));
      }
    }
  }
  return true;
}

}  // namespace mien::infer
