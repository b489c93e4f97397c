#ifndef MIEN_OPS_MINIMUM_HPP
#define MIEN_OPS_MINIMUM_HPP
// y = min(a, b), element by element, NaN where either is. The gradient goes to the smaller operand,
// and half to each where they are equal, as in PyTorch.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Minimum {
  static constexpr std::string_view name = "minimum";
  static constexpr const char* torch = "torch.minimum(x[0], x[1])";
  static constexpr Gradient gradient_a = Gradient::from_both, gradient_b = Gradient::from_both;

  template <class C>
  C reference(C a, C b) const {
    return std::isnan(a) || a < b ? a : b;
  }
};
}  // namespace ops

// Shapes broadcast as in NumPy.
template <FloatElement T>
Tensor<T> minimum(const Tensor<T>& a, const Tensor<T>& b) {
  return apply(Binary<ops::Minimum>{}, {a, b});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/minimum.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> minimum(const Tensor<float>&, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Minimum> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const ops::Minimum&) {
    return select(a == a, min(a, b), a);
  }
  template <class V>
  static MIEN_INLINE V backward_a(V a, V b, V dy, const ops::Minimum&) {
    return select(a == b, V(0.5f) * dy, select(b < a, V(0), dy));
  }
  template <class V>
  static MIEN_INLINE V backward_b(V a, V b, V dy, const ops::Minimum&) {
    return select(a == b, V(0.5f) * dy, select(a < b, V(0), dy));
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
