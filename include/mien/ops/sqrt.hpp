#ifndef MIEN_OPS_SQRT_HPP
#define MIEN_OPS_SQRT_HPP
// y = sqrt(x), dy/dx = 1 / (2 y).

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  static constexpr const char* torch = "torch.sqrt(x[0])";
  static constexpr Reads reads = Reads::output;
  static constexpr Domain domain = {0.1, 4};

  template <class C>
  C reference(C x) const {
    return std::sqrt(x);
  }
};
}  // namespace ops

// Any shape. NaN below 0.
template <FloatElement T>
Tensor<T> sqrt(const Tensor<T>& x) {
  return apply(Unary<ops::Sqrt>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/sqrt.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> sqrt(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Sqrt> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Sqrt&) {
    return sqrt(x);
  }
  template <class V>
  static MIEN_INLINE V backward(V y, V dy, const ops::Sqrt&) {
    return dy / (y + y);
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
