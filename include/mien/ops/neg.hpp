#ifndef MIEN_OPS_NEG_HPP
#define MIEN_OPS_NEG_HPP
// y = -x.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Neg {
  static constexpr std::string_view name = "neg";
  static constexpr const char* torch = "-x[0]";
  static constexpr Reads reads = Reads::nothing;

  template <class C>
  C reference(C x) const {
    return -x;
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> operator-(const Tensor<T>& x) {
  return apply(Unary<ops::Neg>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/neg.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> operator-(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Neg> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Neg&) {
    return -x;
  }
  template <class V>
  static MIEN_INLINE V backward(V, V dy, const ops::Neg&) {
    return -dy;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
