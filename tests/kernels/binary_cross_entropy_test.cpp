#include <mien/cuda/binary_cross_entropy.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <kernels/losses.hpp>
#include <kernels/values.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::test {
namespace {

using kernels::BinaryCrossEntropyParams;
using kernels::LossReduction;

// About a third of the labels is masked, and NaN.
template <class T>
struct Problem {
  BinaryCrossEntropyParams p;
  std::vector<T> logits;  // in rows of p.row elements
  std::vector<float> labels, pos_weight;
  std::vector<std::uint8_t> mask;  // empty: all labels, as pos_weight: ones

  Problem(const BinaryCrossEntropyParams& params, bool masked, bool weighted, float range = 10)
      : p(params),
        logits(random_values<T>(p.rows * p.row, -range, range, 1)),
        labels(random_values<float>(p.rows * p.units, -0.5f, 1.5f, 2)) {
    for (float& y : labels) y = y < 0 ? 0 : y > 1 ? 1 : y;
    if (weighted) pos_weight = random_values<float>(p.units, 0.25f, 6, 3);
    if (!masked) return;
    const auto numbers = random_values<float>(p.rows * p.units, 0, 1, 4);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      mask.push_back(numbers[i] < 0.65f ? 1 : 0);
      if (mask[i] == 0) labels[i] = std::nanf("");
    }
  }
};

struct Outcome {
  double loss = 0;
  std::vector<double> gradient;  // (rows, row), 7 between the rows
  std::vector<double> slack;     // of the gradient, for the rounding of its two sides
};

// Of each side of a gradient, which may cancel: exp(-10) is off by 7e-7 on a GPU, and six more
// operations by half a unit in the last place each.
constexpr double side_error = 2e-6;

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The definition, in double.
template <class T>
Outcome reference(const Problem<T>& problem) {
  const auto& p = problem.p;
  Outcome out{0, std::vector<double>(problem.logits.size(), 7),
              std::vector<double>(problem.logits.size())};
  double left = 0;
  for (std::size_t i = 0; i < problem.labels.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) / p.units,
               unit = static_cast<std::int64_t>(i) % p.units;
    const auto at = static_cast<std::size_t>(row * p.row + unit);
    out.gradient[at] = 0;
    if (!problem.mask.empty() && problem.mask[i] == 0) continue;
    left += 1;
    const double x = static_cast<double>(problem.logits[at]), y = double{problem.labels[i]};
    const double weight = problem.pos_weight.empty()
                              ? 1.0
                              : double{problem.pos_weight[static_cast<std::size_t>(unit)]};
    out.loss += weight * y * softplus(-x) + (1 - y) * softplus(x);
    const double factor = static_cast<double>(p.gradient_factor);
    const double up = (1 - y) * sigmoid(x), down = weight * y * sigmoid(-x);
    out.gradient[at] = factor * (up - down);
    out.slack[at] = side_error * std::abs(factor) * (up + down);
  }
  if (p.reduction == LossReduction::sum) return out;
  out.loss /= left;
  for (std::size_t i = 0; i < out.gradient.size(); ++i)
    if (static_cast<std::int64_t>(i) % p.row < p.units) {
      out.gradient[i] /= left;
      out.slack[i] /= left;
    }
  return out;
}

template <class T>
struct Result {
  float loss = 0;
  std::vector<T> gradient;
};

// `offset`: elements that all arrays lie beyond 256 bytes. A second launch finds the workspace as
// the first one left it.
template <class T>
Result<T> run(const Problem<T>& problem, std::int64_t offset = 0, int launches = 1) {
  const auto shifted = [&](auto values) {
    values.insert(values.begin(), static_cast<std::size_t>(offset), {});
    return values;
  };
  Buffer<T> logits(shifted(problem.logits)),
      gradient(std::vector<T>(problem.logits.size() + static_cast<std::size_t>(offset), T(7.0f)));
  Buffer<float> labels(shifted(problem.labels)), pos_weight(problem.pos_weight), loss(1);
  Buffer<std::uint8_t> mask(shifted(problem.mask));
  LossMemory memory;
  while (launches-- > 0)
    kernels::binary_cross_entropy(
        Cuda{}, loss.data(), gradient.data() + offset, memory.workspace(), logits.data() + offset,
        labels.data() + offset, problem.mask.empty() ? nullptr : mask.data() + offset,
        problem.pos_weight.empty() ? nullptr : pos_weight.data(), problem.p);
  Result<T> result{loss.read()[0], gradient.read()};
  result.gradient.erase(result.gradient.begin(), result.gradient.begin() + offset);
  return result;
}

