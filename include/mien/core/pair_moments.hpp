#pragma once
// Means, variances and covariance of pairs (x, y), and the concordance correlation coefficient that
// follows from them:
//
//   ccc = 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2 + epsilon)
//
// with moments of the population (1/N). Lin: "A concordance correlation coefficient to evaluate
// reproducibility", Biometrics 45, 1989. Two passes in double with the correction of Chan, Golub
// and LeVeque ("Algorithms for computing the sample variance", The American Statistician 37, 1983):
// no digit is lost where the means are large beside the deviations, and constants have variance 0.

#include <cstdint>

namespace mien {

struct PairMoments {
  std::int64_t count = 0;
  // A mean is pivot + rest: one double would round it where it is large beside the deviation.
  double pivot_x = 0, pivot_y = 0, rest_x = 0, rest_y = 0;
  double xx = 0, yy = 0, xy = 0;  // variances and covariance

  double from_mean_x(double x) const { return (x - pivot_x) - rest_x; }
  double from_mean_y(double y) const { return (y - pivot_y) - rest_y; }
  double mean_difference() const { return (pivot_x - pivot_y) + (rest_x - rest_y); }

  // s_x^2 + s_y^2 + (m_x - m_y)^2
  double spread() const { return xx + yy + mean_difference() * mean_difference(); }

  // 0 for fewer than two pairs. NaN for two equal constants without epsilon.
  double concordance(double epsilon = 0) const {
    return count < 2 ? 0 : 2 * xy / (spread() + epsilon);
  }
};

namespace detail {

// Kahan's sum: its error does not grow with the number of terms.
class CompensatedSum {
 public:
  void operator+=(double term) {
    const double corrected = term - excess_, sum = sum_ + corrected;
    excess_ = (sum - sum_) - corrected;
    sum_ = sum;
  }
  double over(double n) const { return sum_ / n; }

 private:
  double sum_ = 0, excess_ = 0;
};

}  // namespace detail

// `each` is called twice and calls the function that it is given, (double x, double y), for every
// pair, the same ones both times.
template <class Each>
PairMoments pair_moments(Each&& each) {
  PairMoments m;
  double first_x = 0, first_y = 0;
  detail::CompensatedSum from_first_x, from_first_y;
  each([&](double x, double y) {
    if (m.count++ == 0) first_x = x, first_y = y;
    from_first_x += x - first_x;
    from_first_y += y - first_y;
  });
  if (m.count == 0) return m;
  const auto n = static_cast<double>(m.count);
  m.pivot_x = first_x + from_first_x.over(n);
  m.pivot_y = first_y + from_first_y.over(n);
  detail::CompensatedSum sum_x, sum_y, xx, yy, xy;
  each([&](double x, double y) {
    const double dx = x - m.pivot_x, dy = y - m.pivot_y;
    sum_x += dx;
    sum_y += dy;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  });
  m.rest_x = sum_x.over(n);
  m.rest_y = sum_y.over(n);
  m.xx = xx.over(n) - m.rest_x * m.rest_x;
  m.yy = yy.over(n) - m.rest_y * m.rest_y;
  m.xy = xy.over(n) - m.rest_x * m.rest_y;
  return m;
}

}  // namespace mien
