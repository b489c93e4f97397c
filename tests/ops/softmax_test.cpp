// Softmax where samples do not reach: extreme values, long rows and many columns.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/ops/softmax.hpp>

#include "support/difference.hpp"
#include "support/thread_count.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::difference;
using mien::test::thrown;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(Softmax, LongRowsAndManyColumns) {
  Generator generator(1);
  for (const auto& [shape, dim] : {std::pair(Shape{5, 3001}, -1), std::pair(Shape{70, 1003}, 0),
                                   std::pair(Shape{3, 129, 65}, 1), std::pair(Shape{9000, 3}, 1)}) {
    const Tensor<float> x[] = {rand<float>(shape, generator, -30, 30)};
    const auto expected = [&](auto op) {
      const Tensor<double> wide[] = {x[0].to<double>()};
      return op.reference(Inputs<double>(wide));
    };
    EXPECT_EQ(difference(softmax(x[0], dim), expected(ops::Softmax{dim}), 1e-6), "");
    EXPECT_EQ(difference(log_softmax(x[0], dim), expected(ops::LogSoftmax{dim}), 1e-6), "");
  }
}

TEST(Softmax, LargeLogitsDoNotOverflow) {
  const auto x = Tensor<float>::from({1, 3}, {3e38f, 3e38f, -3e38f});
  EXPECT_EQ(softmax(x)(0, 0), 0.5f);
  EXPECT_EQ(softmax(x)(0, 2), 0.0f);
  EXPECT_EQ(softmax(x, 0)(0, 2), 1.0f);
  EXPECT_NEAR(log_softmax(Tensor<float>::from({2}, {0, -200}))(1), -200, 1e-4);
}

TEST(Softmax, MaskedLogitsHaveNoShare) {
  for (const std::int64_t n : {2, 20}) {
    const auto x = Tensor<float>::full({n}, -infinity);
    x.mutable_data()[1] = 5;
    EXPECT_EQ(softmax(x)(1), 1.0f);
    EXPECT_EQ(softmax(x)(0), 0.0f);
    EXPECT_EQ(log_softmax(x)(0), -infinity);
  }
}

TEST(Softmax, NanReachesTheWholeRowAndNoOther) {
  const auto x = Tensor<float>::zeros({2, 20});
  x.mutable_data()[3] = nan;
  EXPECT_TRUE(std::isnan(softmax(x)(0, 19)));
  EXPECT_EQ(softmax(x)(1, 3), 0.05f);
}

TEST(Softmax, SameBitsOnAnyNumberOfThreads) {
  Generator generator(2);
  const auto x = rand<float>({301, 97}, generator, -9, 9);
  mien::test::expect_same_bits_on_any_number_of_threads([&] { return softmax(x); });
  mien::test::expect_same_bits_on_any_number_of_threads([&] { return log_softmax(x, 0); });
}

TEST(Softmax, EmptyAndErrors) {
  EXPECT_EQ(softmax(Tensor<float>::zeros({0, 3})).shape(), (Shape{0, 3}));
  EXPECT_EQ(softmax(Tensor<float>::zeros({3, 0})).shape(), (Shape{3, 0}));
  EXPECT_EQ(thrown([&] { softmax(Tensor<float>::zeros({3}), 1); }),
            "[softmax] dimension 1 of a tensor of rank 1");
}

}  // namespace
