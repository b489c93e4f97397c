#include <mien/cuda/cross_entropy.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <kernels/losses.hpp>
#include <kernels/values.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::test {
namespace {

using kernels::CrossEntropyParams;
using kernels::LossReduction;

// Labels are of type Target; probabilities, if that is float.
template <class T, class Target>
struct Problem {
  CrossEntropyParams p;
  std::vector<T> logits;       // in rows of p.row elements
  std::vector<Target> target;  // some labels ignored
  std::vector<float> weight;   // empty: none

  Problem(const CrossEntropyParams& params, bool weighted, float center = 0)
      : p(params), logits(random_values<T>(p.rows * p.row, center - 5, center + 5, 1)) {
    if (weighted) weight = random_values<float>(p.classes, 0.25f, 4, 2);
    if constexpr (std::is_same_v<Target, float>) {
      target = random_values<float>(p.rows * p.classes, 0, 2 / static_cast<float>(p.classes), 3);
    } else {
      for (const float number : random_values<float>(p.rows, -0.125f, 1, 3))
        target.push_back(number < 0 ? static_cast<Target>(p.ignore_index)
                                    : static_cast<Target>(number * static_cast<float>(p.classes)));
    }
  }

  static std::size_t at(std::int64_t row, std::int64_t size, std::int64_t column) {
    return static_cast<std::size_t>(row * size + column);
  }
  bool counts(std::int64_t row) const {
    if constexpr (std::is_same_v<Target, float>) {
      return true;
    } else {
      const auto label = target[static_cast<std::size_t>(row)];
      return label >= 0 && label < p.classes && label != p.ignore_index;
    }
  }
  double weight_of(int c) const {
    return weight.empty() ? 1.0 : double{weight[static_cast<std::size_t>(c)]};
  }
  double share(std::int64_t row, int c) const {
    const double e = static_cast<double>(p.label_smoothing);
    if constexpr (std::is_same_v<Target, float>)
      return weight_of(c) * ((1 - e) * double{target[at(row, p.classes, c)]} + e / p.classes);
    else
      return weight_of(c) *
             ((target[static_cast<std::size_t>(row)] == c ? 1 - e : 0.0) + e / p.classes);
  }
  double divisor() const {
    if (p.reduction == LossReduction::sum) return 1;
    double sum = 0;
    for (std::int64_t i = 0; i < p.rows; ++i) {
      if constexpr (std::is_same_v<Target, float>)
        sum += 1;
      else
        sum += counts(i) ? weight_of(static_cast<int>(target[static_cast<std::size_t>(i)])) : 0;
    }
    return sum;
  }
};

struct Outcome {
  double loss = 0;
  std::vector<double> gradient;  // (rows, row), 7 between the rows
};

// The definition, in double.
template <class T, class Target>
Outcome reference(const Problem<T, Target>& problem) {
  const CrossEntropyParams& p = problem.p;
  Outcome out{0, std::vector<double>(problem.logits.size(), 7)};
  const double divisor = problem.divisor();
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const auto z = [&](int c) {
      return static_cast<double>(problem.logits[problem.at(i, p.row, c)]);
    };
    double largest = z(0), exps = 0, shares = 0;
    for (int c = 0; c < p.classes; ++c) largest = std::max(largest, z(c));
    for (int c = 0; c < p.classes; ++c) exps += std::exp(z(c) - largest);
    for (int c = 0; c < p.classes; ++c) shares += problem.share(i, c);
    for (int c = 0; c < p.classes; ++c) {
      const double log_p = z(c) - largest - std::log(exps), q = problem.share(i, c);
      double& gradient = out.gradient[problem.at(i, p.row, c)] = 0;
      if (!problem.counts(i)) continue;
      if (q != 0) out.loss -= q * log_p / divisor;
      gradient = static_cast<double>(p.gradient_factor) * (std::exp(log_p) * shares - q) / divisor;
    }
  }
  return out;
}

template <class T>
struct Result {
  float loss = 0;
  std::vector<T> gradient;
  unsigned invalid = 0;
};

