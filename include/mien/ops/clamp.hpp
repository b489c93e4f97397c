#ifndef MIEN_OPS_CLAMP_HPP
#define MIEN_OPS_CLAMP_HPP
// y = min(max(x, low), high), dy/dx = 1 where low <= x <= high, else 0. NaN stays NaN.

#include <limits>

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Clamp {
  static constexpr std::string_view name = "clamp";
  static constexpr const char* torch = "torch.clamp(x[0], -1.5, 0.75)";
  static constexpr Reads reads = Reads::input;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  static constexpr Clamp example() { return {.low = -1.5, .high = 0.75}; }

  template <class C>
  C reference(C x) const {
    return x < static_cast<C>(low)    ? static_cast<C>(low)
           : static_cast<C>(high) < x ? static_cast<C>(high)
                                      : x;
  }
};
}  // namespace ops

// Any shape. A bound that is left out does not bind:  clamp(x, {.low = 0}).
template <FloatElement T>
Tensor<T> clamp(const Tensor<T>& x, const ops::Clamp& bounds) {
  check(bounds.low <= bounds.high, "clamp", "low ", bounds.low, " is above high ", bounds.high);
  return apply(Unary<ops::Clamp>{bounds}, {x});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/clamp.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> clamp(const Tensor<float>&, const ops::Clamp&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Clamp> {
  // min and max return their second operand, x, where it is NaN.
  template <class C>
  static MIEN_INLINE Vec<C> forward(Vec<C> x, const ops::Clamp& op) {
    const Vec<C> low(static_cast<C>(op.low)), high(static_cast<C>(op.high));
    return min(high, max(low, x));
  }
  template <class C>
  static MIEN_INLINE Vec<C> backward(Vec<C> x, Vec<C> dy, const ops::Clamp& op) {
    const Vec<C> low(static_cast<C>(op.low)), high(static_cast<C>(op.high)), zero(0);
    return select(low <= x, select(x <= high, dy, zero), zero);
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
