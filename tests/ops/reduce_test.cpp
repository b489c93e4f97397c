// Reductions where samples do not reach: long, wide and empty ones, special values, threads, ties.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/ops/max.hpp>
#include <mien/ops/mean.hpp>
#include <mien/ops/min.hpp>
#include <mien/ops/sum.hpp>
#include <mien/ops/sum_to.hpp>

#include "support/difference.hpp"
#include "support/thread_count.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::difference;
using mien::test::thrown;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

struct Case {
  Shape shape;
  Over over;
};

// Shapes that split in each way: pieces of one long reduction, strips of columns, many small ones.
const Case cases[] = {{{300007}, {}},
                      {{70001, 3}, {.dims = {0}}},
                      {{5, 30011}, {.dims = {0}}},
                      {{9, 2003, 17}, {.dims = {1}}},
                      {{20011, 10}, {.dims = {-1}}},
                      {{31, 7, 41, 13}, {.dims = {0, 2}}}};

TEST(Sum, LongAndWide) {
  Generator generator(1);
  for (const auto& [shape, over] : cases) {
    const auto x = rand<float>(shape, generator, -1, 3);
    const Tensor<double> wide[] = {x.to<double>()};
    const auto expected = ops::Sum{over}.reference(Inputs<double>(wide));
    EXPECT_EQ(difference(sum(x, over), expected, 2e-6), "") << to_string(shape);
  }
}

TEST(Extrema, LongAndWide) {
  Generator generator(2);
  for (const auto& [shape, over] : cases) {
    const Tensor<float> x[] = {rand<float>(shape, generator, -1, 3)};
    const Inputs<float> in(x);
    EXPECT_EQ(difference(max(x[0], over), ops::Max{over}.reference(in).to<double>(), 0), "");
    EXPECT_EQ(difference(min(x[0], over), ops::Min{over}.reference(in).to<double>(), 0), "");
  }
}

TEST(Sum, RoundingErrorsDoNotPileUp) {
  constexpr int n = 1 << 22;
  const auto x = Tensor<float>::full({n}, 0.1f);
  float running = 0;
  for (int i = 0; i < n; ++i) running += 0.1f;
  EXPECT_GT(std::abs(running / (0.1f * n) - 1), 1e-2);
  EXPECT_NEAR(sum(x).item() / (0.1f * n), 1, 5e-5);
  EXPECT_NEAR(sum(x.view_as({n / 4, 4}), {.dims = {0}})(2) / (0.1f * n / 4), 1, 5e-5);
}

TEST(Sum, SixteenBitTypesAreRoundedOnce) {
  // Both runs of dimensions together: 1 + 2^-8 + 2^-8 is a bf16 number, 1 + 2^-8 is none.
  const float part = 0x1p-8f;
  const auto x = Tensor<float>::from({3, 1, 2, 1}, {1, part, part, 0, 0, 0}).to<bf16>();
  EXPECT_EQ(sum(x.view_as({3, 1, 2})).item(), 1 + 2 * part);
  EXPECT_EQ(sum_to(x, {1, 1, 1}).item(), 1 + 2 * part);
}

TEST(Mean, DoesNotOverflowInHalfPrecision) {
  EXPECT_EQ(mean(Tensor<f16>::full({4096}, f16(1000.0f))).item(), 1000.0f);
}

TEST(Reductions, OfNothing) {
  const auto x = Tensor<float>::zeros({2, 0, 3});
  EXPECT_EQ(sum(x, {.dims = {1}}).shape(), (Shape{2, 3}));
  EXPECT_EQ(sum(x, {.dims = {1}})(1, 2), 0.0f);
  EXPECT_TRUE(std::isnan(mean(x).item()));
  EXPECT_EQ(max(x, {.dims = {0}}).shape(), (Shape{0, 3}));
  EXPECT_EQ(thrown([&] { max(x, {.dims = {1}}); }),
            "[max] no elements to choose from in (2, 0, 3)");
}

TEST(Extrema, NanWinsWhereverItStands) {
  for (const std::int64_t n : {1, 5, 16, 64, 200})
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      const auto x = Tensor<float>::zeros({n, 2});
      x.mutable_data()[2 * at] = nan;
      const auto columns = max(x, {.dims = {0}});
      EXPECT_TRUE(std::isnan(columns(0))) << n << ' ' << at;
      EXPECT_EQ(columns(1), 0.0f);
      EXPECT_TRUE(std::isnan(min(x).item())) << n << ' ' << at;
    }
}

TEST(Extrema, OfInfinities) {
  EXPECT_EQ(max(Tensor<float>::full({3}, -infinity)).item(), -infinity);
  EXPECT_EQ(min(Tensor<float>::from({2}, {infinity, -infinity})).item(), -infinity);
}

TEST(Extrema, EqualElementsShareTheGradient) {
  auto x = Tensor<float>::from({2, 4}, {1, 7, 7, 0, 3, 3, 3, 3});
  x.set_requires_grad();
  max(x, {.dims = {1}}).backward(Tensor<float>::from({2}, {1, 2}));
  const auto expected = Tensor<double>::from({2, 4}, {0, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0.5});
  EXPECT_EQ(difference(x.grad(), expected, 0), "");
}

TEST(Reductions, SameBitsOnAnyNumberOfThreads) {
  Generator generator(3);
  for (const Case& c : cases) {
    const auto x = rand<float>(c.shape, generator, -1, 1);
    mien::test::expect_same_bits_on_any_number_of_threads([&] { return sum(x, c.over); });
  }
}

TEST(Reductions, ImagesOfABatchDoNotInfluenceEachOther) {
  Generator generator(4);
  const auto batch = rand<float>({5, 90, 91, 7}, generator, -1, 1);
  const auto image = batch.as_strided({1, 90, 91, 7}, batch.strides(), 3 * batch.strides()[0]);
  const auto all = sum(batch, {.dims = {1, 2}}), one = sum(image, {.dims = {1, 2}});
  EXPECT_TRUE(mien::test::same_bits(all.as_strided({1, 7}, {7, 1}, 21), one));
}

TEST(Reductions, Errors) {
  const auto x = Tensor<float>::zeros({2, 3});
  EXPECT_EQ(thrown([&] { sum(x, {.dims = {2}}); }), "[sum] dimension 2 of a tensor of rank 2");
  EXPECT_EQ(thrown([&] {
              mean(x, {.dims = {1, -1}});
            }),
            "[mean] a dimension is named twice in (1, -1)");
}

}  // namespace
