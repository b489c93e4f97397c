#pragma once
// Walking a shape index by index: the plain loops of references and tests.

#include <cstdint>

#include <mien/core/shape.hpp>

namespace mien {

// Calls f(index) for every index of `shape` in row-major order.
template <class F>
void each_index(const Shape& shape, F&& f) {
  Shape index = shape;
  for (int d = 0; d < index.rank(); ++d) index[d] = 0;
  for (std::int64_t left = shape.numel(); left > 0; --left) {
    f(static_cast<const Shape&>(index));
    for (int d = shape.rank() - 1; d >= 0 && ++index[d] == shape[d]; --d) index[d] = 0;
  }
}

// Where the element at `index` lies. Aligned at the last dimension: leading indices beyond the rank
// of `strides` are left out.
inline std::int64_t offset_of(const Shape& index, const Shape& strides) {
  std::int64_t offset = 0;
  for (int d = 1; d <= strides.rank(); ++d) offset += index[-d] * strides[-d];
  return offset;
}

}  // namespace mien
