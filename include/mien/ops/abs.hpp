#ifndef MIEN_OPS_ABS_HPP
#define MIEN_OPS_ABS_HPP
// y = |x|, dy/dx = sign(x), 0 at 0.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Abs {
  static constexpr std::string_view name = "abs";
  static constexpr const char* torch = "torch.abs(x[0])";
  static constexpr Reads reads = Reads::input;

  template <class C>
  C reference(C x) const {
    return std::abs(x);
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> abs(const Tensor<T>& x) {
  return apply(Unary<ops::Abs>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/abs.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> abs(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Abs> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Abs&) {
    return abs(x);
  }
  template <class V>
  static MIEN_INLINE V backward(V x, V dy, const ops::Abs&) {
    return select(x == V(0), V(0), select(x < V(0), -dy, dy));
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
