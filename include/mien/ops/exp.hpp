#ifndef MIEN_OPS_EXP_HPP
#define MIEN_OPS_EXP_HPP
// y = exp(x), dy/dx = y.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Exp {
  static constexpr std::string_view name = "exp";
  static constexpr const char* torch = "torch.exp(x[0])";
  static constexpr Reads reads = Reads::output;

  template <class C>
  C reference(C x) const {
    return std::exp(x);
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> exp(const Tensor<T>& x) {
  return apply(Unary<ops::Exp>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/exp.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> exp(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Exp> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Exp&) {
    return exp(x);
  }
  template <class V>
  static MIEN_INLINE V backward(V y, V dy, const ops::Exp&) {
    return dy * y;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
