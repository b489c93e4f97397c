#pragma once
// How often each class was predicted as each, and the metrics of classification that follow from
// it. They are scikit-learn's with labels=range(classes) and zero_division=0.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mien/core/error.hpp>

namespace mien::metrics {

class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::int64_t classes) : classes_(classes) {
    check(classes > 0, "confusion_matrix", "expected at least one class, got ", classes);
    counts_.resize(static_cast<std::size_t>(classes * classes));
  }

  void add(std::int64_t truth, std::int64_t predicted) { ++counts_[index(truth, predicted)]; }

  std::int64_t classes() const { return classes_; }
  std::int64_t operator()(std::int64_t truth, std::int64_t predicted) const {
    return counts_[index(truth, predicted)];
  }
  // (truth, predicted), row-major.
  std::span<const std::int64_t> counts() const { return counts_; }

  // Examples of class c, and how often it was predicted.
  std::int64_t of_truth(std::int64_t c) const {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < classes_; ++i) sum += (*this)(c, i);
    return sum;
  }
  std::int64_t of_predicted(std::int64_t c) const {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < classes_; ++i) sum += (*this)(i, c);
    return sum;
  }
  std::int64_t total() const {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts_) sum += count;
    return sum;
  }

 private:
  std::size_t index(std::int64_t truth, std::int64_t predicted) const {
    check(truth >= 0 && truth < classes_ && predicted >= 0 && predicted < classes_,
          "confusion_matrix", "expected classes from 0 to ", classes_ - 1, ", got ", truth,
          " predicted as ", predicted);
    return static_cast<std::size_t>(truth * classes_ + predicted);
  }

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
};

// Of labels from 0 to classes - 1.
inline ConfusionMatrix confusion_matrix(std::span<const std::int64_t> truth,
                                        std::span<const std::int64_t> predicted,
                                        std::int64_t classes) {
  check(truth.size() == predicted.size(), "confusion_matrix", "expected as many predictions as ",
        "labels, ", truth.size(), ", got ", predicted.size());
  ConfusionMatrix matrix(classes);
  for (std::size_t i = 0; i < truth.size(); ++i) matrix.add(truth[i], predicted[i]);
  return matrix;
}

// How many examples each class has.
inline std::vector<std::int64_t> class_counts(std::span<const std::int64_t> labels,
                                              std::int64_t classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const std::int64_t label : labels) {
    check(label >= 0 && label < classes, "class_counts", "expected labels from 0 to ", classes - 1,
          ", got ", label);
    ++counts[static_cast<std::size_t>(label)];
  }
  return counts;
}

namespace detail {

inline double ratio_or_0(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

template <class F>
std::vector<double> of_each_class(const ConfusionMatrix& m, F&& f) {
  std::vector<double> values;
  for (std::int64_t c = 0; c < m.classes(); ++c) values.push_back(f(c));
  return values;
}

}  // namespace detail

// The share of examples that were predicted right; NaN where there are none.
inline double accuracy(const ConfusionMatrix& m) {
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < m.classes(); ++c) right += m(c, c);
  return static_cast<double>(right) / static_cast<double>(m.total());
}

// Of each class: the share of its examples that were predicted right, which papers also call its
// accuracy. 0 for a class without examples.
inline std::vector<double> recall(const ConfusionMatrix& m) {
  return detail::of_each_class(
      m, [&](std::int64_t c) { return detail::ratio_or_0(m(c, c), m.of_truth(c)); });
}

// Of each class: the share of its predictions that are right. 0 for a class never predicted.
inline std::vector<double> precision(const ConfusionMatrix& m) {
  return detail::of_each_class(
      m, [&](std::int64_t c) { return detail::ratio_or_0(m(c, c), m.of_predicted(c)); });
}

// Of each class: 2 TP / (2 TP + FP + FN). 0 for a class neither there nor predicted.
inline std::vector<double> f1_scores(const ConfusionMatrix& m) {
  return detail::of_each_class(m, [&](std::int64_t c) {
    return detail::ratio_or_0(2 * m(c, c), m.of_truth(c) + m.of_predicted(c));
  });
}

// The mean of f1_scores over all classes, those without examples included.
inline double macro_f1(const ConfusionMatrix& m) {
  double sum = 0;
  for (const double f1 : f1_scores(m)) sum += f1;
  return sum / static_cast<double>(m.classes());
}

// The mean recall of the classes that have examples; NaN where none has.
inline double balanced_accuracy(const ConfusionMatrix& m) {
  double sum = 0, present = 0;
  for (std::int64_t c = 0; c < m.classes(); ++c) {
    if (m.of_truth(c) == 0) continue;
    sum += detail::ratio_or_0(m(c, c), m.of_truth(c));
    present += 1;
  }
  return sum / present;
}

}  // namespace mien::metrics
