#pragma once
// Metrics of expression, valence and arousal over a validation set, gathered batch by batch.
//
//   metrics::AffectMeter meter({.classes = 8, .left_out = 1});  // AffectNet; 1: Contempt
//   for (...) meter.add(outputs, labels);
//   const metrics::AffectScores scores = meter.scores();
//   accuracy(scores.expression), accuracy(scores.without), scores.valence.ccc, ...
//
// Figures for seven classes of a network with eight outputs drop the rows of the class left out and
// its output: the prediction is the largest of the others.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <mien/core/tensor.hpp>
#include <mien/metrics/confusion_matrix.hpp>
#include <mien/metrics/regression.hpp>

namespace mien::metrics {

struct AffectMeterOptions {
  std::int64_t classes = 8;
  std::int64_t left_out = -1;  // a class; -1: none
  std::int64_t ignore_index = -100;
};

struct AffectScores {
  ConfusionMatrix expression;
  ConfusionMatrix without;  // classes - 1, in their order; empty where no class is left out
  RegressionScores valence, arousal;
};

// Labels of n rows, such as loss::AffectLabels: expression (n), ignore_index where there is none;
// valence, arousal (n); has_va (n): rows where these are known, or undefined: all.
template <class L>
concept AffectLabelled = requires(const L& labels) {
  { labels.expression } -> std::convertible_to<Tensor<std::int64_t>>;
  { labels.valence(0) } -> std::convertible_to<double>;
  { labels.arousal(0) } -> std::convertible_to<double>;
  { labels.has_va } -> std::convertible_to<Tensor<bool>>;
};

class AffectMeter {
 public:
  explicit AffectMeter(const AffectMeterOptions& options = {})
      : options_(options), expression_(options.classes), without_(options.classes - 1) {
    check(options.left_out >= -1 && options.left_out < options.classes, name,
          "expected to leave out a class from 0 to ", options.classes - 1, ", or -1, got ",
          options.left_out);
  }

  // outputs (n, classes + 2): logits or scores, valence, arousal.
  template <FloatElement T, AffectLabelled Labels>
  void add(const Tensor<T>& outputs, const Labels& labels) {
    const std::int64_t classes = options_.classes;
    check(outputs.rank() == 2 && outputs.dim(1) == classes + 2, name, "expected outputs (n, ",
          classes + 2, "), got shape ", outputs.shape());
    const Shape rows{outputs.dim(0)};
    const auto check_rows = [&](const char* what, const Shape& got) {
      check(got == rows, name, "expected ", what, " of shape ", rows, ", got ", got);
    };
    check_rows("expressions", labels.expression.shape());
    check_rows("valences", labels.valence.shape());
    check_rows("arousals", labels.arousal.shape());
    if (labels.has_va.defined()) check_rows("has_va", labels.has_va.shape());
    for (std::int64_t row = 0; row < rows[0]; ++row) {
      add_expression(outputs, row, labels.expression(row));
      if (labels.has_va.defined() && !labels.has_va(row)) continue;
      valence_.push_back(static_cast<double>(outputs(row, classes)), labels.valence(row));
      arousal_.push_back(static_cast<double>(outputs(row, classes + 1)), labels.arousal(row));
    }
  }

  AffectScores scores() const {
    return {expression_, without_, valence_.scores(), arousal_.scores()};
  }

 private:
  static constexpr const char* name = "affect_meter";

  struct Pairs {
    std::vector<double> predicted, truth;

    void push_back(double x, double y) {
      predicted.push_back(x);
      truth.push_back(y);
    }
    RegressionScores scores() const { return regression_scores(predicted, truth); }
  };

  template <class T>
  void add_expression(const Tensor<T>& outputs, std::int64_t row, std::int64_t label) {
    if (label == options_.ignore_index) return;
    // The largest output but `left_out`, the first one of equals.
    const auto predicted = [&](std::int64_t left_out) {
      std::int64_t best = left_out == 0 ? 1 : 0;
      for (std::int64_t c = best + 1; c < options_.classes; ++c)
        if (c != left_out && outputs(row, c) > outputs(row, best)) best = c;
      return best;
    };
    expression_.add(label, predicted(-1));
    const std::int64_t left_out = options_.left_out;
    if (left_out < 0 || label == left_out) return;
    const auto moved_up = [&](std::int64_t c) { return c > left_out ? c - 1 : c; };
    without_.add(moved_up(label), moved_up(predicted(left_out)));
  }

  AffectMeterOptions options_;
  ConfusionMatrix expression_, without_;
  Pairs valence_, arousal_;
};

}  // namespace mien::metrics
