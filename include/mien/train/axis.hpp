#pragma once
// Axis: values to pixels, and where its ticks stand.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <mien/train/text.hpp>

namespace mien::train {

// The step of 1, 2 or 5 times a power of ten that makes at most `most` ticks over `span`.
inline double tick_step(double span, int most) {
  const double rough = span / most;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

class Axis {
 public:
  // `low` to `high` in values lies at `start` to `end` in pixels. A logarithmic one needs low > 0.
  Axis(double low, double high, double start, double end, bool logarithmic = false)
      : low_(low), high_(high), start_(start), end_(end), logarithmic_(logarithmic) {
    if (low_ < high_) return;
    const double margin = logarithmic_ ? 0 : std::max(std::abs(low_) * 0.1, 1e-6);
    low_ = logarithmic_ ? low_ / 2 : low_ - margin;  // a single value lies in the middle
    high_ = logarithmic_ ? high_ * 2 : high_ + margin;
  }

  double pixel(double value) const {
    const double share = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_)
                                      : (value - low_) / (high_ - low_);
    return start_ + share * (end_ - start_);
  }

  struct Tick {
    double value;
    std::string label;
  };
  // `most` about; with `whole` at whole numbers only.
  std::vector<Tick> ticks(int most, bool whole = false) const {
    // Less than a decade is divided as a linear axis is.
    if (logarithmic_ && high_ / low_ > 10) return decades(most);
    double step = tick_step(high_ - low_, most);
    if (whole) step = std::max(step, 1.0);
    std::vector<Tick> ticks;
    for (double i = std::ceil(low_ / step - 1e-6); i <= high_ / step + 1e-6; ++i)
      ticks.push_back({i * step, label(i * step, step)});
    return ticks;
  }

 private:
  // 0.001, 0.01, ...; where these are few, 2 and 5 times as much too.
  std::vector<Tick> decades(int most) const {
    const double first = std::floor(std::log10(low_)), last = std::ceil(std::log10(high_));
    const double every = std::max(1.0, std::ceil((last - first) / most));
    std::vector<Tick> ticks;
    for (double decade = first; decade <= last; decade += every)
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor > 1 && 3 * (last - first) > most) continue;
        const double value = factor * std::pow(10, decade);
        if (value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9))
          ticks.push_back({value, significant(value, 3)});
      }
    return ticks;
  }

  // As many decimals as the step has.
  static std::string label(double value, double step) {
    const double largest = std::max(std::abs(value), step);
    if (largest >= 1e6 || step < 1e-5) return value == 0 ? "0" : significant(value, 4);
    const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
    return fixed(value == 0 ? 0 : value, decimals);  // no -0
  }

  double low_, high_, start_, end_;
  bool logarithmic_;
};

}  // namespace mien::train
