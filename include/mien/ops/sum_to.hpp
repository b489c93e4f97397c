#pragma once
// sum_to: the adjoint of broadcasting. Values only; the backward of broadcasting ops uses it.

#include <mien/core/tensor.hpp>
#include <mien/cpu/reduce.hpp>

namespace mien {

// Sums x over the dimensions in which `shape`, aligned at the last dimension, is 1 or absent.
// Returns x itself where the shapes are equal.
template <FloatElement T>
Tensor<T> sum_to(const Tensor<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Tensor<T> out = x.dense();
  const int lead = x.rank() - shape.rank();
  for (int d = x.rank() - 1; d >= 0;) {
    const auto stretched = [&](int i) {
      return x.dim(i) != 1 && (i < lead || shape[i - lead] == 1);
    };
    if (!stretched(d)) {
      --d;
      continue;
    }
    // A run of adjacent stretched dimensions goes in one pass.
    const int last = d;
    while (d > 0 && stretched(d - 1)) --d;
    kernels::ReduceParams p;
    Shape reduced = out.shape();
    for (int i = 0; i < reduced.rank(); ++i)
      (i < d ? p.pre : i <= last ? p.mid : p.post) *= reduced[i];
    for (int i = d; i <= last; ++i) reduced[i] = 1;
    Tensor<T> sums(reduced, x.device());
    with_device(x.device(), [&](auto device) {
      kernels::reduce<kernels::Reduction::sum>(device, sums.mutable_data(), out.data(), p);
    });
    out = sums;
    --d;
  }
  return out.view_as(shape);
}

}  // namespace mien
