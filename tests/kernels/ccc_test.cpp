#include <mien/cuda/ccc.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

using kernels::CccColumn;
using kernels::CccParams;
using kernels::PairMoments;

// Predictions and labels in rows of 5 and 3 elements, of which the first columns count.
template <class T>
struct Problem {
  CccParams p;
  std::vector<T> x;
  std::vector<float> y;
  std::vector<std::uint8_t> mask;  // empty: all rows

  Problem(std::int64_t rows, int columns, bool masked, float center = 0, float epsilon = 0)
      : p{.rows = rows, .columns = columns, .x_row = 5, .y_row = 3, .epsilon = epsilon},
        x(random_values<T>(rows * p.x_row, center - 1, center + 1, 1)),
        y(random_values<float>(rows * p.y_row, center - 0.5f, center + 1, 2)) {
    for (std::int64_t i = 0; i < rows; ++i)  // some agreement
      for (int c = 0; c < columns; ++c)
        y[at(i, c, p.y_row)] += 0.7f * (static_cast<float>(x[at(i, c, p.x_row)]) - center);
    if (!masked) return;
    for (const float number : random_values<float>(rows * columns, 0, 1, 3))
      mask.push_back(number < 0.6f ? 1 : 0);
  }

  static std::size_t at(std::int64_t row, int column, std::int64_t stride) {
    return static_cast<std::size_t>(row * stride + column);
  }
  double x_at(std::int64_t i, int c) const { return static_cast<double>(x[at(i, c, p.x_row)]); }
  double y_at(std::int64_t i, int c) const { return y[at(i, c, p.y_row)]; }
  bool counts(std::int64_t i, int c) const {
    return mask.empty() || mask[at(i, c, p.columns)] != 0;
  }

  // The definition, in two passes, with one prediction moved by `step`.
  double ccc(int c, std::int64_t moved = -1, double step = 0) const {
    const auto x_moved = [&](std::int64_t i) { return x_at(i, c) + (i == moved ? step : 0); };
    double n = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (std::int64_t i = 0; i < p.rows; ++i)
      if (counts(i, c)) n += 1, mx += x_moved(i), my += y_at(i, c);
    mx /= n, my /= n;
    for (std::int64_t i = 0; i < p.rows; ++i) {
      if (!counts(i, c)) continue;
      const double dx = x_moved(i) - mx, dy = y_at(i, c) - my;
      xx += dx * dx, yy += dy * dy, xy += dx * dy;
    }
    return 2 * xy / n / (xx / n + yy / n + (mx - my) * (mx - my) + static_cast<double>(p.epsilon));
  }
};

template <class T>
class Run {
 public:
  explicit Run(const Problem<T>& problem)
      : problem_(problem), x_(problem.x), y_(problem.y), mask_(problem.mask) {}

  std::vector<CccColumn> moments() {
    kernels::ccc_moments(Cuda{}, result_.data(), {partial_.data(), done_.data()}, x_.data(),
                         y_.data(), mask(), problem_.p);
    return result_.read();
  }
  // What lies between the columns of dx stays as it was.
  std::vector<T> gradient(float factor) {
    Buffer<T> dx(std::vector<T>(problem_.x.size(), T(7.0f)));
    kernels::ccc_gradient(Cuda{}, dx.data(), result_.data(), x_.data(), y_.data(), mask(),
                          problem_.p, factor);
    return dx.read();
  }

 private:
  const std::uint8_t* mask() { return problem_.mask.empty() ? nullptr : mask_.data(); }

  const Problem<T>& problem_;
  Buffer<T> x_;
  Buffer<float> y_;
  Buffer<std::uint8_t> mask_;
  Buffer<CccColumn> result_{problem_.p.columns};
  Buffer<PairMoments> partial_{std::int64_t{problem_.p.columns} * kernels::ccc_most_blocks};
  Buffer<unsigned> done_{std::vector<unsigned>(static_cast<std::size_t>(problem_.p.columns))};
};

