// Cross-entropy of labels and of probabilities: PyTorch's values, extremes, rows that do not count,
// errors.

#include <cmath>
#include <limits>

#include <mien/core/random.hpp>
#include <mien/loss/cross_entropy.hpp>
#include <mien/loss/soft_cross_entropy.hpp>

#include "loss/golden_losses.hpp"
#include "support/thread_count.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using loss::ClassReduction;
using loss::cross_entropy;
using loss::Reduction;
using mien::test::thrown;

using Labels = Tensor<std::int64_t>;

template <class T>
class CrossEntropyTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(CrossEntropyTest, Types);

TYPED_TEST(CrossEntropyTest, IsThatOfPyTorch) {
  const test::GoldenLosses golden("cross_entropy");
  for (const bool weighted : {false, true})
    for (const bool smooth : {false, true})
      for (const bool mean : {false, true}) {
        const auto weight = weighted ? golden.get<double>("weight") : Tensor<double>();
        const double smoothing = smooth ? 0.125 : 0;
        const std::string options = str(weighted ? ".weighted" : ".plain", smooth ? ".0.125" : ".0",
                                        mean ? ".mean" : ".sum");
        golden.expect<TypeParam>("labels" + options, "logits", [&](const auto& logits) {
          return cross_entropy(
              logits, golden.get<std::int64_t>("labels"),
              {.weight = weight,
               .label_smoothing = smoothing,
               .reduction = mean ? ClassReduction::weighted_mean : ClassReduction::sum});
        });
        golden.expect<TypeParam>("probabilities" + options, "logits", [&](const auto& logits) {
          return cross_entropy(logits, golden.get<TypeParam>("probabilities"),
                               {.weight = weight,
                                .label_smoothing = smoothing,
                                .reduction = mean ? Reduction::mean : Reduction::sum});
        });
      }
}

TEST(CrossEntropy, MeanDividesByTheRowsThatCount) {
  const test::GoldenLosses golden("cross_entropy");
  const auto of = [&](ClassReduction reduction) {
    return cross_entropy(golden.get<double>("logits"), golden.get<std::int64_t>("labels"),
                         {.weight = golden.get<double>("weight"), .reduction = reduction})
        .item();
  };
  EXPECT_NEAR(of(ClassReduction::mean), of(ClassReduction::sum) / 7, 1e-15);
  EXPECT_NE(of(ClassReduction::mean), of(ClassReduction::weighted_mean));
}

TEST(CrossEntropy, StandsLargeLogits) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  auto z = Tensor<double>::from({3, 3}, {1e4, 0, -1e4, 1e4, 0, -1e4, 1e300, 1e300, -infinity});
  z.set_requires_grad();
  const auto loss =
      cross_entropy(z, Labels::from({3}, {0, 2, 1}), {.reduction = ClassReduction::sum});
  EXPECT_EQ(loss.item(), 2e4 + std::log(2.0));
  loss.backward();
  const double expected[] = {0, 0, 0, 1, 0, -1, 0.5, -0.5, 0};
  for (int i = 0; i < 9; ++i) EXPECT_EQ(z.grad().data()[i], expected[i]) << i;
}

// A class may be shut out by a logit of minus infinity as long as it is no target.
TEST(CrossEntropy, ProbabilityZeroTimesInfinityIsNothing) {
  const auto z = Tensor<float>::from({1, 2}, {3, -std::numeric_limits<float>::infinity()});
  EXPECT_EQ(cross_entropy(z, Tensor<float>::from({1, 2}, {1, 0})).item(), 0);
}

TEST(CrossEntropy, WithoutRowsTheMeanIsNaNAndTheGradientZero) {
  auto z = Tensor<float>::ones({2, 3});
  z.set_requires_grad();
  for (const auto reduction : {ClassReduction::weighted_mean, ClassReduction::mean}) {
    const auto loss =
        cross_entropy(z, Labels::from({2}, {1, 1}), {.reduction = reduction, .ignore_index = 1});
    EXPECT_TRUE(std::isnan(loss.item()));
    z.zero_grad();
    loss.backward();
    for (int i = 0; i < 6; ++i) EXPECT_EQ(z.grad().data()[i], 0);
  }
  EXPECT_TRUE(std::isnan(cross_entropy(Tensor<float>(Shape{0, 3}), Labels(Shape{0})).item()));
  EXPECT_EQ(cross_entropy(Tensor<float>(Shape{0, 3}), Labels(Shape{0}),
                          {.reduction = ClassReduction::sum})
                .item(),
            0);
}

