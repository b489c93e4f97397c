#ifndef MIEN_OPS_SIGMOID_HPP
#define MIEN_OPS_SIGMOID_HPP
// y = 1 / (1 + exp(-x)), dy/dx = y (1 - y).

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Sigmoid {
  static constexpr std::string_view name = "sigmoid";
  static constexpr const char* torch = "torch.sigmoid(x[0])";
  static constexpr Reads reads = Reads::output;

  template <class C>
  C reference(C x) const {
    return C(1) / (C(1) + std::exp(-x));
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> sigmoid(const Tensor<T>& x) {
  return apply(Unary<ops::Sigmoid>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/sigmoid.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> sigmoid(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Sigmoid> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Sigmoid&) {
    return sigmoid(x);
  }
  template <class V>
  static MIEN_INLINE V backward(V y, V dy, const ops::Sigmoid&) {
    return dy * y * (V(1) - y);
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
