#ifndef MIEN_OPS_MAXIMUM_HPP
#define MIEN_OPS_MAXIMUM_HPP
// y = max(a, b), element by element, NaN where either is. The gradient goes to the larger operand,
// and half to each where they are equal, as in PyTorch.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Maximum {
  static constexpr std::string_view name = "maximum";
  static constexpr const char* torch = "torch.maximum(x[0], x[1])";
  static constexpr Gradient gradient_a = Gradient::from_both, gradient_b = Gradient::from_both;

  template <class C>
  C reference(C a, C b) const {
    return std::isnan(a) || b < a ? a : b;
  }
};
}  // namespace ops

// Shapes broadcast as in NumPy.
template <FloatElement T>
Tensor<T> maximum(const Tensor<T>& a, const Tensor<T>& b) {
  return apply(Binary<ops::Maximum>{}, {a, b});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/maximum.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> maximum(const Tensor<float>&, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Maximum> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const ops::Maximum&) {
    return select(a == a, max(a, b), a);
  }
  template <class V>
  static MIEN_INLINE V backward_a(V a, V b, V dy, const ops::Maximum&) {
    return select(a == b, V(0.5f) * dy, select(a < b, V(0), dy));
  }
  template <class V>
  static MIEN_INLINE V backward_b(V a, V b, V dy, const ops::Maximum&) {
    return select(a == b, V(0.5f) * dy, select(b < a, V(0), dy));
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
