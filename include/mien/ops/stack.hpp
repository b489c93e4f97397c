#pragma once
// y = the inputs, of one shape, side by side along a dimension of its own.

#include <mien/ops/concat.hpp>
#include <mien/ops/reshape.hpp>

namespace mien {

// The result has the number of tensors as size of dimension dim, which negative values count from
// the end of the result's.
template <FloatElement T>
Tensor<T> stack(const std::vector<Tensor<T>>& tensors, int dim = 0) {
  check(!tensors.empty(), "stack", "no tensors");
  const Shape& common = tensors[0].shape();
  const int at = wrap_dim(dim, common.rank() + 1, "stack");
  Shape unit;
  for (int d = 0; d <= common.rank(); ++d) unit.push_back(d == at ? 1 : common[d < at ? d : d - 1]);
  std::vector<Tensor<T>> units;
  for (const auto& x : tensors) {
    check(x.shape() == common, "stack", "shapes ", common, " and ", x.shape(), " differ");
    units.push_back(reshape(x, unit));
  }
  return concat(units, at);
}

}  // namespace mien
