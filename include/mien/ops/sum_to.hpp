#pragma once
// sum_to: the adjoint of broadcasting. Values only; the backward of broadcasting ops uses it.

#include <mien/ops/reduce.hpp>

namespace mien {

// Sums x over the dimensions in which `shape`, aligned at the last dimension, is 1 or absent, and
// rounds once. Shares the elements of x where there is nothing to sum.
template <FloatElement T>
Tensor<T> sum_to(const Tensor<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (x.numel() == shape.numel()) return x.dense().view_as(shape);
  return rounded_to<T>(reduce_to<kernels::Reduction::sum>(x, shape));
}

}  // namespace mien
