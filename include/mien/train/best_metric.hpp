#pragma once
// BestMetric: the best value of a metric so far, and the step it was reached at.

#include <cmath>
#include <cstdint>

#include <mien/core/error.hpp>

namespace mien::train {

enum class Goal { minimize, maximize };

struct BestMetricOptions {
  Goal goal = Goal::maximize;
  double min_delta = 0;  // a value is better only if it is better by more than this
};

// What a checkpoint has to hold.
struct BestMetricState {
  bool known = false;  // false: no value yet
  double value = 0;
  std::int64_t step = 0;

  bool operator==(const BestMetricState&) const = default;
};

class BestMetric {
 public:
  explicit BestMetric(const BestMetricOptions& options = {}) : options_(options) {
    check(options.min_delta >= 0, "best metric", "expected min_delta of at least 0, got ",
          options.min_delta);
  }

  // True where `value` is the best so far; NaN never is.
  bool update(double value, std::int64_t step) {
    if (std::isnan(value) || (best_.known && !better(value))) return false;
    best_ = {true, value, step};
    return true;
  }

  const BestMetricState& state() const { return best_; }
  void restore(const BestMetricState& state) { best_ = state; }

 private:
  bool better(double value) const {
    return options_.goal == Goal::maximize ? value > best_.value + options_.min_delta
                                           : value < best_.value - options_.min_delta;
  }

  BestMetricOptions options_;
  BestMetricState best_;
};

}  // namespace mien::train
