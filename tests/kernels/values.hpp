#pragma once
// Inputs of kernels, and the comparison of their outputs with what a reference computes in double.

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <mien/core/dtype.hpp>
#include <mien/core/error.hpp>

namespace mien::test {

// Uniform in [low, high), rounded to T.
template <class T>
std::vector<T> random_values(std::int64_t n, float low, float high, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<T> values(static_cast<std::size_t>(n));
  for (T& value : values)
    value = T(low + (high - low) * static_cast<float>(generator() >> 8) * 0x1p-24f);
  return values;
}

struct Tolerance {
  double relative, absolute;
};

// One rounding to T (half a unit in the last place, and half the smallest number), and the error of
// the GPU's special functions for arguments up to about 20.
template <class T>
constexpr Tolerance kernel_tolerance = std::is_same_v<T, float> ? Tolerance{1e-5, 1e-30}
                                       : std::is_same_v<T, f16> ? Tolerance{0x1.1p-11, 0x1p-25}
                                                                : Tolerance{0x1.1p-8, 1e-30};

// Empty where every element of `got` is as close to `expected` as asked, else the first that is
// not. slack: what each element may be apart beside the tolerance, for sums whose terms cancel.
template <class T>
std::string difference(const std::vector<T>& got, const std::vector<double>& expected,
                       Tolerance tolerance = kernel_tolerance<T>,
                       const std::vector<double>& slack = {}) {
  if (got.size() != expected.size()) return "another number of elements";
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double x = static_cast<double>(got[i]), y = expected[i];
    const double absolute = tolerance.absolute + (slack.empty() ? 0.0 : slack[i]);
    if (!(std::abs(x - y) <= tolerance.relative * std::abs(y) + absolute))
      return str("element ", i, " is ", x, ", expected ", y);
  }
  return {};
}

}  // namespace mien::test