// `offset`: elements that the logits lie beyond 256 bytes, and the gradient half as many. A second
// launch finds the workspace as the first one left it.
template <class T, class Target>
Result<T> run(const Problem<T, Target>& problem, std::int64_t offset = 0, int launches = 1) {
  std::vector<T> shifted(static_cast<std::size_t>(offset), T(0.0f));
  shifted.insert(shifted.end(), problem.logits.begin(), problem.logits.end());
  Buffer<T> logits(shifted), gradient(std::vector<T>(shifted.size(), T(7.0f)));
  Buffer<Target> target(problem.target);
  Buffer<float> weight(problem.weight), loss(1);
  LossMemory memory;
  Buffer<unsigned> invalid(std::vector<unsigned>(1));
  const float* weights = problem.weight.empty() ? nullptr : weight.data();
  T* const dlogits = gradient.data() + offset / 2;
  while (launches-- > 0) {
    if constexpr (std::is_same_v<Target, float>)
      kernels::cross_entropy(Cuda{}, loss.data(), dlogits, memory.workspace(),
                             logits.data() + offset, target.data(), weights, problem.p);
    else
      kernels::cross_entropy(Cuda{}, loss.data(), dlogits, invalid.data(), memory.workspace(),
                             logits.data() + offset, target.data(), weights, problem.p);
  }
  Result<T> result{loss.read()[0], gradient.read(), invalid.read()[0]};
  result.gradient.erase(result.gradient.begin(), result.gradient.begin() + offset / 2);
  result.gradient.resize(problem.logits.size());
  return result;
}

template <class T, class Target>
void expect_the_definition(const Problem<T, Target>& problem, std::int64_t offset = 0,
                           double error = 1e-6) {
  const Outcome expected = reference(problem);
  auto tolerance = kernel_tolerance<T>;
  // p - 1 cancels where p is near 1: the error there is that of one.
  tolerance.absolute += error * (problem.weight.empty() ? 1 : 4) *
                        static_cast<double>(std::abs(problem.p.gradient_factor)) /
                        problem.divisor();
  const std::string what = str(problem.p.rows, " rows of ", problem.p.classes, " classes");
  const auto check_run = [&] {
    const auto result = run(problem, offset);
    EXPECT_NEAR(static_cast<double>(result.loss), expected.loss,
                3 * error * std::abs(expected.loss))
        << what;
    EXPECT_EQ(difference(result.gradient, expected.gradient, tolerance), "") << what;
    EXPECT_EQ(result.invalid, 0u);
  };
  problem.p.rows < 10000 ? each_schedule(check_run) : check_run();
}

template <class T>
class CrossEntropyTest : public KernelTest {};
TYPED_TEST_SUITE(CrossEntropyTest, StorageTypes);

// A thread, a warp and a block a row, in packs and not.
struct Shape {
  std::int64_t rows;
  int classes;
  std::int64_t row;
};
const auto matrices = shapes<Shape>({{1, 1, 1},
                                     {40, 8, 8},
                                     {300, 8, 10},
                                     {33, 16, 19},
                                     {19, 17, 17},
                                     {3, 1000, 1000},
                                     {2, 1032, 1040},
                                     {2, 1033, 1035}},
                                    {{300, 8, 10}, {19, 17, 17}, {2, 1032, 1040}});

TYPED_TEST(CrossEntropyTest, IsTheDefinition) {
  for (const Shape& shape : matrices) {
    CrossEntropyParams p{.rows = shape.rows, .classes = shape.classes, .row = shape.row};
    expect_the_definition(Problem<TypeParam, std::int64_t>(p, true));
    expect_the_definition(Problem<TypeParam, float>(p, true));
    if (few_shapes) continue;
    p.reduction = LossReduction::sum;
    p.label_smoothing = 0.125f;
    p.gradient_factor = -0.5f;
    expect_the_definition(Problem<TypeParam, std::int64_t>(p, true));
    expect_the_definition(Problem<TypeParam, float>(p, false));
  }
}

