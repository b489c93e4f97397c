// Pooling where samples do not reach: special values, threads, errors.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/ops/avg_pool2d.hpp>
#include <mien/ops/global_avg_pool.hpp>
#include <mien/ops/max_pool2d.hpp>

#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(MaxPool2d, NanWinsAndTakesTheGradient) {
  auto x = Tensor<float>::from({1, 2, 2, 1}, {1, nan, infinity, 2});
  x.set_requires_grad();
  const auto y = max_pool2d(x, {.kernel = 2});
  EXPECT_TRUE(std::isnan(y.item()));
  y.backward();
  EXPECT_EQ(x.grad()(0, 0, 1, 0), 1.0f);
  EXPECT_EQ(x.grad()(0, 1, 0, 0), 0.0f);
}

TEST(MaxPool2d, AWindowOfMinusInfinityKeepsItsFirstPixel) {
  auto x = Tensor<float>::full({1, 2, 2, 1}, -infinity);
  x.set_requires_grad();
  const auto y = max_pool2d(x, {.kernel = 2});
  EXPECT_EQ(y.item(), -infinity);
  y.backward();
  EXPECT_EQ(x.grad()(0, 0, 0, 0), 1.0f);
}

TEST(MaxPool2d, EqualPixelsGiveTheGradientToTheFirst) {
  auto x = Tensor<float>::zeros({1, 3, 3, 17});
  x.set_requires_grad();
  const auto y = max_pool2d(x, {.kernel = 3});
  y.backward(Tensor<float>::ones(y.shape()));
  EXPECT_EQ(x.grad()(0, 0, 0, 16), 1.0f);
  EXPECT_EQ(x.grad()(0, 1, 1, 16), 0.0f);
}

TEST(GlobalAvgPool, LargeImageIsExactWithinRounding) {
  Generator generator(5);
  const auto x = rand<float>({2, 301, 97, 3}, generator);
  const auto y = global_avg_pool(x);
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 3; ++c) {
      double sum = 0;
      for (std::int64_t i = 0; i < 301 * 97; ++i) sum += x.data()[(n * 301 * 97 + i) * 3 + c];
      EXPECT_NEAR(y(n, 0, 0, c), sum / (301 * 97), 1e-6);
    }
}

TEST(Pool2d, Errors) {
  const auto x = Tensor<float>::zeros({1, 4, 4, 2});
  EXPECT_EQ(thrown([&] { max_pool2d(x, {.kernel = 5}); }),
            "[max_pool2d] a window of 5 pixels is larger than the padded image's 4");
  EXPECT_EQ(thrown([&] { avg_pool2d(x, {.kernel = 3, .padding = 2}); }),
            "[avg_pool2d] padding of 2 pixels for a window of 3, expected at most half of it");
  EXPECT_EQ(thrown([&] {
              max_pool2d(Tensor<float>::zeros({4, 4}), {.kernel = 2});
            }),
            "[max_pool2d] expected x of shape (n, h, w, c), got (4, 4)");
  EXPECT_EQ(thrown([&] {
              global_avg_pool(Tensor<float>::zeros({1, 0, 4, 2}));
            }),
            "[global_avg_pool] an image of 0x4 pixels has no mean");
}

}  // namespace
