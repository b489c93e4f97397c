#pragma once
// y = the smallest element of x over some dimensions.

#include <mien/ops/extremum.hpp>

namespace mien {

namespace ops {
using Min = Extremum<kernels::Reduction::min>;
}  // namespace ops

// Any shape with elements.
template <FloatElement T>
Tensor<T> min(const Tensor<T>& x, const Over& over = {}) {
  return apply(ops::Min{.over = over}, {x});
}

}  // namespace mien