TYPED_TEST(CrossEntropyTest, TakesLabelsOf32Bits) {
  for (const int classes : shapes<int>({8, 100, 1300}, {8}))
    expect_the_definition(Problem<TypeParam, std::int32_t>(
        {.rows = 9, .classes = classes, .row = classes, .label_smoothing = 0.1f}, true));
}

TYPED_TEST(CrossEntropyTest, PointersNeedNoAlignmentBeyondTheTypes) {
  for (const int classes : {8, 40})
    for (const std::int64_t offset : {1, 2}) {
      const CrossEntropyParams p{.rows = 5, .classes = classes, .row = classes};
      expect_the_definition(Problem<TypeParam, std::int64_t>(p, true), offset);
      expect_the_definition(Problem<TypeParam, float>(p, false), offset);
    }
}

// Rows that registers do not hold are read once more.
TYPED_TEST(CrossEntropyTest, RowsOfAnyLength) {
  for (const int row : shapes<int>({12400, 12401}, {12400})) {
    const CrossEntropyParams p{.rows = 1, .classes = 12400, .row = row, .label_smoothing = 0.1f};
    expect_the_definition(Problem<TypeParam, std::int64_t>(p, true), 0, 3e-6);
    expect_the_definition(Problem<TypeParam, float>(p, true), 0, 3e-6);
  }
}

// A launch for the divisor, and more rows than threads in the grid.
TEST_F(KernelTest, CrossEntropyOfManyRows) {
  expect_the_definition(Problem<float, std::int64_t>({.rows = 1500, .classes = 3, .row = 3}, true),
                        0, 3e-6);
  if (few_shapes) return;
  constexpr std::int64_t rows = kernels::loss_most_blocks * 256 + 3;
  expect_the_definition(Problem<f16, std::int32_t>({.rows = rows, .classes = 2, .row = 2}, true), 0,
                        3e-6);
}

TEST_F(KernelTest, CrossEntropyStandsLargeLogits) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  for (const int classes : {8, 1100})
    for (const float center : {-30000.0f, 30000.0f})
      expect_the_definition(Problem<float, std::int64_t>(
          {.rows = 4, .classes = classes, .row = classes, .label_smoothing = 0.1f}, true, center));
}

// Logits of minus infinity take a class out; others keep their definition.
TYPED_TEST(CrossEntropyTest, ClassesCanBeTakenOut) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  for (const int classes : {8, 60}) {
    Problem<TypeParam, std::int64_t> problem({.rows = 4, .classes = classes, .row = classes},
                                             false);
    for (std::int64_t i = 0; i < 4; ++i)
      for (const int c : {0, 1, classes - 1})
        problem.logits[problem.at(i, classes, c)] =
            TypeParam(-std::numeric_limits<float>::infinity());
    problem.target = {2, 3, 4, 5};
    expect_the_definition(problem);
  }
}

TYPED_TEST(CrossEntropyTest, WorksInPlaceAndWithoutGradient) {
  const Problem<TypeParam, std::int64_t> problem({.rows = 6, .classes = 50, .row = 50}, true);
  each_schedule([&] {
    const auto expected = run(problem);
    Buffer<TypeParam> logits(problem.logits);
    Buffer<std::int64_t> labels(problem.target);
    Buffer<float> weight(problem.weight), loss(1);
    LossMemory memory;
    const auto launch = [&](TypeParam* dlogits) {
      kernels::cross_entropy(Cuda{}, loss.data(), dlogits, nullptr, memory.workspace(),
                             logits.data(), labels.data(), weight.data(), problem.p);
      EXPECT_EQ(loss.read()[0], expected.loss);
    };
    launch(nullptr);
    EXPECT_EQ(logits.read(), problem.logits);
    launch(logits.data());
    EXPECT_EQ(logits.read(), expected.gradient);
  });
}

