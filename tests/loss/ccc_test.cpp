// The CCC loss against exact arithmetic (tests/golden/losses/make_ccc.py): from 2 to 10^6 rows,
// means far beyond the deviation, masks, constants. And what it does without rows.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <mien/autograd/engine.hpp>
#include <mien/core/random.hpp>
#include <mien/loss/ccc.hpp>

#include "support/csv.hpp"
#include "support/data_dir.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

struct Case {
  std::int64_t n;
  double offset_x, slope_x, offset_y, slope_y, noise;
  bool masked;
  double ccc, gradient_first, gradient_middle, gradient_last, gradient_y;
};

std::vector<Case> golden_cases() {
  std::vector<Case> cases;
  for (const auto& row : test::read_csv(test::golden_path("losses/ccc.csv"))) {
    if (row[0] == "n") continue;
    std::vector<double> v;
    for (const std::string& field : row) v.push_back(std::stod(field));
    cases.push_back({static_cast<std::int64_t>(v.at(0)), v.at(1), v.at(2), v.at(3), v.at(4),
                     v.at(5), v.at(6) != 0, v.at(7), v.at(8), v.at(9), v.at(10), v.at(11)});
  }
  return cases;
}

struct Problem {
  Tensor<double> x, y;
  Tensor<bool> mask;

  explicit Problem(const Case& c) : x(Shape{c.n}), y(Shape{c.n}) {
    if (c.masked) mask = Tensor<bool>(Shape{c.n});
    for (std::int64_t i = 0; i < c.n; ++i) {
      const auto u = static_cast<double>((7919 * i + 13) % 1009 - 504);
      const auto v = static_cast<double>((104729 * i + 7) % 997 - 498);
      x.mutable_data()[i] = c.offset_x + c.slope_x * u / 1024;
      y.mutable_data()[i] = c.offset_y + (c.slope_y * u + c.noise * v) / 1024;
      if (c.masked) mask.mutable_data()[i] = i % 7 != 3;
    }
    x.set_requires_grad();
    y.set_requires_grad();
  }
};

double largest(const Tensor<double>& x) {
  double top = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) top = std::max(top, std::abs(x.data()[i]));
  return top;
}

TEST(Ccc, IsThatOfExactArithmetic) {
  const auto cases = golden_cases();
  ASSERT_EQ(cases.size(), 40u);
  for (const Case& c : cases) {
    const Problem problem(c);
    const auto loss = loss::ccc(problem.x, problem.y, {.mask = problem.mask});
    loss.backward();
    const std::string where = str("n ", c.n, ", offsets ", c.offset_x, " and ", c.offset_y,
                                  ", slopes ", c.slope_x, " and ", c.slope_y);
    EXPECT_NEAR(loss.item(), 1 - c.ccc, 1e-14) << where;
    // Of perfect predictions nothing but rounding is left of two terms of about 2 / n.
    const double terms = c.ccc > 0.999 ? 2 / static_cast<double>(c.n) : 0;
    const double scale = std::max(largest(problem.x.grad()), terms);
    const auto near = [&](std::int64_t i, double expected) {
      EXPECT_NEAR(problem.x.grad()(i), -expected, 1e-13 * scale) << where << ", row " << i;
    };
    near(0, c.gradient_first);
    near(c.n / 2, c.gradient_middle);
    near(c.n - 1, c.gradient_last);
    EXPECT_NEAR(problem.y.grad()(0), -c.gradient_y,
                1e-13 * std::max(scale, largest(problem.y.grad())))
        << where;
  }
}

// Floats are exact in double: float predictions lose nothing before the result.
TEST(Ccc, OfFloatsIsComputedInDouble) {
  const auto x = Tensor<float>::from({4}, {16777213, 16777214, 16777215, 16777216});
  const auto y = Tensor<float>::from({4}, {16777214, 16777213, 16777215, 16777216});
  EXPECT_FLOAT_EQ(loss::ccc(x, y, {.epsilon = 0}).item(), 0.2f);
}

