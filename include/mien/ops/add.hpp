#ifndef MIEN_OPS_ADD_HPP
#define MIEN_OPS_ADD_HPP
// y = a + b.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Add {
  static constexpr std::string_view name = "add";
  static constexpr const char* torch = "x[0] + x[1]";
  static constexpr Gradient gradient_a = Gradient::is_dy, gradient_b = Gradient::is_dy;

  template <class C>
  C reference(C a, C b) const {
    return a + b;
  }
};
}  // namespace ops

// Shapes broadcast as in NumPy.
template <FloatElement T>
Tensor<T> operator+(const Tensor<T>& a, const Tensor<T>& b) {
  return apply(Binary<ops::Add>{}, {a, b});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/add.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> operator+(const Tensor<float>&, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Add> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const ops::Add&) {
    return a + b;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
