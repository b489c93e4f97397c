// Binary cross-entropy: PyTorch's values, both weights, masks, extremes, errors.

#include <cmath>
#include <limits>

#include <mien/loss/binary_cross_entropy.hpp>

#include "loss/golden_losses.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using loss::binary_cross_entropy_with_logits;
using loss::Reduction;
using mien::test::thrown;

template <class T>
class BinaryCrossEntropyTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(BinaryCrossEntropyTest, Types);

TYPED_TEST(BinaryCrossEntropyTest, IsThatOfPyTorch) {
  const test::GoldenLosses golden("binary_cross_entropy");
  for (const bool masked : {false, true})
    for (const bool weighted : {false, true})
      for (const bool mean : {false, true})
        golden.expect<TypeParam>(
            str(masked ? "masked" : "whole", weighted ? ".weighted" : ".plain",
                mean ? ".mean" : ".sum"),
            "logits", [&](const auto& logits) {
              return binary_cross_entropy_with_logits(
                  logits, golden.get<TypeParam>("labels"),
                  {.positive_weight =
                       weighted ? golden.get<double>("pos_weight") : Tensor<double>(),
                   .mask = masked ? golden.get<bool>("mask") : Tensor<bool>(),
                   .reduction = mean ? Reduction::mean : Reduction::sum});
            });
}

// Labels 1 and 0 are the same thing seen from two sides.
TEST(BinaryCrossEntropy, BothSidesAreTreatedAlike) {
  const test::GoldenLosses golden("binary_cross_entropy");
  const auto x = golden.get<double>("logits"), y = golden.get<double>("labels");
  auto opposite_x = x.clone(), opposite_y = y.clone();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    opposite_x.mutable_data()[i] = -x.data()[i];
    opposite_y.mutable_data()[i] = 1 - y.data()[i];
  }
  const auto w0 = golden.get<double>("pos_weight"), w1 = Tensor<double>::from({4}, {1, 2, 3, 4});
  EXPECT_NEAR(
      binary_cross_entropy_with_logits(x, y, {.negative_weight = w0, .positive_weight = w1}).item(),
      binary_cross_entropy_with_logits(opposite_x, opposite_y,
                                       {.negative_weight = w1, .positive_weight = w0})
          .item(),
      1e-14);
}

TEST(BinaryCrossEntropy, StandsLargeLogits) {
  auto x = Tensor<double>::from({1, 4}, {1e6, 1e6, -1e6, -1e6});
  x.set_requires_grad();
  const auto y = Tensor<double>::from({1, 4}, {0, 1, 0, 1});
  const auto loss = binary_cross_entropy_with_logits(x, y, {.reduction = Reduction::sum});
  EXPECT_EQ(loss.item(), 2e6);
  loss.backward();
  const double expected[] = {1, 0, 0, -1};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(x.grad().data()[i], expected[i]) << i;
}

TEST(BinaryCrossEntropy, WhatIsMaskedIsNotRead) {
  const float nan = std::nanf("");
  auto x = Tensor<float>::from({2, 2}, {1, -2, nan, 5});
  x.set_requires_grad();
  const auto y = Tensor<float>::from({2, 2}, {1, 0, -1, nan});
  const auto loss =
      binary_cross_entropy_with_logits(x, y, {.mask = Tensor<bool>::from({2}, {true, false})});
  EXPECT_NEAR(loss.item(), (std::log1p(std::exp(-1.0)) + std::log1p(std::exp(-2.0))) / 2, 1e-7);
  loss.backward();
  EXPECT_EQ(x.grad()(1, 0), 0);
  EXPECT_EQ(x.grad()(1, 1), 0);
}

TEST(BinaryCrossEntropy, NothingLeftIsNaNWithoutGradient) {
  auto x = Tensor<float>::ones({2, 2});
  x.set_requires_grad();
  const auto loss =
      binary_cross_entropy_with_logits(x, x.detach(), {.mask = Tensor<bool>::zeros({2, 2})});
  EXPECT_TRUE(std::isnan(loss.item()));
  loss.backward();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(x.grad().data()[i], 0);
}

TEST(BinaryCrossEntropy, SaysWhatItExpects) {
  const auto x = Tensor<float>::ones({2, 3});
  const auto error = [&](const loss::BinaryCrossEntropyOptions& options) {
    return thrown([&] { binary_cross_entropy_with_logits(x, x, options); });
  };
  const auto bce = [](const Tensor<float>& logits, const Tensor<float>& labels) {
    return thrown([&] { binary_cross_entropy_with_logits(logits, labels); });
  };
  const std::string name = "[binary_cross_entropy_with_logits] ";
  EXPECT_EQ(bce(Tensor<float>::scalar(1), x), name + "expected logits (..., c), got a scalar");
  EXPECT_EQ(bce(x, Tensor<float>::ones({3, 2})),
            name + "expected labels of shape (2, 3), got (3, 2)");
  EXPECT_EQ(bce(x, Tensor<float>::from({2, 3}, {0, 1, 0, 1, -1, 0})),
            name + "expected labels from 0 to 1, got -1 in element 4");
  EXPECT_EQ(bce(x, Tensor<float>::full({2, 3}, std::nanf(""))),
            name + "expected labels from 0 to 1, got nan in element 0");
  EXPECT_EQ(error({.negative_weight = Tensor<double>::ones({2})}),
            name + "expected negative_weight of shape (3), got (2)");
  EXPECT_EQ(error({.positive_weight = Tensor<double>::full({3}, std::nan(""))}),
            name + "expected finite positive_weight of at least 0, got nan for class 0");
  for (const Shape& shape : {Shape{3}, Shape{}, Shape{2, 3, 1}})
    EXPECT_EQ(
        error({.mask = Tensor<bool>::ones(shape)}),
        str(name, "expected a mask of shape (2, 3) or of its leading dimensions, got ", shape));
}

}  // namespace
