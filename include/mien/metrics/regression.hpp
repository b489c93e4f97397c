#pragma once
// Metrics of predictions x and true values y, one number each, in double. All throw where the two
// differ in number or are too few: one pair for errors, two for coefficients.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/core/pair_moments.hpp>

namespace mien::metrics {

using Values = std::span<const double>;

namespace detail {

inline void check_pairs(Values x, Values y, std::size_t least, std::string_view where) {
  check(x.size() == y.size(), where, "expected as many predictions as true values, ", y.size(),
        ", got ", x.size());
  check(x.size() >= least, where, "expected at least ", least, " pairs, got ", x.size());
}

inline PairMoments moments(Values x, Values y, std::string_view where) {
  check_pairs(x, y, 2, where);
  return pair_moments([&](auto&& add) {
    for (std::size_t i = 0; i < x.size(); ++i) add(x[i], y[i]);
  });
}

}  // namespace detail

// Mean squared error.
inline double mse(Values x, Values y) {
  detail::check_pairs(x, y, 1, "mse");
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum / static_cast<double>(x.size());
}

inline double rmse(Values x, Values y) { return std::sqrt(mse(x, y)); }

// Mean absolute error.
inline double mae(Values x, Values y) {
  detail::check_pairs(x, y, 1, "mae");
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(x[i] - y[i]);
  return sum / static_cast<double>(x.size());
}

// Pearson's correlation coefficient; NaN where x or y is constant.
inline double pearson(Values x, Values y) {
  const PairMoments m = detail::moments(x, y, "pearson");
  return std::clamp(m.xy / (std::sqrt(m.xx) * std::sqrt(m.yy)), -1.0, 1.0);
}

// The concordance correlation coefficient, of population moments (core/pair_moments.hpp); NaN where
// x and y are the same constant.
inline double ccc(Values x, Values y) { return detail::moments(x, y, "ccc").concordance(); }

// All of them; NaN where there are fewer than two pairs.
struct RegressionScores {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double mse = none, rmse = none, mae = none, pearson = none, ccc = none;
};

inline RegressionScores regression_scores(Values x, Values y) {
  detail::check_pairs(x, y, 0, "regression_scores");
  if (x.size() < 2) return {};
  return {mse(x, y), rmse(x, y), mae(x, y), pearson(x, y), ccc(x, y)};
}

}  // namespace mien::metrics
