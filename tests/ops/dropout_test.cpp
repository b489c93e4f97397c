// Dropout and stochastic depth: statistics, and which mask is drawn when.

#include <gtest/gtest.h>
#include <mien/ops/drop_path.hpp>
#include <mien/ops/dropout.hpp>

#include "support/thread_count.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::same_bits;
using mien::test::thrown;

double mean_of(const Tensor<float>& x) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) sum += x.data()[i];
  return sum / static_cast<double>(x.numel());
}

TEST(Dropout, DropsTheShareAskedForAndKeepsTheMean) {
  Generator generator(1);
  const std::int64_t n = 200000;
  const auto y = dropout(Tensor<float>::ones({n}), 0.3, generator);
  std::int64_t dropped = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (y.data()[i] == 0)
      ++dropped;
    else
      ASSERT_EQ(y.data()[i], static_cast<float>(1 / 0.7));
  }
  // Standard deviation of the share: sqrt(0.3 * 0.7 / n) = 0.001.
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(n), 0.3, 0.005);
  EXPECT_NEAR(mean_of(y), 1, 0.01);
}

TEST(Dropout, BackwardUsesTheSameMask) {
  Generator generator(2);
  auto x = Tensor<float>::full({37, 11}, 3);
  x.set_requires_grad();
  const auto y = dropout(x, 0.5, generator);
  y.backward(Tensor<float>::full({37, 11}, 3));
  EXPECT_TRUE(same_bits(x.grad(), y));
}

TEST(Dropout, EveryDrawIsAnotherAndACopiedGeneratorRepeatsIt) {
  Generator generator(3);
  const auto x = Tensor<float>::ones({1000});
  Generator copy = generator;
  const auto first = dropout(x, 0.5, generator), second = dropout(x, 0.5, generator);
  EXPECT_FALSE(same_bits(first, second));
  EXPECT_TRUE(same_bits(dropout(x, 0.5, copy), first));
}

TEST(Dropout, SameMaskOnAnyNumberOfThreads) {
  const auto x = Tensor<float>::ones({70, 1001});
  mien::test::expect_same_bits_on_any_number_of_threads([&] {
    Generator generator(4);
    return dropout(x, 0.2, generator);
  });
  mien::test::expect_same_bits_on_any_number_of_threads([&] {
    Generator generator(4);
    return drop_path(x, 0.2, generator);
  });
}

TEST(Dropout, ProbabilitiesZeroAndOne) {
  Generator generator(5);
  const auto x = Tensor<float>::ones({100});
  EXPECT_EQ(dropout(x, 0, generator).storage(), x.storage());
  EXPECT_EQ(generator.offset(), 0u) << "no draw was needed";
  EXPECT_EQ(mean_of(dropout(x, 1, generator)), 0);
  EXPECT_EQ(thrown([&] { dropout(x, 1.5, generator); }),
            "[dropout] expected a probability from 0 to 1, got 1.5");
}

TEST(DropPath, DropsWholeSamples) {
  Generator generator(6);
  const std::int64_t n = 20000, size = 5;
  const auto y = drop_path(Tensor<float>::ones({n, size}), 0.2, generator);
  std::int64_t dropped = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 1; j < size; ++j) ASSERT_EQ(y(i, j), y(i, 0));
    if (y(i, 0) == 0)
      ++dropped;
    else
      ASSERT_EQ(y(i, 0), 1.25f);
  }
  // Standard deviation of the share: sqrt(0.2 * 0.8 / n) = 0.003.
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(n), 0.2, 0.012);
}

TEST(DropPath, NeedsSamples) {
  Generator generator(7);
  EXPECT_EQ(thrown([&] { drop_path(Tensor<float>::scalar(1), 0.5, generator); }),
            "[dropout] samples of a tensor without dimensions");
  EXPECT_EQ(drop_path(Tensor<float>::ones({0, 3}), 0.5, generator).shape(), (Shape{0, 3}));
}

}  // namespace
