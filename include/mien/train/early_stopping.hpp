#pragma once
// EarlyStopping: ends a run once a metric has not become better for a number of looks at it in a
// row (as PyTorch Lightning's EarlyStopping).

#include <cstdint>

#include <mien/core/error.hpp>
#include <mien/train/best_metric.hpp>

namespace mien::train {

struct EarlyStoppingOptions {
  std::int64_t patience = 10;  // so many values in a row without a better one end the run
  Goal goal = Goal::maximize;
  double min_delta = 0;  // a value is better only if it is better by more than this
};

// What a checkpoint has to hold.
struct EarlyStoppingState {
  BestMetricState best;
  std::int64_t without_gain = 0;  // values since the best one

  bool operator==(const EarlyStoppingState&) const = default;
};

class EarlyStopping {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options = {})
      : patience_(options.patience), best_({options.goal, options.min_delta}) {
    check(patience_ > 0, "early stopping", "expected a patience of at least 1, got ", patience_);
  }

  // True where the run should end.
  bool update(double value, std::int64_t step) {
    without_gain_ = best_.update(value, step) ? 0 : without_gain_ + 1;
    return without_gain_ >= patience_;
  }

  EarlyStoppingState state() const { return {best_.state(), without_gain_}; }
  void restore(const EarlyStoppingState& state) {
    best_.restore(state.best);
    without_gain_ = state.without_gain;
  }

 private:
  std::int64_t patience_;
  BestMetric best_;
  std::int64_t without_gain_ = 0;
};

}  // namespace mien::train
