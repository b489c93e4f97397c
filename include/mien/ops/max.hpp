#pragma once
// y = the largest element of x over some dimensions.

#include <mien/ops/extremum.hpp>

namespace mien {

namespace ops {
using Max = Extremum<kernels::Reduction::max>;
}  // namespace ops

// Any shape with elements.
template <FloatElement T>
Tensor<T> max(const Tensor<T>& x, const Over& over = {}) {
  return apply(ops::Max{.over = over}, {x});
}

}  // namespace mien