TEST(Ccc, MaskedRowsLeaveBeforeTheStatistics) {
  const double nan = std::nan("");
  auto x = Tensor<double>::from({5, 2}, {1, 5, nan, nan, 3, 7, -2, 4, nan, 0});
  x.set_requires_grad();
  const auto y = Tensor<double>::from({5, 2}, {2, 5, nan, -2, 3, 6, 0, 4, 9, nan});
  const auto loss =
      loss::ccc(x, y, {.mask = Tensor<bool>::from({5}, {true, false, true, true, false})});
  const auto kept_x = Tensor<double>::from({3, 2}, {1, 5, 3, 7, -2, 4});
  const auto kept_y = Tensor<double>::from({3, 2}, {2, 5, 3, 6, 0, 4});
  EXPECT_EQ(loss.item(), loss::ccc(kept_x, kept_y).item());
  loss.backward();
  for (const int i : {1, 4})
    for (const int c : {0, 1}) EXPECT_EQ(x.grad()(i, c), 0);
}

TEST(Ccc, AMaskMayDifferBetweenColumns) {
  const auto x = Tensor<double>::from({3, 2}, {1, 1, 2, 2, 5, 5});
  const auto y = Tensor<double>::from({3, 2}, {1, 1, 3, 3, 4, 4});
  const auto mask = Tensor<bool>::from({3, 2}, {true, true, true, false, true, true});
  const auto first =
      loss::ccc(Tensor<double>::from({3}, {1, 2, 5}), Tensor<double>::from({3}, {1, 3, 4}));
  const auto second =
      loss::ccc(Tensor<double>::from({2}, {1, 5}), Tensor<double>::from({2}, {1, 4}));
  EXPECT_DOUBLE_EQ(loss::ccc(x, y, {.mask = mask}).item(), (first.item() + second.item()) / 2);
}

TEST(Ccc, FewerThanTwoRowsHaveNoConcordance) {
  for (const bool one : {false, true}) {
    auto x = Tensor<float>::from({3}, {1, 2, 3});
    x.set_requires_grad();
    const auto loss =
        loss::ccc(x, Tensor<float>::from({3}, {1, 2, 5}),
                  {.mask = Tensor<bool>::from({3}, {false, one, false}), .epsilon = 0});
    EXPECT_EQ(loss.item(), 1);
    loss.backward();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(x.grad()(i), 0);
  }
  EXPECT_EQ(loss::ccc(Tensor<float>(Shape{0}), Tensor<float>(Shape{0})).item(), 1);
}

TEST(Ccc, SaysWhatItExpects) {
  const auto x = Tensor<float>::ones({2, 3});
  EXPECT_EQ(thrown([&] {
              loss::ccc(Tensor<float>::ones({2, 3, 1}), x);
            }),
            "[ccc] expected x (n) or (n, k), got shape (2, 3, 1)");
  EXPECT_EQ(thrown([&] {
              loss::ccc(Tensor<float>(Shape{2, 0}), x);
            }),
            "[ccc] expected x (n) or (n, k), got shape (2, 0)");
  EXPECT_EQ(thrown([&] {
              loss::ccc(x, Tensor<float>::ones({3, 2}));
            }),
            "[ccc] expected y of the shape of x, (2, 3), got (3, 2)");
  EXPECT_EQ(thrown([&] { loss::ccc(x, x, {.mask = Tensor<bool>::ones({3})}); }),
            "[ccc] expected a mask of shape (2, 3) or of its leading dimensions, got (3)");
  EXPECT_EQ(thrown([&] { loss::ccc(x, x, {.epsilon = -1}); }),
            "[ccc] expected an epsilon of at least 0, got -1");
  EXPECT_EQ(thrown([&] { loss::ccc(x, x, {.epsilon = std::nan("")}); }),
            "[ccc] expected an epsilon of at least 0, got nan");
}

}  // namespace