// A label that is no class is left out and counted, never followed.
TYPED_TEST(CrossEntropyTest, LabelsThatAreNoClassAreCounted) {
  for (const int classes : shapes<int>({5, 70, 1030}, {70, 1030})) {
    Problem<TypeParam, std::int64_t> problem(
        {.rows = 6, .classes = classes, .row = classes, .ignore_index = 2}, true);
    problem.target = {classes, 1, -1, 2, std::int64_t{1} << 40, -(std::int64_t{1} << 40) + 1};
    const Outcome expected = reference(problem);
    each_schedule([&] {
      const auto result = run(problem);
      EXPECT_EQ(result.invalid, 4u);
      EXPECT_NEAR(static_cast<double>(result.loss), expected.loss, 1e-5);
      auto tolerance = kernel_tolerance<TypeParam>;
      tolerance.absolute += 1e-6;
      EXPECT_EQ(difference(result.gradient, expected.gradient, tolerance), "");
    });
  }
}

TYPED_TEST(CrossEntropyTest, NothingLeftGivesNanAndZeros) {
  for (const std::int64_t rows : {0, 3}) {
    Problem<TypeParam, std::int64_t> problem({.rows = rows, .classes = 9, .row = 9}, true);
    std::fill(problem.target.begin(), problem.target.end(), -100);
    each_schedule([&] {
      const auto result = run(problem);
      EXPECT_TRUE(std::isnan(result.loss));
      EXPECT_EQ(result.gradient, std::vector<TypeParam>(problem.logits.size(), TypeParam(0.0f)));
    });
    problem.p.reduction = LossReduction::sum;
    EXPECT_EQ(run(problem).loss, 0.0f);
  }
}

TYPED_TEST(CrossEntropyTest, HasTheSameBitsUnderEverySchedule) {
  const Problem<TypeParam, std::int64_t> problem({.rows = 70, .classes = 20, .row = 20}, true);
  std::vector<float> losses;
  each_schedule([&] {
    losses.push_back(run(problem).loss);
    losses.push_back(run(problem, 0, 2).loss);
  });
  EXPECT_EQ(losses, std::vector<float>(losses.size(), losses[0]));
}

TEST_F(KernelTest, CrossEntropyIsThatOfPyTorch) {
  const auto golden = loss_goldens("cross_entropy");
  const auto all = [&](const std::string& name) { return golden.at(name); };
  const auto check_case = [&](auto problem, const std::string& name) {
    problem.logits = values_as<float>(all("logits"));
    if (!problem.weight.empty()) problem.weight = values_as<float>(all("weight"));
    const auto result = run(problem);
    EXPECT_NEAR(static_cast<double>(result.loss), all(name + ".loss")[0],
                3e-7 * std::abs(all(name + ".loss")[0]))
        << name;
    EXPECT_EQ(difference(result.gradient, all(name + ".gradient"), {3e-6, 1e-6}), "") << name;
  };
  for (const bool weighted : {false, true})
    for (const bool smooth : {false, true})
      for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum}) {
        const CrossEntropyParams p{.rows = 9,
                                   .classes = 5,
                                   .row = 5,
                                   .reduction = reduction,
                                   .label_smoothing = smooth ? 0.125f : 0.0f};
        const std::string options = str(weighted ? ".weighted" : ".plain", smooth ? ".0.125" : ".0",
                                        reduction == LossReduction::mean ? ".mean" : ".sum");
        Problem<float, std::int64_t> labelled(p, weighted);
        labelled.target = values_as<std::int64_t>(all("labels"));
        check_case(labelled, "labels" + options);
        Problem<float, float> soft(p, weighted);
        soft.target = values_as<float>(all("probabilities"));
        check_case(soft, "probabilities" + options);
      }
}

TEST_F(KernelTest, CrossEntropySaysWhatItExpects) {
  const auto of = [](const CrossEntropyParams& p) {
    return thrown([&] {
      kernels::cross_entropy<float>(Cuda{}, nullptr, nullptr, {}, nullptr,
                                    static_cast<const float*>(nullptr), nullptr, p);
    });
  };
  EXPECT_EQ(of({.rows = 3, .classes = 0, .row = 0}),
            "[cross_entropy] expected rows of one class or more, got 3 rows of 0");
  EXPECT_EQ(of({.rows = 3, .classes = 2, .row = 2, .label_smoothing = 1.5f}),
            "[cross_entropy] expected a label smoothing from 0 to 1, got 1.5");
}

}  // namespace
}  // namespace mien::test
