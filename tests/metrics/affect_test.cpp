// Figures of expression, valence and arousal over batches, with eight classes and with seven.

#include <algorithm>
#include <cmath>
#include <vector>

#include <mien/loss/affect.hpp>
#include <mien/metrics/affect.hpp>

#include "metrics/golden_metrics.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

template <class T>
Tensor<T> rows(const Tensor<T>& x, std::int64_t begin, std::int64_t end) {
  Shape shape = x.shape();
  shape[0] = end - begin;
  return x.as_strided(shape, x.strides(), begin * x.strides()[0]);
}

TEST(AffectMeter, IsThatOfScikitLearn) {
  const test::GoldenMetrics golden;
  const auto outputs = golden.get<float>("affect.outputs");
  const auto known = golden.get<bool>("affect.known");
  loss::AffectLabels<float> labels{.expression = golden.get<std::int64_t>("affect.labels").clone(),
                                   .valence = golden.get<float>("affect.valence"),
                                   .arousal = golden.get<float>("affect.arousal"),
                                   .has_va = golden.get<bool>("affect.has_va")};
  for (std::int64_t i = 0; i < known.numel(); ++i)
    if (!known(i)) labels.expression.mutable_data()[i] = -100;

  metrics::AffectMeter meter({.left_out = 1});
  for (std::int64_t begin = 0; begin < known.numel(); begin += 50) {
    const std::int64_t end = std::min<std::int64_t>(begin + 50, known.numel());
    meter.add(rows(outputs, begin, end),
              loss::AffectLabels<float>{.expression = rows(labels.expression, begin, end),
                                        .valence = rows(labels.valence, begin, end),
                                        .arousal = rows(labels.arousal, begin, end),
                                        .has_va = rows(labels.has_va, begin, end)});
  }
  const metrics::AffectScores scores = meter.scores();
  for (const auto& [name, m] :
       {std::pair{"affect.eight", &scores.expression}, {"affect.seven", &scores.without}}) {
    golden.expect(metrics::accuracy(*m), str(name, ".accuracy"));
    golden.expect(metrics::recall(*m), str(name, ".recall"));
    golden.expect(metrics::macro_f1(*m), str(name, ".macro_f1"));
  }
  for (const auto& [name, s] : {std::pair{"affect.valence_scores", &scores.valence},
                                {"affect.arousal_scores", &scores.arousal}}) {
    golden.expect(s->rmse, str(name, ".rmse"));
    golden.expect(s->ccc, str(name, ".ccc"));
  }
}

TEST(AffectMeter, PredictsTheFirstOfEqualOutputs) {
  for (const std::int64_t left_out : {0, 1, 2}) {
    metrics::AffectMeter meter({.classes = 3, .left_out = left_out});
    meter.add(Tensor<bf16>::ones({1, 5}),
              loss::AffectLabels<float>{
                  .expression = Tensor<std::int64_t>::full({1}, left_out == 2 ? 1 : 2),
                  .valence = Tensor<float>::ones({1}),
                  .arousal = Tensor<float>::ones({1})});
    const auto scores = meter.scores();
    EXPECT_EQ(scores.expression.of_predicted(0), 1);
    EXPECT_EQ(scores.without(1, 0), 1);
  }
}

TEST(AffectMeter, NeverPredictsTheClassLeftOut) {
  for (const std::int64_t left_out : {0, 1, 2}) {
    auto outputs = Tensor<float>::from({1, 5}, {1, 1, 1, 0, 0});
    outputs.mutable_data()[left_out] = 9;
    outputs.mutable_data()[left_out == 2 ? 1 : 2] = 5;  // the second of the two others
    metrics::AffectMeter meter({.classes = 3, .left_out = left_out});
    meter.add(outputs, loss::AffectLabels<float>{
                           .expression = Tensor<std::int64_t>::full({1}, left_out == 2 ? 1 : 2),
                           .valence = Tensor<float>::ones({1}),
                           .arousal = Tensor<float>::ones({1})});
    EXPECT_EQ(meter.scores().expression.of_predicted(left_out), 1);
    EXPECT_EQ(meter.scores().without(1, 1), 1);
  }
}

TEST(AffectMeter, WithoutRows) {
  const auto scores = metrics::AffectMeter().scores();
  EXPECT_EQ(scores.expression.total(), 0);
  EXPECT_EQ(scores.without.total(), 0);
  EXPECT_TRUE(std::isnan(scores.valence.ccc));
}

TEST(AffectMeter, SaysWhatItExpects) {
  const loss::AffectLabels<float> labels{.expression = Tensor<std::int64_t>::full({2}, 8),
                                         .valence = Tensor<float>::ones({2}),
                                         .arousal = Tensor<float>::ones({3}),
                                         .has_va = Tensor<bool>::ones({1})};
  metrics::AffectMeter meter;
  const auto error = [&](const Shape& outputs, const auto& given) {
    return thrown([&] { meter.add(Tensor<float>::ones(outputs), given); });
  };
  EXPECT_EQ(error({2, 8}, labels), "[affect_meter] expected outputs (n, 10), got shape (2, 8)");
  EXPECT_EQ(error({3, 10}, labels), "[affect_meter] expected expressions of shape (3), got (2)");
  EXPECT_EQ(error({2, 10}, labels), "[affect_meter] expected arousals of shape (2), got (3)");
  auto fitting = labels;
  fitting.arousal = Tensor<float>::ones({2});
  EXPECT_EQ(error({2, 10}, fitting), "[affect_meter] expected has_va of shape (2), got (1)");
  fitting.has_va = {};
  EXPECT_EQ(error({2, 10}, fitting),
            "[confusion_matrix] expected classes from 0 to 7, got 8 predicted as 0");
  EXPECT_EQ(thrown([] { metrics::AffectMeter({.left_out = 8}); }),
            "[affect_meter] expected to leave out a class from 0 to 7, or -1, got 8");
}

}  // namespace