template <class T>
void expect_the_definition(const Problem<T>& problem, std::int64_t offset = 0) {
  const Outcome expected = reference(problem);
  const std::string what = str(problem.p.rows, " rows of ", problem.p.units, " units");
  each_schedule([&] {
    const auto result = run(problem, offset);
    EXPECT_NEAR(static_cast<double>(result.loss), expected.loss, 3e-6 * expected.loss) << what;
    EXPECT_EQ(difference(result.gradient, expected.gradient, kernel_tolerance<T>, expected.slack),
              "")
        << what;
  });
}

template <class T>
class BinaryCrossEntropyTest : public KernelTest {};
TYPED_TEST_SUITE(BinaryCrossEntropyTest, StorageTypes);

// Packs, tails of each length, rows apart, and several blocks.
TYPED_TEST(BinaryCrossEntropyTest, IsTheDefinition) {
  using Shape = std::array<int, 3>;
  for (const auto& [rows, units, row] : shapes<Shape>({{1, 1, 1},
                                                       {1, 2, 2},
                                                       {1, 3, 3},
                                                       {5, 4, 4},
                                                       {40, 12, 12},
                                                       {97, 12, 23},
                                                       {211, 7, 7},
                                                       {301, 5, 6}},
                                                      {{97, 12, 23}, {211, 7, 7}}))
    for (const bool masked : {false, true}) {
      if (masked && rows == 1) continue;
      BinaryCrossEntropyParams p{.rows = rows, .units = units, .row = row};
      expect_the_definition(Problem<TypeParam>(p, masked, masked));
      p.reduction = LossReduction::sum;
      p.gradient_factor = -0.5f;
      expect_the_definition(Problem<TypeParam>(p, masked, !masked));
    }
}

TYPED_TEST(BinaryCrossEntropyTest, PointersNeedNoAlignmentBeyondTheTypes) {
  for (const std::int64_t offset : {1, 2, 3})
    expect_the_definition(Problem<TypeParam>({.rows = 11, .units = 12, .row = 12}, true, true),
                          offset);
}

// The divisor from each block, in packs and not, and a launch for it.
TYPED_TEST(BinaryCrossEntropyTest, ManyLabelsWithAMask) {
  for (const int rows : shapes<int>({701, 5201}, {701}))
    expect_the_definition(Problem<TypeParam>({.rows = rows, .units = 13, .row = 13}, true, true));
}

// More packs than threads in the grid.
TEST_F(KernelTest, BinaryCrossEntropyGoesThroughTheGridTwice) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  constexpr std::int64_t rows = kernels::loss_most_blocks * 256 + 7;
  const Problem<bf16> problem({.rows = rows, .units = 1, .row = 2}, false, false);
  const Outcome expected = reference(problem);
  const auto result = run(problem);
  EXPECT_NEAR(static_cast<double>(result.loss), expected.loss, 3e-6 * expected.loss);
  EXPECT_EQ(difference(result.gradient, expected.gradient, kernel_tolerance<bf16>, expected.slack),
            "");
}

// exp(x) would overflow, and 1 - sigmoid(x) lose every digit.
TEST_F(KernelTest, BinaryCrossEntropyStandsLargeLogits) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  Problem<float> problem({.rows = 9, .units = 12, .row = 12}, false, true, 60);
  for (float& y : problem.labels) y = y < 0.5f ? 0 : 1;
  problem.logits[0] = 1000;
  problem.logits[1] = -1000;
  const Outcome expected = reference(problem);
  each_schedule([&] {
    const auto result = run(problem);
    EXPECT_NEAR(static_cast<double>(result.loss), expected.loss, 3e-6 * expected.loss);
    EXPECT_EQ(difference(result.gradient, expected.gradient, {2e-5, 1e-30}), "");
  });
}

