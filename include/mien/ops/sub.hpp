#ifndef MIEN_OPS_SUB_HPP
#define MIEN_OPS_SUB_HPP
// y = a - b.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Sub {
  static constexpr std::string_view name = "sub";
  static constexpr const char* torch = "x[0] - x[1]";
  static constexpr Gradient gradient_a = Gradient::is_dy, gradient_b = Gradient::from_dy;

  template <class C>
  C reference(C a, C b) const {
    return a - b;
  }
};
}  // namespace ops

// Shapes broadcast as in NumPy.
template <FloatElement T>
Tensor<T> operator-(const Tensor<T>& a, const Tensor<T>& b) {
  return apply(Binary<ops::Sub>{}, {a, b});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/sub.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> operator-(const Tensor<float>&, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Sub> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const ops::Sub&) {
    return a - b;
  }
  template <class V>
  static MIEN_INLINE V backward_b(V, V, V dy, const ops::Sub&) {
    return -dy;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
