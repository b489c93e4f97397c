#pragma once
// Resizing as cv2.resize does it: no antialiasing when shrinking.
//
// Equal bit for bit to OpenCV 4 and 5 for 8-bit samples, and for 16-bit samples and floats where
// OpenCV computes by its own code (cv2.ipp.setUseIPP(False)): its builds with Intel IPP hand
// bilinear resizing of 16-bit samples and floats to IPP, which rounds otherwise (16 bits: by one
// level at most). Lanczos4 never goes there; for floats it is not offered, since OpenCV's own
// results depend on the vector width, as they do where floats shrink to exactly half (last bit).
// Source: OpenCV, modules/imgproc/src/resize.cpp.

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include <mien/cpu/resize_opencv.hpp>
#include <mien/data/image.hpp>

namespace mien::data {

enum class OpenCvFilter { linear, lanczos4 };  // INTER_LINEAR, INTER_LANCZOS4

// Sizes of interleaved samples (height, width, channels) before and after.
struct ResizeShape {
  std::int64_t in_width, in_height, out_width, out_height;
  int channels;
};

namespace detail {

// The eight weights of Lanczos4 for a sample that lies `x` (0 to 1) after the fourth tap. The sines
// of all taps follow from one by adding multiples of pi / 4.
inline void lanczos4_weights(float x, float weights[8]) {
  constexpr double s = 0.70710678118654752440084436210485, quarter = std::numbers::pi * 0.25;
  constexpr double turn[8][2] = {{1, 0},  {-s, -s}, {0, 1},  {s, -s},
                                 {-1, 0}, {s, s},   {0, -1}, {-s, s}};
  const double angle = -static_cast<double>(x + 3) * quarter;
  const double sine = std::sin(angle), cosine = std::cos(angle);
  float sum = 0;
  for (int i = 0; i < 8; ++i) {
    const float distance = x + 3 - static_cast<float>(i);
    if (std::fabs(distance) >= 1e-6f) {
      const double y = -static_cast<double>(distance) * quarter;
      weights[i] = static_cast<float>((turn[i][0] * sine + turn[i][1] * cosine) / (y * y));
    } else {
      weights[i] = 1e30f;  // outweighs the others: the sample itself
    }
    sum += weights[i];
  }
  sum = 1 / sum;
  for (int i = 0; i < 8; ++i) weights[i] *= sum;
}

// Taps and weights of one axis.
template <class Sum>
class OpenCvWeights {
 public:
  OpenCvWeights(std::int64_t in, std::int64_t out, OpenCvFilter filter, bool horizontal)
      : taps_(filter == OpenCvFilter::linear ? 2 : 8) {
    index_.reserve(static_cast<std::size_t>(out * taps_));
    weights_.reserve(index_.capacity());
    const double scale = 1 / (static_cast<double>(out) / static_cast<double>(in));
    for (std::int64_t i = 0; i < out; ++i) {
      auto at = static_cast<float>((static_cast<double>(i) + 0.5) * scale - 0.5);
      auto left = static_cast<std::int64_t>(std::floor(at));
      at -= static_cast<float>(left);
      if (filter == OpenCvFilter::linear && horizontal && (left < 0 || left >= in - 1)) {
        left = left < 0 ? 0 : in - 1;
        at = 0;
      }
      float weight[8] = {1 - at, at};
      if (filter == OpenCvFilter::lanczos4) lanczos4_weights(at, weight);
      for (int t = 0; t < taps_; ++t) {
        const std::int64_t tap = left - taps_ / 2 + 1 + t;
        index_.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(tap, 0, in - 1)));
        weights_.push_back(as_sum(weight[t]));
      }
    }
  }

  kernels::OpenCvAxis<Sum> axis() const { return {index_.data(), weights_.data()}; }

 private:
  static Sum as_sum(float weight) {
    if constexpr (std::is_same_v<Sum, float>)
      return weight;
    else
      return static_cast<Sum>(std::nearbyint(weight * float{1 << kernels::opencv_bits}));
  }

