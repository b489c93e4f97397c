#pragma once
// ColorJitter: brightness, contrast, saturation and hue changed at random and in random order, as
// torchvision.transforms.ColorJitter changes PIL images.

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <mien/core/random.hpp>
#include <mien/data/adjust_color.hpp>

namespace mien::data {

// What a factor is drawn from: `.brightness = 0.3` is at most 0.3 from what changes nothing,
// `.brightness = {0.5, 1.2}` is a range.
struct JitterRange {
  JitterRange(double distance = 0) : low(-distance), high(distance), around_neutral(true) {}
  JitterRange(double lowest, double highest) : low(lowest), high(highest) {}

  double low, high;
  bool around_neutral = false;
};

// Factors of at least 0, of which 1 changes nothing; of hue, turns from -0.5 to 0.5.
struct ColorJitterOptions {
  JitterRange brightness = {}, contrast = {}, saturation = {}, hue = {};
};

enum class Adjustment { brightness, contrast, saturation, hue };

class ColorJitter {
 public:
  // What one image gets. Adjustments without a factor are left out.
  struct Draw {
    std::array<Adjustment, 4> order = {Adjustment::brightness, Adjustment::contrast,
                                       Adjustment::saturation, Adjustment::hue};
    std::optional<double> brightness = {}, contrast = {}, saturation = {}, hue = {};
  };

  explicit ColorJitter(const ColorJitterOptions& options)
      : brightness_(checked(options.brightness, "brightness", 1)),
        contrast_(checked(options.contrast, "contrast", 1)),
        saturation_(checked(options.saturation, "saturation", 1)),
        hue_(checked(options.hue, "hue", 0)) {}

  Draw draw(Generator& random) const {
    Draw result;
    for (std::size_t left = 4; left > 1; --left)  // Fisher and Yates
      std::swap(result.order[left - 1], result.order[random.below(left)]);
    result.brightness = factor(brightness_, random);
    result.contrast = factor(contrast_, random);
    result.saturation = factor(saturation_, random);
    result.hue = factor(hue_, random);
    return result;
  }

  // 8 bits, grey or RGB.
  static Image apply(Image image, const Draw& draw) {
    for (const Adjustment adjustment : draw.order) {
      if (adjustment == Adjustment::brightness && draw.brightness)
        image = adjust_brightness(std::move(image), *draw.brightness);
      if (adjustment == Adjustment::contrast && draw.contrast)
        image = adjust_contrast(std::move(image), *draw.contrast);
      if (adjustment == Adjustment::saturation && draw.saturation)
        image = adjust_saturation(std::move(image), *draw.saturation);
      if (adjustment == Adjustment::hue && draw.hue)
        image = adjust_hue(std::move(image), *draw.hue);
    }
    return image;
  }

  Image operator()(Image image, Generator& random) const {
    return apply(std::move(image), draw(random));
  }

 private:
  using Range = std::optional<std::pair<double, double>>;

  // Nothing where every factor of the range changes nothing.
  static Range checked(const JitterRange& range, std::string_view name, double neutral) {
    const bool is_hue = neutral == 0;
    double low = range.low, high = range.high;
    if (range.around_neutral) {
      check(high >= 0, "color_jitter", name, ": expected a distance of at least 0, got ", high);
      low = is_hue ? low : std::max(0.0, neutral + low);
      high += neutral;
    }
    const double lowest = is_hue ? -0.5 : 0;
    const double highest = is_hue ? 0.5 : std::numeric_limits<double>::infinity();
    check(lowest <= low && low <= high && high <= highest, "color_jitter", name,
          ": expected a range within ", lowest, " to ", highest, ", got ", low, " to ", high);
    if (low == neutral && high == neutral) return {};
    return std::pair(low, high);
  }

  static std::optional<double> factor(const Range& range, Generator& random) {
    if (!range) return {};
    return range->first + (range->second - range->first) * double{random.uniform()};
  }

  Range brightness_, contrast_, saturation_, hue_;
};

}  // namespace mien::data
