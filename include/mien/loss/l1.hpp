#pragma once
// Absolute error: the mean or the sum of |x - y|. Its gradient where x = y is 0.

#include <cmath>

#include <mien/loss/difference.hpp>

namespace mien {

namespace ops {
struct AbsoluteError {
  static constexpr std::string_view name = "l1";
  static double value(double d) { return std::abs(d); }
  static double slope(double d) { return d > 0 ? 1 : d < 0 ? -1 : 0; }
};
}  // namespace ops

namespace loss {

// x, y of one shape; the result is a scalar.
template <FloatElement T>
Tensor<T> l1(const Tensor<T>& x, const Tensor<T>& y, const DifferenceOptions& options = {}) {
  return apply(ops::Difference<ops::AbsoluteError>{options}, {x, y});
}

}  // namespace loss
}  // namespace mien
