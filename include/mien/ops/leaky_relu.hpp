#ifndef MIEN_OPS_LEAKY_RELU_HPP
#define MIEN_OPS_LEAKY_RELU_HPP
// y = x where x > 0, else slope x.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct LeakyRelu {
  static constexpr std::string_view name = "leaky_relu";
  static constexpr const char* torch = "F.leaky_relu(x[0], 0.2)";
  static constexpr Reads reads = Reads::input;
  double slope = 0.01;

  static constexpr LeakyRelu example() { return {.slope = 0.2}; }

  template <class C>
  C reference(C x) const {
    return x > C(0) ? x : static_cast<C>(slope) * x;
  }
};
}  // namespace ops

// Any shape.
template <FloatElement T>
Tensor<T> leaky_relu(const Tensor<T>& x, double slope = 0.01) {
  return apply(Unary<ops::LeakyRelu>{{.slope = slope}}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/leaky_relu.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> leaky_relu(const Tensor<float>&, double))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::LeakyRelu> {
  template <class C>
  static MIEN_INLINE Vec<C> forward(Vec<C> x, const ops::LeakyRelu& op) {
    return select(Vec<C>(0) < x, x, Vec<C>(static_cast<C>(op.slope)) * x);
  }
  template <class C>
  static MIEN_INLINE Vec<C> backward(Vec<C> x, Vec<C> dy, const ops::LeakyRelu& op) {
    return select(Vec<C>(0) < x, dy, Vec<C>(static_cast<C>(op.slope)) * dy);
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