TEST(CrossEntropy, TakesStridedTensors) {
  Generator generator(1);
  const auto z = rand<double>({5, 8}, generator, -3, 3);
  const auto labels = Labels::from({8}, {4, 9, 0, 9, 2, 9, 1, 9});
  const auto part = z.as_strided({4, 5}, {8, 1}, 2), turned = z.as_strided({8, 5}, {1, 8});
  EXPECT_EQ(cross_entropy(part, labels.as_strided({4}, {2})).item(),
            cross_entropy(part.clone(), Labels::from({4}, {4, 0, 2, 1})).item());
  EXPECT_EQ(cross_entropy(turned, turned).item(),
            cross_entropy(turned.clone(), turned.clone()).item());
}

TEST(CrossEntropy, HasTheSameBitsOnAnyNumberOfThreads) {
  Generator generator(2);
  const auto z = rand<float>({3001, 8}, generator, -3, 3);
  const auto labels = randint(8, {3001}, generator);
  test::expect_same_bits_on_any_number_of_threads([&] { return cross_entropy(z, labels); });
}

TEST(CrossEntropy, SaysWhatItExpects) {
  const auto z = Tensor<float>::ones({2, 3});
  const auto labels = Labels::from({2}, {0, 2});
  const auto error = [&](const loss::CrossEntropyOptions& options) {
    return thrown([&] { cross_entropy(z, labels, options); });
  };
  EXPECT_EQ(thrown([&] { cross_entropy(Tensor<float>::ones({3}), labels); }),
            "[cross_entropy] expected logits (n, c), got shape (3)");
  EXPECT_EQ(thrown([&] {
              cross_entropy(Tensor<float>(Shape{2, 0}), labels);
            }),
            "[cross_entropy] expected logits (n, c), got shape (2, 0)");
  EXPECT_EQ(thrown([&] { cross_entropy(z, Labels::from({1}, {0})); }),
            "[cross_entropy] expected labels of shape (2), got (1)");
  EXPECT_EQ(thrown([&] {
              cross_entropy(z, Labels::from({2}, {0, 3}));
            }),
            "[cross_entropy] expected labels from 0 to 2 or -100, got 3 in row 1");
  EXPECT_EQ(thrown([&] {
              cross_entropy(z, Labels::from({2}, {-1, 3}));
            }),
            "[cross_entropy] expected labels from 0 to 2 or -100, got -1 in row 0");
  EXPECT_EQ(error({.weight = Tensor<double>::ones({2})}),
            "[cross_entropy] expected weight of shape (3), got (2)");
  EXPECT_EQ(error({.weight = Tensor<double>::from({3}, {1, std::nan(""), 1})}),
            "[cross_entropy] expected finite weight of at least 0, got nan for class 1");
  EXPECT_EQ(error({.weight = Tensor<double>::from({3}, {1, 1, -2})}),
            "[cross_entropy] expected finite weight of at least 0, got -2 for class 2");
  EXPECT_EQ(error({.label_smoothing = 1.5}),
            "[cross_entropy] expected label_smoothing from 0 to 1, got 1.5");
}

TEST(SoftCrossEntropy, SaysWhatItExpects) {
  const auto z = Tensor<float>::ones({2, 3});
  EXPECT_EQ(thrown([&] { cross_entropy(Tensor<float>::ones({3}), z); }),
            "[soft_cross_entropy] expected logits (n, c), got shape (3)");
  EXPECT_EQ(thrown([&] {
              cross_entropy(z, Tensor<float>::ones({2, 2}));
            }),
            "[soft_cross_entropy] expected probabilities of shape (2, 3), got (2, 2)");
  EXPECT_EQ(thrown([&] { cross_entropy(z, z, {.weight = Tensor<double>::ones({2})}); }),
            "[soft_cross_entropy] expected weight of shape (3), got (2)");
  EXPECT_EQ(thrown([&] { cross_entropy(z, z, {.label_smoothing = -0.5}); }),
            "[soft_cross_entropy] expected label_smoothing from 0 to 1, got -0.5");
}

}  // namespace