  int taps_;
  std::vector<std::int32_t> index_;
  std::vector<Sum> weights_;
};

// The mean of every 2 x 2 pixels: what OpenCV's bilinear filter becomes at exactly half the size.
template <class T>
void halve(T* out, const T* in, const ResizeShape& s) {
  const std::int64_t row = s.in_width * s.channels;
  for (std::int64_t y = 0; y < s.out_height; ++y)
    for (std::int64_t x = 0; x < s.out_width; ++x)
      for (int c = 0; c < s.channels; ++c) {
        const T* p = in + 2 * y * row + 2 * x * s.channels + c;
        const T* q = p + row;
        if constexpr (std::is_same_v<T, float>)
          *out++ = (p[0] + p[s.channels] + q[0] + q[s.channels]) * 0.25f;
        else
          *out++ = static_cast<T>((p[0] + p[s.channels] + q[0] + q[s.channels] + 2) >> 2);
      }
}

}  // namespace detail

// `in` (in_height, in_width, channels) resized into `out` (out_height, out_width, channels). T is
// uint8_t, uint16_t or, with OpenCvFilter::linear only, float.
template <class T>
requires Sample<T> || std::is_same_v<T, float>
void resize_opencv(std::span<T> out, std::span<const T> in, const ResizeShape& s,
                   OpenCvFilter filter) {
  constexpr std::string_view where = "resize_opencv";
  check(s.in_width >= 1 && s.in_height >= 1 && s.out_width >= 1 && s.out_height >= 1 &&
            s.channels >= 1,
        where, "empty: ", s.in_width, " x ", s.in_height, " to ", s.out_width, " x ", s.out_height);
  const auto size = [&](std::int64_t w, std::int64_t h) {
    return static_cast<std::size_t>(w * h * s.channels);
  };
  check(in.size() == size(s.in_width, s.in_height), where, "expected ",
        size(s.in_width, s.in_height), " input samples, got ", in.size());
  check(out.size() == size(s.out_width, s.out_height), where, "expected room for ",
        size(s.out_width, s.out_height), " samples, got ", out.size());
  check(!std::is_same_v<T, float> || filter == OpenCvFilter::linear, where,
        "floats are resized by the linear filter only");

  const bool linear = filter == OpenCvFilter::linear;
  if (s.in_width == s.out_width && s.in_height == s.out_height) {
    std::copy(in.begin(), in.end(), out.begin());
    return;
  }
  if (linear && s.in_width == 2 * s.out_width && s.in_height == 2 * s.out_height)
    return detail::halve(out.data(), in.data(), s);
  using Sum = kernels::OpenCvSum<T>;
  const detail::OpenCvWeights<Sum> x(s.in_width, s.out_width, filter, true);
  const detail::OpenCvWeights<Sum> y(s.in_height, s.out_height, filter, false);
  const kernels::OpenCvParams<Sum> p{x.axis(),    y.axis(),     s.in_width, s.in_height,
                                     s.out_width, s.out_height, s.channels};
  if (linear)
    kernels::resize_opencv<2>(Cpu{}, out.data(), in.data(), p);
  else if constexpr (!std::is_same_v<T, float>)
    kernels::resize_opencv<8>(Cpu{}, out.data(), in.data(), p);
}

// `image` at another size; alpha is resized as the colours are.
inline Image resize_opencv(const Image& image, std::int64_t width, std::int64_t height,
                           OpenCvFilter filter) {
  Image out(width, height, image.channels(), image.bits());
  with_sample(image, [&](auto zero) {
    using T = decltype(zero);
    resize_opencv<T>(out.samples<T>(), image.samples<T>(),
                     {image.width(), image.height(), width, height, image.channels()}, filter);
  });
  out.copy_metadata(image);
  return out;
}

}  // namespace mien::data