TYPED_TEST(BinaryCrossEntropyTest, WorksInPlaceAndWithoutGradient) {
  const Problem<TypeParam> problem({.rows = 21, .units = 7, .row = 7}, true, true);
  each_schedule([&] {
    const auto expected = run(problem);
    Buffer<TypeParam> logits(problem.logits);
    Buffer<float> labels(problem.labels), pos_weight(problem.pos_weight), loss(1);
    Buffer<std::uint8_t> mask(problem.mask);
    LossMemory memory;
    const auto launch = [&](TypeParam* dlogits) {
      kernels::binary_cross_entropy(Cuda{}, loss.data(), dlogits, memory.workspace(), logits.data(),
                                    labels.data(), mask.data(), pos_weight.data(), problem.p);
      EXPECT_EQ(loss.read()[0], expected.loss);
    };
    launch(nullptr);
    EXPECT_EQ(logits.read(), problem.logits);
    launch(logits.data());
    EXPECT_EQ(logits.read(), expected.gradient);
  });
}

TYPED_TEST(BinaryCrossEntropyTest, NothingLeftGivesNanAndZeros) {
  for (const std::int64_t rows : {0, 4}) {
    Problem<TypeParam> problem({.rows = rows, .units = 3, .row = 3}, true, true);
    std::fill(problem.mask.begin(), problem.mask.end(), std::uint8_t{0});
    each_schedule([&] {
      const auto result = run(problem);
      EXPECT_TRUE(std::isnan(result.loss));
      EXPECT_EQ(result.gradient, std::vector<TypeParam>(problem.logits.size(), TypeParam(0.0f)));
    });
    problem.p.reduction = LossReduction::sum;
    EXPECT_EQ(run(problem).loss, 0.0f);
  }
}

TYPED_TEST(BinaryCrossEntropyTest, NansAreNotHidden) {
  Problem<TypeParam> problem({.rows = 4, .units = 3, .row = 3}, false, false);
  problem.logits[5] = TypeParam(std::nanf(""));
  const auto result = run(problem);
  EXPECT_TRUE(std::isnan(result.loss));
  EXPECT_TRUE(std::isnan(static_cast<float>(result.gradient[5])));
  EXPECT_FALSE(std::isnan(static_cast<float>(result.gradient[4])));
}

TYPED_TEST(BinaryCrossEntropyTest, HasTheSameBitsUnderEverySchedule) {
  const Problem<TypeParam> problem({.rows = 500, .units = 9, .row = 9}, true, true);
  std::vector<float> losses;
  each_schedule([&] {
    losses.push_back(run(problem).loss);
    losses.push_back(run(problem, 0, 2).loss);
  });
  EXPECT_EQ(losses, std::vector<float>(losses.size(), losses[0]));
}

TEST_F(KernelTest, BinaryCrossEntropyIsThatOfPyTorch) {
  const auto golden = loss_goldens("binary_cross_entropy");
  for (const bool masked : {false, true})
    for (const bool weighted : {false, true})
      for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum}) {
        Problem<float> problem({.rows = 7, .units = 4, .row = 4, .reduction = reduction}, masked,
                               weighted);
        problem.logits = values_as<float>(golden.at("logits"));
        problem.labels = values_as<float>(golden.at("labels"));
        if (masked) problem.mask = values_as<std::uint8_t>(golden.at("mask"));
        if (weighted) problem.pos_weight = values_as<float>(golden.at("pos_weight"));
        const std::string name = str(masked ? "masked" : "whole", weighted ? ".weighted" : ".plain",
                                     reduction == LossReduction::mean ? ".mean" : ".sum");
        const auto result = run(problem);
        EXPECT_NEAR(static_cast<double>(result.loss), golden.at(name + ".loss")[0],
                    3e-7 * golden.at(name + ".loss")[0])
            << name;
        EXPECT_EQ(difference(result.gradient, golden.at(name + ".gradient"), {3e-6, 1e-30},
                             reference(problem).slack),
                  "")
            << name;
      }
}

TEST_F(KernelTest, BinaryCrossEntropySaysWhatItExpects) {
  EXPECT_EQ(thrown([] {
              kernels::binary_cross_entropy<float>(Cuda{}, nullptr, nullptr, {}, nullptr, nullptr,
                                                   nullptr, nullptr,
                                                   {.rows = 3, .units = 0, .row = 0});
            }),
            "[binary_cross_entropy] expected rows of one unit or more, got 3 rows of 0");
}

}  // namespace
}  // namespace mien::test
