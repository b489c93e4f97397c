#ifndef MIEN_OPS_DIV_HPP
#define MIEN_OPS_DIV_HPP
// y = a / b, dy/da = 1 / b, dy/db = -(a / b) / b.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Div {
  static constexpr std::string_view name = "div";
  static constexpr const char* torch = "x[0] / x[1]";
  static constexpr Gradient gradient_a = Gradient::from_b, gradient_b = Gradient::from_both;
  static constexpr Domain domain = {0.5, 3};

  template <class C>
  C reference(C a, C b) const {
    return a / b;
  }
};
}  // namespace ops

// Shapes broadcast as in NumPy.
template <FloatElement T>
Tensor<T> operator/(const Tensor<T>& a, const Tensor<T>& b) {
  return apply(Binary<ops::Div>{}, {a, b});
}

// number / x, with the number rounded to T.
template <FloatElement T>
Tensor<T> operator/(double number, const Tensor<T>& x) {
  return Tensor<T>::scalar(static_cast<T>(static_cast<Compute<T>>(number))) / x;
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/div.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> operator/(const Tensor<float>&, const Tensor<float>&))
MIEN_INSTANCE(Tensor<float> operator/(double, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Div> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const ops::Div&) {
    return a / b;
  }
  template <class V>
  static MIEN_INLINE V backward_a(V, V b, V dy, const ops::Div&) {
    return dy / b;
  }
  template <class V>
  static MIEN_INLINE V backward_b(V a, V b, V dy, const ops::Div&) {
    return -dy * (a / b) / b;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
