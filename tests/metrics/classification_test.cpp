// Confusion matrices, what follows from them, and F1 of multi-label predictions: scikit-learn's.

#include <cmath>

#include <mien/metrics/binary_f1.hpp>
#include <mien/metrics/confusion_matrix.hpp>

#include "metrics/golden_metrics.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

// "absent" has classes that are never there, never predicted, or neither.
TEST(ConfusionMatrix, IsThatOfScikitLearn) {
  const test::GoldenMetrics golden;
  for (const auto& [name, classes] : {std::pair{"all", 4}, {"absent", 6}, {"binary", 2}}) {
    const std::string of = str(name, '.');
    const auto truth = golden.values<std::int64_t>(of + "truth");
    const auto m =
        metrics::confusion_matrix(truth, golden.values<std::int64_t>(of + "predicted"), classes);
    const auto counts = golden.values<std::int64_t>(of + "matrix");
    EXPECT_TRUE(std::equal(counts.begin(), counts.end(), m.counts().begin(), m.counts().end()));
    EXPECT_EQ(m(0, 1), counts[1]);
    EXPECT_EQ(m.total(), 200);
    EXPECT_EQ(metrics::class_counts(truth, classes), golden.values<std::int64_t>(of + "support"));
    golden.expect(metrics::accuracy(m), of + "accuracy");
    golden.expect(metrics::balanced_accuracy(m), of + "balanced_accuracy");
    golden.expect(metrics::precision(m), of + "precision");
    golden.expect(metrics::recall(m), of + "recall");
    golden.expect(metrics::f1_scores(m), of + "f1");
    golden.expect(metrics::macro_f1(m), of + "macro_f1");
  }
}

TEST(ConfusionMatrix, OfNothing) {
  const metrics::ConfusionMatrix m(3);
  EXPECT_TRUE(std::isnan(metrics::accuracy(m)));
  EXPECT_TRUE(std::isnan(metrics::balanced_accuracy(m)));
  EXPECT_EQ(metrics::macro_f1(m), 0);
}

TEST(ConfusionMatrix, SaysWhatItExpects) {
  const std::int64_t labels[] = {0, 2, 1};
  const std::span<const std::int64_t> all(labels);
  EXPECT_EQ(thrown([&] { metrics::confusion_matrix(all, all.first(2), 3); }),
            "[confusion_matrix] expected as many predictions as labels, 3, got 2");
  EXPECT_EQ(thrown([&] { metrics::confusion_matrix(all, all, 2); }),
            "[confusion_matrix] expected classes from 0 to 1, got 2 predicted as 2");
  metrics::ConfusionMatrix m(3);
  EXPECT_EQ(thrown([&] { m.add(1, -1); }),
            "[confusion_matrix] expected classes from 0 to 2, got 1 predicted as -1");
  EXPECT_EQ(thrown([&] { m(3, 0); }),
            "[confusion_matrix] expected classes from 0 to 2, got 3 predicted as 0");
  EXPECT_EQ(thrown([] { metrics::ConfusionMatrix(0); }),
            "[confusion_matrix] expected at least one class, got 0");
  EXPECT_EQ(thrown([&] { metrics::class_counts(all, 2); }),
            "[class_counts] expected labels from 0 to 1, got 2");
}

TEST(BinaryF1, IsThatOfScikitLearn) {
  const test::GoldenMetrics golden;
  const auto scores = golden.get<double>("multi_label.scores");
  const auto labels = golden.get<double>("multi_label.labels");
  const auto thresholds = golden.values<double>("multi_label.thresholds");
  const auto mask = golden.get<bool>("multi_label.mask");
  golden.expect(metrics::binary_f1_scores(scores, labels), "multi_label.f1_half");
  golden.expect(metrics::binary_f1_scores(scores, labels, {.thresholds = thresholds}),
                "multi_label.f1_thresholds");
  for (std::int64_t row = 0; row < mask.numel(); ++row)
    if (!mask(row)) labels.mutable_data()[5 * row] = -1;  // not read
  golden.expect(metrics::binary_f1_scores(scores, labels, {.thresholds = thresholds, .mask = mask}),
                "multi_label.f1_masked");
}

TEST(BinaryF1, SaysWhatItExpects) {
  const auto x = Tensor<float>::ones({2, 3});
  const auto error = [&](const metrics::BinaryF1Options& options) {
    return thrown([&] { metrics::binary_f1_scores(x, x, options); });
  };
  EXPECT_EQ(thrown([&] { metrics::binary_f1_scores(Tensor<float>::ones({3}), x); }),
            "[binary_f1_scores] expected scores (n, c), got shape (3)");
  EXPECT_EQ(thrown([&] {
              metrics::binary_f1_scores(x, Tensor<float>::ones({3, 2}));
            }),
            "[binary_f1_scores] expected labels of shape (2, 3), got (3, 2)");
  EXPECT_EQ(thrown([&] {
              metrics::binary_f1_scores(x, Tensor<float>::full({2, 3}, -1));
            }),
            "[binary_f1_scores] expected labels 0 and 1, got -1 in row 0, unit 0");
  EXPECT_EQ(error({.thresholds = {0.5, 0.5}}),
            "[binary_f1_scores] expected 1 or 3 thresholds, got 2");
  EXPECT_EQ(error({.mask = Tensor<bool>::ones({3})}),
            "[binary_f1_scores] expected a mask of shape (2), got (3)");
}

}  // namespace
