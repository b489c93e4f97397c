#pragma once
// Squared error: the mean or the sum of (x - y)^2.

#include <mien/loss/difference.hpp>

namespace mien {

namespace ops {
struct SquaredError {
  static constexpr std::string_view name = "mse";
  static double value(double d) { return d * d; }
  static double slope(double d) { return 2 * d; }
};
}  // namespace ops

namespace loss {

// x, y of one shape; the result is a scalar.
template <FloatElement T>
Tensor<T> mse(const Tensor<T>& x, const Tensor<T>& y, const DifferenceOptions& options = {}) {
  return apply(ops::Difference<ops::SquaredError>{options}, {x, y});
}

}  // namespace loss
}  // namespace mien
