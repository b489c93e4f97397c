#ifndef MIEN_OPS_LOG_HPP
#define MIEN_OPS_LOG_HPP
// y = log(x), dy/dx = 1 / x.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Log {
  static constexpr std::string_view name = "log";
  static constexpr const char* torch = "torch.log(x[0])";
  static constexpr Reads reads = Reads::input;
  static constexpr Domain domain = {0.1, 4};

  template <class C>
  C reference(C x) const {
    return std::log(x);
  }
};
}  // namespace ops

// Any shape. Natural logarithm: -infinity at 0, NaN below.
template <FloatElement T>
Tensor<T> log(const Tensor<T>& x) {
  return apply(Unary<ops::Log>{}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/log.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> log(const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Log> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Log&) {
    return log(x);
  }
  template <class V>
  static MIEN_INLINE V backward(V x, V dy, const ops::Log&) {
    return dy / x;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
