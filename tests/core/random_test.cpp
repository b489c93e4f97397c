#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <mien/core/random.hpp>

#include "support/thrown.hpp"

namespace {

using mien::bf16;
using mien::Generator;
using mien::philox;
using mien::Shape;
using mien::Tensor;

// The vectors that come with the authors' Random123 (tests/kat_vectors, philox4x32, 10 rounds).
TEST(Philox, KnownAnswers) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox(0, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(philox(ones, ones, ones), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

template <class T>
std::vector<double> doubles(const Tensor<T>& x) {
  const Tensor<double> wide = x.template to<double>();
  return {wide.data(), wide.data() + wide.numel()};
}

TEST(Generator, RepeatsFromSeedCopyAndOffset) {
  Generator a(7), b(7), other(8);
  const auto first = doubles(rand<float>({100}, a));
  EXPECT_EQ(doubles(rand<float>({100}, b)), first);
  EXPECT_NE(doubles(rand<float>({100}, other)), first);
  Generator copy = a;
  const auto second = doubles(randn<float>({100}, a));
  EXPECT_EQ(doubles(randn<float>({100}, copy)), second);
  EXPECT_NE(doubles(rand<float>({100}, a)), first);
  a.set_offset(0);
  EXPECT_EQ(doubles(rand<float>({100}, a)), first);
  EXPECT_EQ(a.seed(), 7u);
  EXPECT_EQ(a.offset(), 1u);
}

TEST(Generator, StreamsAreTheirOwn) {
  Generator generator(7);
  const auto draw = [](Generator stream) { return doubles(rand<float>({4}, stream)); };
  const auto first = draw(generator.stream(3, 1));
  EXPECT_NE(draw(generator.stream(1, 3)), first);
  EXPECT_NE(draw(generator.stream(3)), first);
  EXPECT_NE(draw(Generator(8).stream(3, 1)), first);
  generator.uniform();
  EXPECT_EQ(draw(generator.stream(3, 1)), first);
  EXPECT_EQ(generator.stream(0).offset(), 0u);
}

TEST(Generator, ElementsDependOnTheirIndexAlone) {
  const int threads = mien::num_threads();
  const auto draw = [](const Shape& shape) {
    Generator generator(3);
    return doubles(rand<double>(shape, generator));
  };
  mien::set_num_threads(1);
  const auto alone = draw({100003});
  mien::set_num_threads(4);
  EXPECT_EQ(draw({100003}), alone);
  mien::set_num_threads(threads);
  const auto few = draw({2, 3});
  EXPECT_TRUE(std::equal(few.begin(), few.end(), alone.begin()));
  EXPECT_EQ(draw({}).size(), 1u);
  EXPECT_EQ(draw({}).front(), alone.front());
  EXPECT_EQ(draw({0, 4}).size(), 0u);
}

// Sums over bins of (observed - expected)^2 / expected.
double chi_square(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// Seeds are fixed, so these either hold or not; the bounds are those of a test at 0.1 % level.
TEST(Random, UniformNumbersFillTheIntervalEvenly) {
  Generator generator(20);
  constexpr int n = 1 << 18, bins = 64;
  std::vector<int> counts(bins), pairs(bins);
  double sum = 0, previous = 0;
  const auto x = doubles(rand<float>({n}, generator, -2.0f, 2.0f));
  for (const double value : x) {
    ASSERT_GE(value, -2.0);
    ASSERT_LT(value, 2.0);
    const double unit = (value + 2) / 4;
    ++counts[static_cast<std::size_t>(unit * bins)];
    ++pairs[static_cast<std::size_t>(previous * 8) * 8 + static_cast<std::size_t>(unit * 8)];
    previous = unit;
    sum += value;
  }
  EXPECT_LT(chi_square(counts, n / bins), 103.4);  // 63 degrees of freedom
  EXPECT_LT(chi_square(pairs, n / bins), 103.4);   // neighbours are independent
  EXPECT_NEAR(sum / n, 0, 3.3 * 4 / std::sqrt(12.0 * n));
}

TEST(Random, NormalNumbersFollowTheirDistribution) {
  Generator generator(21);
  constexpr int n = 1 << 18;
  auto x = doubles(randn<float>({n}, generator));
  double mean = 0, square = 0, fourth = 0, product = 0;
  for (std::size_t i = 0; i < n; ++i) {
    mean += x[i] / n;
    square += x[i] * x[i] / n;
    fourth += x[i] * x[i] * x[i] * x[i] / n;
    product += x[i] * x[i ^ 1] / n;  // the two numbers of one Box-Muller step
  }
  EXPECT_NEAR(mean, 0, 3.3 / std::sqrt(n));
  EXPECT_NEAR(square, 1, 3.3 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth, 3, 3.3 * std::sqrt(96.0 / n));
  EXPECT_NEAR(product, 0, 3.3 * std::sqrt(2.0 / n));
  std::sort(x.begin(), x.end());
  double distance = 0;  // Kolmogorov-Smirnov
  for (std::size_t i = 0; i < n; ++i) {
    const double expected = std::erfc(-x[i] / std::sqrt(2.0)) / 2;
    distance = std::max(distance, std::abs(expected - (static_cast<double>(i) + 0.5) / n));
  }
  EXPECT_LT(distance, 1.95 / std::sqrt(n));
}

TEST(Random, SixteenBitTypesAreTheFloatsRounded) {
  Generator a(5), b(5);
  const auto wide = rand<float>({1000}, a, 2.0f, 3.0f);
  const auto narrow = rand<bf16>({1000}, b, 2.0f, 3.0f);
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(narrow(i).bits, bf16(wide(i)).bits);
}

TEST(Random, IntegersFillTheirRangeEvenly) {
  Generator generator(22);
  constexpr int n = 1 << 16, bins = 10;
  std::vector<int> counts(bins);
  const Tensor<std::int64_t> x = mien::randint(bins, {n}, generator);
  for (std::int64_t i = 0; i < n; ++i) {
    ASSERT_TRUE(x(i) >= 0 && x(i) < bins);
    ++counts[static_cast<std::size_t>(x(i))];
  }
  EXPECT_LT(chi_square(counts, double{n} / bins), 27.9);  // 9 degrees of freedom
  EXPECT_EQ(generator.below(1), 0u);
  EXPECT_EQ(mien::test::thrown([&] { mien::randint(0, {1}, generator); }),
            "[randint] expected a positive bound, got 0");
}

TEST(Random, UnitIntervalExcludesOne) {
  EXPECT_EQ(Generator::to_unit(0), 0.0f);
  EXPECT_EQ(Generator::to_unit(0xffffffffu), 1.0f - 0x1p-24f);
  Generator generator(1);
  double sum = 0;
  for (int i = 0; i < 1000; ++i) sum += double{generator.uniform()} / 1000;
  EXPECT_NEAR(sum, 0.5, 3.3 / std::sqrt(12.0 * 1000));
}

}  // namespace
