#pragma once
// Resizing as Pillow's Image.resize does it, bit for bit: antialiased when shrinking, 8 bits.
// Source: Pillow, src/libImaging/Resample.c and Convert.c.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include <mien/cpu/resize_pillow.hpp>
#include <mien/data/image.hpp>

namespace mien::data {

enum class PillowFilter { bilinear, bicubic, lanczos };

struct PillowResize {
  PillowFilter filter = PillowFilter::bilinear;
  // The horizontal pass always goes first, as in Pillow up to 12 (12 excepts images over 100 times
  // as tall as wide). Pillow 13 begins with the vertical one where the height loses more than twice
  // as many pixels as the width; the rounding to 8 bits between the passes makes the difference.
  bool horizontal_first = false;
  // Colour is multiplied by alpha before and divided after, as Pillow does in its modes LA and
  // RGBA.
  bool premultiply_alpha = true;
};

namespace detail {

inline double filter_support(PillowFilter filter) {
  switch (filter) {
    case PillowFilter::bilinear:
      return 1;
    case PillowFilter::bicubic:
      return 2;
    case PillowFilter::lanczos:
      break;
  }
  return 3;
}

inline double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

inline double filter_value(PillowFilter filter, double x) {
  switch (filter) {
    case PillowFilter::bilinear:
      return std::max(0.0, 1 - std::fabs(x));
    case PillowFilter::bicubic: {
      constexpr double a = -0.5;
      x = std::fabs(x);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    }
    case PillowFilter::lanczos:
      break;
  }
  return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

// The weights of one axis in fixed point, normalised to a sum of one before rounding.
class PillowWeights {
 public:
  PillowWeights(std::int64_t in, std::int64_t out, PillowFilter filter)
      : first_(static_cast<std::size_t>(out)), count_(first_.size()) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double stretch = std::max(scale, 1.0);
    const double support = filter_support(filter) * stretch, shrink = 1 / stretch;
    stride_ = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
    weights_.resize(first_.size() * stride_);
    std::vector<double> exact(stride_);
    for (std::size_t i = 0; i < first_.size(); ++i) {
      const double center = (static_cast<double>(i) + 0.5) * scale;
      const auto first =
          std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
      const auto end = std::min(static_cast<std::int64_t>(center + support + 0.5), in);
      const auto count = static_cast<std::size_t>(end - first);
      double sum = 0;
      for (std::size_t t = 0; t < count; ++t) {
        const double at = static_cast<double>(t) + static_cast<double>(first);
        exact[t] = filter_value(filter, (at - center + 0.5) * shrink);
        sum += exact[t];
      }
      for (std::size_t t = 0; t < count; ++t)
        weights_[i * stride_ + t] = fixed_point(sum != 0 ? exact[t] / sum : exact[t]);
      first_[i] = static_cast<std::int32_t>(first);
      count_[i] = static_cast<std::int32_t>(count);
    }
  }

  kernels::PillowPass pass() const {
    return {first_.data(), count_.data(), weights_.data(), static_cast<std::int64_t>(stride_)};
  }

 private:
  // Rounded half away from zero.
  static std::int32_t fixed_point(double weight) {
    const double scaled = weight * (1 << kernels::pillow_bits);
    return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
  }

  std::vector<std::int32_t> first_, count_, weights_;
  std::size_t stride_;
};

// round(a * b / 255) without division.
inline int scale_by_255th(int a, int b) {
  const int t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

// Applies change(colour, alpha) to every colour sample.
template <class F>
void change_colour(Image& image, F&& change) {
  const int channels = image.channels();
  const auto samples = image.samples<std::uint8_t>();
  for (std::uint8_t* p = samples.data(); p != samples.data() + samples.size(); p += channels)
    for (int c = 0; c < channels - 1; ++c)
      p[c] = static_cast<std::uint8_t>(change(p[c], p[channels - 1]));
}

inline Image resize_axis(const Image& image, std::int64_t width, std::int64_t height,
                         PillowFilter filter) {
  const bool horizontal = width != image.width();
  Image out(width, height, image.channels());
  const auto resize =
      horizontal ? kernels::resize_pillow_horizontal : kernels::resize_pillow_vertical;
  const PillowWeights weights = horizontal ? PillowWeights(image.width(), width, filter)
                                           : PillowWeights(image.height(), height, filter);
  resize(Cpu{}, out.samples<std::uint8_t>().data(), image.samples<std::uint8_t>().data(),
         weights.pass(), {height, image.width(), width, image.channels()});
  return out;
}

}  // namespace detail

// `image`, of 8 bits, at another size.
inline Image resize_pillow(const Image& image, std::int64_t width, std::int64_t height,
                           const PillowResize& options = {}) {
  check(image.bits() == 8, "resize_pillow", "expected an image of 8 bits, got ", image.bits());
  check(width >= 1 && height >= 1, "resize_pillow", "asked for ", width, " x ", height, " pixels");
  if (width == image.width() && height == image.height()) return image;
  if (image.has_alpha() && options.premultiply_alpha) {
    Image colour = image;
    detail::change_colour(colour, detail::scale_by_255th);
    PillowResize plain = options;
    plain.premultiply_alpha = false;
    Image out = resize_pillow(colour, width, height, plain);
    detail::change_colour(out, [](int colour_sample, int alpha) {
      return alpha == 0 ? colour_sample : std::min(255 * colour_sample / alpha, 255);
    });
    return out;
  }

  const std::int64_t shrinks_x = image.width() - width, shrinks_y = image.height() - height;
  const bool vertical_first =
      !options.horizontal_first && shrinks_y > 0 && shrinks_y > 2 * shrinks_x;
  Image out;
  if (shrinks_x == 0 || shrinks_y == 0) {
    out = detail::resize_axis(image, width, height, options.filter);
  } else if (vertical_first) {
    const Image between = detail::resize_axis(image, image.width(), height, options.filter);
    out = detail::resize_axis(between, width, height, options.filter);
  } else {
    const Image between = detail::resize_axis(image, width, image.height(), options.filter);
    out = detail::resize_axis(between, width, height, options.filter);
  }
  out.copy_metadata(image);
  return out;
}

}  // namespace mien::data
