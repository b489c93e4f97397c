// The loss of expression, valence and arousal: PyTorch's values, batches without labels, errors;
// and weights of classes.

#include <cmath>

#include <mien/loss/affect.hpp>
#include <mien/loss/class_weights.hpp>

#include "loss/golden_losses.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using loss::ClassReduction;
using mien::test::thrown;

template <class T>
class AffectLossTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(AffectLossTest, Types);

TYPED_TEST(AffectLossTest, IsEquation1) {
  const test::GoldenLosses golden("affect");
  const auto counts = golden.get<std::int64_t>("counts");
  const auto weight = loss::class_weights({counts.data(), 5});
  for (const bool masked : {false, true})
    for (const bool by_weight : {false, true}) {
      const std::string name =
          str(masked ? "masked" : "whole", by_weight ? ".weighted_mean" : ".mean");
      const loss::AffectLoss loss{.cross_entropy = {.weight = weight,
                                                    .reduction = by_weight
                                                                     ? ClassReduction::weighted_mean
                                                                     : ClassReduction::mean}};
      loss::AffectLabels<TypeParam> labels{.expression = golden.get<std::int64_t>("labels"),
                                           .valence = golden.get<TypeParam>("valence"),
                                           .arousal = golden.get<TypeParam>("arousal")};
      if (masked) {
        const auto known = golden.get<bool>("has_expression");
        labels.has_va = golden.get<bool>("has_va");
        for (std::int64_t i = 0; i < 12; ++i) {
          if (!known(i)) labels.expression.mutable_data()[i] = -100;
          if (!labels.has_va(i)) labels.valence.mutable_data()[i] = TypeParam{-2};
        }
      }
      golden.expect<TypeParam>(name, "outputs", [&](const auto& outputs) {
        const auto terms = loss(outputs, labels);
        const auto expected = golden.get<double>(name + ".terms");
        EXPECT_NEAR(terms.expression.item(), expected(0), 1e-6);
        EXPECT_NEAR(terms.valence.item(), expected(1), 1e-6);
        EXPECT_NEAR(terms.arousal.item(), expected(2), 1e-6);
        return terms.total;
      });
    }
}

TEST(AffectLoss, TermsAreWeighed) {
  const test::GoldenLosses golden("affect");
  const loss::AffectLoss loss{.expression = 2, .valence = 3, .arousal = 5};
  const auto terms =
      loss(golden.get<double>("outputs"), {.expression = golden.get<std::int64_t>("labels"),
                                           .valence = golden.get<double>("valence"),
                                           .arousal = golden.get<double>("arousal")});
  EXPECT_DOUBLE_EQ(terms.total.item(), 2 * terms.expression.item() + 3 * terms.valence.item() +
                                           5 * terms.arousal.item());
}

TEST(AffectLoss, ABatchWithoutLabelsTeachesNothing) {
  auto outputs = Tensor<float>::from({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  outputs.set_requires_grad();
  const auto terms =
      loss::AffectLoss{}(outputs, {.expression = Tensor<std::int64_t>::full({2}, -100),
                                   .valence = Tensor<float>::zeros({2}),
                                   .arousal = Tensor<float>::zeros({2}),
                                   .has_va = Tensor<bool>::zeros({2})});
  EXPECT_EQ(terms.expression.item(), 0);
  EXPECT_EQ(terms.valence.item(), 1);
  EXPECT_EQ(terms.total.item(), 1);
  terms.total.backward();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(outputs.grad().data()[i], 0) << i;
}

TEST(AffectLoss, SaysWhatItExpects) {
  const loss::AffectLabels<float> labels{.expression = Tensor<std::int64_t>::zeros({2}),
                                         .valence = Tensor<float>::ones({3}),
                                         .arousal = Tensor<float>::ones({2})};
  EXPECT_EQ(thrown([&] {
              loss::AffectLoss{}(Tensor<float>::ones({2, 2}), labels);
            }),
            "[affect_loss] expected outputs (n, classes + 2), got shape (2, 2)");
  EXPECT_EQ(thrown([&] {
              loss::AffectLoss{}(Tensor<float>::ones({2, 10}), labels);
            }),
            "[ccc] expected y of the shape of x, (2), got (3)");
  EXPECT_EQ(thrown([&] {
              loss::AffectLoss{}(Tensor<float>::ones({3, 10}), labels);
            }),
            "[cross_entropy] expected labels of shape (3), got (2)");
}

TEST(ClassWeights, FollowFromCounts) {
  const std::int64_t counts[] = {40, 10, 5, 25};
  const auto by_largest = loss::class_weights(counts);
  const auto by_mean = loss::class_weights(counts, loss::ClassScale::mean);
  const double largest[] = {1, 4, 8, 1.6}, mean[] = {0.5, 2, 4, 0.8};
  for (int c = 0; c < 4; ++c) {
    EXPECT_DOUBLE_EQ(by_largest(c), largest[c]) << c;
    EXPECT_DOUBLE_EQ(by_mean(c), mean[c]) << c;
  }
  const std::int64_t positives[] = {25, 80};
  const auto [negative, positive] = loss::binary_weights(positives, 100);
  EXPECT_DOUBLE_EQ(negative(0), 100.0 / 150);
  EXPECT_DOUBLE_EQ(positive(0), 2);
  EXPECT_DOUBLE_EQ(negative(1), 2.5);
  EXPECT_DOUBLE_EQ(positive(1), 0.625);
}

TEST(ClassWeights, NeedExamplesOfEveryClass) {
  const std::int64_t counts[] = {40, 0}, positives[] = {3, 10};
  EXPECT_EQ(thrown([&] { loss::class_weights(counts); }),
            "[class_weights] expected examples of every class, got 0 of class 1");
  EXPECT_EQ(thrown([&] { loss::binary_weights(positives, 10); }),
            "[binary_weights] expected from 1 to 9 positive labels of 10, got 10 of unit 1");
}

}  // namespace
