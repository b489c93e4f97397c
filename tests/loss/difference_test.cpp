// Squared and absolute error: what samples do not reach.

#include <gtest/gtest.h>

#include <cmath>

#include <mien/autograd/engine.hpp>
#include <mien/core/random.hpp>
#include <mien/loss/l1.hpp>
#include <mien/loss/mse.hpp>

#include "support/thread_count.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

TEST(Difference, WhatIsMaskedIsNotRead) {
  auto x = Tensor<float>::from({2, 2}, {1, 2, std::nanf(""), 4});
  x.set_requires_grad();
  const auto y = Tensor<float>::from({2, 2}, {3, 2, 7, -5});
  const auto mask = Tensor<bool>::from({2, 2}, {true, true, false, false});
  EXPECT_EQ(loss::mse(x, y, {.mask = mask}).item(), 2);
  EXPECT_EQ(loss::l1(x, y, {.mask = mask, .reduction = loss::Reduction::sum}).item(), 2);
  loss::mse(x, y, {.mask = mask}).backward();
  EXPECT_EQ(x.grad()(0, 0), -2);
  for (const int i : {1, 2, 3}) EXPECT_EQ(x.grad().data()[i], 0) << i;
}

TEST(Difference, NothingLeftIsNaNWithoutGradient) {
  auto x = Tensor<float>::ones({2});
  x.set_requires_grad();
  const auto loss = loss::l1(x, Tensor<float>::zeros({2}), {.mask = Tensor<bool>::zeros({2})});
  EXPECT_TRUE(std::isnan(loss.item()));
  loss.backward();
  EXPECT_EQ(x.grad()(0), 0);
  EXPECT_EQ(loss::mse(Tensor<float>(Shape{0}), Tensor<float>(Shape{0}),
                      {.reduction = loss::Reduction::sum})
                .item(),
            0);
}

TEST(Difference, AbsoluteErrorOfEqualsHasNoSlope) {
  auto x = Tensor<double>::ones({3});
  x.set_requires_grad();
  loss::l1(x, x.detach()).backward();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(x.grad()(i), 0);
}

TEST(Difference, SumsInDouble) {
  const std::int64_t n = 10'000'000;  // a sum in float would stop at 2^24 / 10
  EXPECT_EQ(loss::l1(Tensor<float>::full({n}, 0.1f), Tensor<float>::zeros({n})).item(), 0.1f);
}

TEST(Difference, HasTheSameBitsOnAnyNumberOfThreads) {
  Generator generator(1);
  const auto x = rand<float>({3, 30001}, generator), y = rand<float>({3, 30001}, generator);
  test::expect_same_bits_on_any_number_of_threads([&] { return loss::mse(x, y); });
}

TEST(Difference, SaysWhatItExpects) {
  const auto x = Tensor<float>::ones({2, 3});
  EXPECT_EQ(thrown([&] { loss::mse(x, Tensor<float>::ones({2})); }),
            "[mse] expected y of the shape of x, (2, 3), got (2)");
  EXPECT_EQ(thrown([&] { loss::l1(x, x, {.mask = Tensor<bool>::ones({3})}); }),
            "[l1] expected a mask of shape (2, 3) or of its leading dimensions, got (3)");
}

}  // namespace
