#include <gtest/gtest.h>
#include <mien/core/float16.hpp>
#include <mien/train/finite_watch.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include <support/thrown.hpp>

namespace mien::train {
namespace {

using test::thrown;

constexpr float inf = std::numeric_limits<float>::infinity();
const float nan = std::nanf("");

using Spans = std::vector<NamedSpan<float>>;

TEST(FiniteWatch, CountsWhatIsNotFinite) {
  const std::vector<float> elements = {1, nan, -inf, -7, inf, nan, nan, 0};
  const FiniteCount count = count_finite<float>(elements);
  EXPECT_EQ(count.elements, 8);
  EXPECT_EQ(count.nan, 3);
  EXPECT_EQ(count.inf, 2);
  EXPECT_EQ(count.largest, 7);
  EXPECT_FALSE(count.all_finite());
  EXPECT_TRUE(count_finite<float>({}).all_finite());
  const std::vector<bf16> low = {bf16(2.0f), bf16(inf)};
  EXPECT_EQ(count_finite<bf16>(low).inf, 1);
  EXPECT_EQ(count_finite<bf16>(low).largest, 2);
}

TEST(FiniteWatch, LooksAtNothingElseWhileLossAndNormAreFinite) {
  const auto never = []() -> Spans { throw Error("looked"); };
  check_finite({.step = 1, .loss = 1e30, .gradient_norm = 0}, never, never);
  EXPECT_EQ(thrown([&] { check_finite({.loss = nan}, never, never); }), "looked");
  EXPECT_EQ(thrown([&] { check_finite({.gradient_norm = inf}, never, never); }), "looked");
}

TEST(FiniteWatch, SaysWhichGradientsAreNotFinite) {
  const std::vector<float> stem = {1, -2}, conv = {nan, 3e38f, inf, nan}, head = {nan}, bias = {0};
  const auto gradients = [&]() -> Spans {
    return {{"stem", stem}, {"conv", conv}, {"head", head}, {"bias", bias}};
  };
  const auto parameters = [&]() -> Spans { return {{"stem", bias}, {"conv", stem}}; };
  EXPECT_EQ(thrown([&] {
              check_finite({.step = 812, .loss = nan, .gradient_norm = -inf}, gradients,
                           parameters);
            }),
            "[train] step 812: loss is NaN, gradient norm is -Inf; 2 of 4 gradients are "
            "non-finite, first conv (3 of 4 elements: 2 NaN, 1 Inf; largest finite 3e+38), last "
            "head; all 2 parameters are finite, largest 2 in conv");
}

TEST(FiniteWatch, SaysThatOnlyTheLossIsNotFinite) {
  const auto none = [] { return std::vector<NamedSpan<double>>(); };
  EXPECT_EQ(
      thrown([&] { check_finite({.step = 3, .loss = inf, .gradient_norm = 0.125}, none, none); }),
      "[train] step 3: loss is Inf, gradient norm is 0.125");
}

}  // namespace
}  // namespace mien::train
