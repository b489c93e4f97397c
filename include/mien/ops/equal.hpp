#ifndef MIEN_OPS_EQUAL_HPP
#define MIEN_OPS_EQUAL_HPP
// 1 where a = b, else 0. Values only: no gradient flows.

#include <mien/cpu/elementwise.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {
struct Equal {};
}  // namespace ops

// Shapes broadcast as in NumPy; a and b are dense.
template <FloatElement T>
Tensor<T> equal(const Tensor<T>& a, const Tensor<T>& b) {
  const kernels::BinaryParams shapes{broadcast(a.shape(), b.shape(), "equal"), a.shape(),
                                     b.shape()};
  const Tensor<T> left = a.dense(), right = b.dense();
  Tensor<T> y(shapes.out, a.device());
  with_device(a.device(), [&](auto device) {
    kernels::binary(device, y.mutable_data(), left.data(), right.data(), shapes, ops::Equal{});
  });
  return y;
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/equal.hpp>
#include <mien/cpu/foreach_isa.inl>

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Equal> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const ops::Equal&) {
    return select(a == b, V(1), V(0));
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
