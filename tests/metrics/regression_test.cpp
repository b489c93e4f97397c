// Errors and coefficients of regression: scikit-learn's and numpy's.

#include <cmath>

#include <mien/metrics/regression.hpp>

#include "metrics/golden_metrics.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

TEST(Regression, IsThatOfScikitLearn) {
  const test::GoldenMetrics golden;
  for (const std::string of : {"close.", "opposed."}) {
    const auto x = golden.values<double>(of + "x"), y = golden.values<double>(of + "y");
    const metrics::RegressionScores scores = metrics::regression_scores(x, y);
    golden.expect(scores.mse, of + "mse");
    golden.expect(scores.rmse, of + "rmse");
    golden.expect(scores.mae, of + "mae");
    golden.expect(scores.pearson, of + "pearson");
    golden.expect(scores.ccc, of + "ccc");
  }
}

TEST(Regression, OfConstants) {
  const double constant[] = {0.1, 0.1, 0.1}, other[] = {0.3, 0.3, 0.3}, y[] = {0.1, 0.2, 0.6};
  EXPECT_EQ(metrics::ccc(constant, y), 0);
  EXPECT_EQ(metrics::ccc(constant, other), 0);
  EXPECT_TRUE(std::isnan(metrics::ccc(constant, constant)));
  EXPECT_TRUE(std::isnan(metrics::pearson(constant, y)));
  EXPECT_EQ(metrics::ccc(y, y), 1);
  EXPECT_EQ(metrics::pearson(y, y), 1);
}

// Moments as differences of sums would be nothing but rounding here.
TEST(Regression, StandsALargeMean) {
  const double large = 1e9;
  const double x[] = {large, large + 1, large + 2, large + 3};
  const double y[] = {large + 1, large, large + 2, large + 3};
  EXPECT_NEAR(metrics::ccc(x, y), 0.8, 1e-15);
  EXPECT_NEAR(metrics::pearson(x, y), 0.8, 1e-15);
}

TEST(Regression, OfFewerThanTwoPairsHasNoScores) {
  const double one[] = {1};
  for (const auto values : {metrics::Values{}, metrics::Values{one}}) {
    const auto scores = metrics::regression_scores(values, values);
    EXPECT_TRUE(std::isnan(scores.rmse));
    EXPECT_TRUE(std::isnan(scores.ccc));
  }
}

TEST(Regression, SaysWhatItExpects) {
  const double x[] = {1, 2, 3};
  const metrics::Values all(x), two(x, 2), one(x, 1), none;
  EXPECT_EQ(thrown([&] { metrics::rmse(two, all); }),
            "[mse] expected as many predictions as true values, 3, got 2");
  EXPECT_EQ(thrown([&] { metrics::regression_scores(two, all); }),
            "[regression_scores] expected as many predictions as true values, 3, got 2");
  EXPECT_EQ(thrown([&] { metrics::mae(none, none); }), "[mae] expected at least 1 pairs, got 0");
  EXPECT_EQ(thrown([&] { metrics::ccc(one, one); }), "[ccc] expected at least 2 pairs, got 1");
  EXPECT_EQ(thrown([&] { metrics::pearson(one, one); }),
            "[pearson] expected at least 2 pairs, got 1");
}

}  // namespace