template <class T>
class CccTest : public KernelTest {};
TYPED_TEST_SUITE(CccTest, StorageTypes);

template <class T>
void expect_coefficients(const Problem<T>& problem, double tolerance) {
  each_schedule([&] {
    Run<T> run(problem);
    for (int launch = 0; launch < 2; ++launch) {  // the workspace is left as it was found
      const auto columns = run.moments();
      for (int c = 0; c < problem.p.columns; ++c)
        EXPECT_NEAR(static_cast<double>(columns[static_cast<std::size_t>(c)].ccc), problem.ccc(c),
                    tolerance)
            << problem.p.rows << " rows, column " << c << ", launch " << launch;
    }
  });
}

TYPED_TEST(CccTest, IsTheDefinition) {
  for (const std::int64_t rows : shapes<std::int64_t>({2, 3, 48, 255, 257, 2049, 6007}, {4097}))
    for (const bool masked : {false, true})
      if (!masked || rows >= 48) expect_coefficients(Problem<TypeParam>(rows, 3, masked), 3e-6);
  expect_coefficients(Problem<TypeParam>(300, 2, true, 0, 0.25f), 3e-6);
}

// The last block has work for more than one warp.
TEST_F(KernelTest, CccOfManyBlocks) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  const Problem<float> problem(70001, 1, false);
  EXPECT_NEAR(static_cast<double>(test::Run<float>(problem).moments()[0].ccc), problem.ccc(0),
              3e-6);
}

// Differences of moments would lose every digit here.
TEST_F(KernelTest, CccStandsALargeMean) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  expect_coefficients(Problem<float>(5000, 2, false, 1000), 1e-3);
}

TYPED_TEST(CccTest, GradientIsTheDerivative) {
  const Problem<TypeParam> problem(53, 2, true, 0.25f, 1e-3f);
  const float factor = -0.5f;
  each_schedule([&] {
    Run<TypeParam> run(problem);
    run.moments();
    const auto dx = run.gradient(factor);
    for (std::int64_t i = 0; i < problem.p.rows; ++i)
      for (int c = 0; c < problem.p.x_row; ++c) {
        const auto got = static_cast<double>(dx[problem.at(i, c, problem.p.x_row)]);
        if (c >= problem.p.columns) {
          EXPECT_EQ(got, 7) << "between the columns";
          continue;
        }
        constexpr double step = 1e-5;
        const double slope = (problem.ccc(c, i, step) - problem.ccc(c, i, -step)) / (2 * step);
        const double expected = problem.counts(i, c) ? static_cast<double>(factor) * slope : 0;
        EXPECT_NEAR(got, expected, 1e-7 + kernel_tolerance<TypeParam>.relative * std::abs(expected))
            << "row " << i << ", column " << c;
      }
  });
}

TYPED_TEST(CccTest, NothingLeftGivesZeros) {
  Problem<TypeParam> problem(40, 2, true);
  for (auto& byte : problem.mask) byte = 0;
  each_schedule([&] {
    Run<TypeParam> run(problem);
    for (const CccColumn& column : run.moments()) {
      EXPECT_EQ(column.ccc, 0);
      EXPECT_EQ(column.slope, 0);
    }
    const auto dx = run.gradient(1);
    EXPECT_EQ(static_cast<float>(dx[0]), 0);
  });
}

TYPED_TEST(CccTest, HasTheSameBitsUnderEverySchedule) {
  const Problem<TypeParam> problem(5000, 2, false);
  std::vector<float> first;
  each_schedule([&] {
    Run<TypeParam> run(problem);
    for (const CccColumn& column : run.moments()) first.push_back(column.ccc);
  });
  for (std::size_t i = 2; i < first.size(); ++i) EXPECT_EQ(first[i], first[i - 2]);
}

}  // namespace
}  // namespace mien::test
