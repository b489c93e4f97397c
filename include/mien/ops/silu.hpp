#ifndef MIEN_OPS_SILU_HPP
#define MIEN_OPS_SILU_HPP
// SiLU, also called swish: y = x sigmoid(x), dy/dx = s (1 + x (1 - s)) with s = sigmoid(x).
// Ramachandran, Zoph, Le: "Searching for activation functions", 2017.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Silu {
  static constexpr std::string_view name = "silu";
  static constexpr const char* torch = "F.silu(x[0])";
  static constexpr Reads reads = Reads::input;

  template <class C>
  C reference(C x) const {
    return x / (C(1) + std::exp(-x));
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> silu(const Tensor<T>& x) {
  return apply(Unary<ops::Silu>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/silu.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> silu(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Silu> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Silu&) {
    return silu(x);
  }
  template <class V>
  static MIEN_INLINE V backward(V x, V dy, const ops::Silu&) {
    const V s = sigmoid(x);
    return dy * s * fma(x, V(1) - s, V(1));
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
