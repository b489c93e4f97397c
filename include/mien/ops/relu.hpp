#ifndef MIEN_OPS_RELU_HPP
#define MIEN_OPS_RELU_HPP
// y = max(x, 0), dy/dx = 1 where x > 0, else 0.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Relu {
  static constexpr std::string_view name = "relu";
  static constexpr const char* torch = "F.relu(x[0])";
  static constexpr Reads reads = Reads::output;

  template <class C>
  C reference(C x) const {
    return x < C(0) ? C(0) : x;
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> relu(const Tensor<T>& x) {
  return apply(Unary<ops::Relu>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/relu.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> relu(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Relu> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Relu&) {
    return max(V(0), x);
  }
  template <class V>
  static MIEN_INLINE V backward(V y, V dy, const ops::Relu&) {
    return select(V(0) < y, dy, V(0));
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
