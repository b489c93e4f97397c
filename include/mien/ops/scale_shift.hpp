#ifndef MIEN_OPS_SCALE_SHIFT_HPP
#define MIEN_OPS_SCALE_SHIFT_HPP
// y = scale x + shift, and the arithmetic of tensors with numbers that is made of it.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct ScaleShift {
  static constexpr std::string_view name = "scale_shift";
  static constexpr const char* torch = "-1.75 * x[0] + 0.3";
  static constexpr Reads reads = Reads::nothing;
  double scale = 1;
  double shift = -0.0;  // adding it keeps a negative zero, adding 0.0 does not

  static constexpr ScaleShift example() { return {.scale = -1.75, .shift = 0.3}; }

  template <class C>
  C reference(C x) const {
    return static_cast<C>(scale) * x + static_cast<C>(shift);
  }
};
}  // namespace ops

// Any shape. Computed with one rounding where the processor has fused multiply-add.
template <FloatElement T>
Tensor<T> scale_shift(const Tensor<T>& x, const ops::ScaleShift& numbers) {
  return apply(Unary<ops::ScaleShift>{numbers}, {x});
}

template <FloatElement T>
Tensor<T> operator*(const Tensor<T>& x, double number) {
  return scale_shift(x, {.scale = number});
}
template <FloatElement T>
Tensor<T> operator*(double number, const Tensor<T>& x) {
  return x * number;
}
// Multiplies by 1 / number.
template <FloatElement T>
Tensor<T> operator/(const Tensor<T>& x, double number) {
  return x * (1 / number);
}
template <FloatElement T>
Tensor<T> operator+(const Tensor<T>& x, double number) {
  return scale_shift(x, {.shift = number});
}
template <FloatElement T>
Tensor<T> operator+(double number, const Tensor<T>& x) {
  return x + number;
}
template <FloatElement T>
Tensor<T> operator-(const Tensor<T>& x, double number) {
  return x + -number;
}
template <FloatElement T>
Tensor<T> operator-(double number, const Tensor<T>& x) {
  return scale_shift(x, {.scale = -1, .shift = number});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/scale_shift.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> scale_shift(const Tensor<float>&, const ops::ScaleShift&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::ScaleShift> {
  template <class C>
  static MIEN_INLINE Vec<C> forward(Vec<C> x, const ops::ScaleShift& op) {
    return fma(x, Vec<C>(static_cast<C>(op.scale)), Vec<C>(static_cast<C>(op.shift)));
  }
  template <class C>
  static MIEN_INLINE Vec<C> backward(Vec<C>, Vec<C> dy, const ops::ScaleShift& op) {
    return dy * Vec<C>(static_cast<C>(op.scale));
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
