#ifndef MIEN_OPS_TANH_HPP
#define MIEN_OPS_TANH_HPP
// y = tanh(x), dy/dx = 1 - y^2.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Tanh {
  static constexpr std::string_view name = "tanh";
  static constexpr const char* torch = "torch.tanh(x[0])";
  static constexpr Reads reads = Reads::output;

  template <class C>
  C reference(C x) const {
    return std::tanh(x);
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> tanh(const Tensor<T>& x) {
  return apply(Unary<ops::Tanh>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/tanh.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> tanh(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Tanh> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Tanh&) {
    return tanh(x);
  }
  template <class V>
  static MIEN_INLINE V backward(V y, V dy, const ops::Tanh&) {
    return dy * (V(1) - y * y);
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
