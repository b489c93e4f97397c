#ifndef MIEN_OPS_MUL_HPP
#define MIEN_OPS_MUL_HPP
// y = a b, element by element.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Mul {
  static constexpr std::string_view name = "mul";
  static constexpr const char* torch = "x[0] * x[1]";
  static constexpr Gradient gradient_a = Gradient::from_b, gradient_b = Gradient::from_a;

  template <class C>
  C reference(C a, C b) const {
    return a * b;
  }
};
}  // namespace ops

// Shapes broadcast as in NumPy.
template <FloatElement T>
Tensor<T> operator*(const Tensor<T>& a, const Tensor<T>& b) {
  return apply(Binary<ops::Mul>{}, {a, b});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/mul.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> operator*(const Tensor<float>&, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Mul> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const ops::Mul&) {
    return a * b;
  }
  template <class V>
  static MIEN_INLINE V backward_a(V, V b, V dy, const ops::Mul&) {
    return dy * b;
  }
  template <class V>
  static MIEN_INLINE V backward_b(V a, V, V dy, const ops::Mul&) {
    return dy * a;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
