#pragma once
// F1 of each unit of multi-label predictions, such as action units: 2 TP / (2 TP + FP + FN), 0
// where that is 0 / 0, as scikit-learn's with zero_division=0.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <mien/core/tensor.hpp>

namespace mien::metrics {

struct BinaryF1Options {
  std::vector<double> thresholds = {0.5};  // one for all units, or one each
  Tensor<bool> mask = {};                  // (n): rows that count; none: all
};

// (c). scores (n, c): a unit is predicted where its score is at least its threshold; labels (n, c)
// of 0 and 1 in the rows that count.
template <FloatElement T>
std::vector<double> binary_f1_scores(const Tensor<T>& scores, const Tensor<T>& labels,
                                     const BinaryF1Options& options = {}) {
  constexpr std::string_view name = "binary_f1_scores";
  check(scores.rank() == 2, name, "expected scores (n, c), got shape ", scores.shape());
  check(labels.shape() == scores.shape(), name, "expected labels of shape ", scores.shape(),
        ", got ", labels.shape());
  const std::int64_t rows = scores.dim(0), units = scores.dim(1);
  const std::size_t thresholds = options.thresholds.size();
  check(thresholds == 1 || thresholds == static_cast<std::size_t>(units), name, "expected 1 or ",
        units, " thresholds, got ", thresholds);
  check(!options.mask.defined() || options.mask.shape() == Shape{rows}, name,
        "expected a mask of shape ", Shape{rows}, ", got ", options.mask.shape());
  std::vector<double> f1;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const double threshold =
        options.thresholds[thresholds == 1 ? 0 : static_cast<std::size_t>(unit)];
    std::int64_t both = 0, either = 0;  // TP, and 2 TP + FP + FN
    for (std::int64_t row = 0; row < rows; ++row) {
      if (options.mask.defined() && !options.mask(row)) continue;
      const auto label = static_cast<double>(labels(row, unit));
      check(label == 0 || label == 1, name, "expected labels 0 and 1, got ", label, " in row ", row,
            ", unit ", unit);
      const bool predicted = static_cast<double>(scores(row, unit)) >= threshold;
      both += predicted && label == 1;
      either += (predicted ? 1 : 0) + (label == 1 ? 1 : 0);
    }
    f1.push_back(either == 0 ? 0 : 2 * static_cast<double>(both) / static_cast<double>(either));
  }
  return f1;
}

}  // namespace mien::metrics
