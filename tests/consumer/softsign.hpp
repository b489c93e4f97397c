#ifndef SOFTSIGN_HPP
#define SOFTSIGN_HPP
// Softsign, an elementwise op of a program of its own: y = x / (1 + |x|), dy/dx = 1 / (1 + |x|)^2.

#include <cmath>

#include <mien/ops/elementwise.hpp>

namespace app {

struct Softsign {
  static constexpr std::string_view name = "softsign";
  static constexpr mien::Reads reads = mien::Reads::input;

  template <class C>
  C reference(C x) const {
    return x / (1 + std::abs(x));
  }
};

// Any shape, any float type, every instruction set, several threads.
template <mien::FloatElement T>
mien::Tensor<T> softsign(const mien::Tensor<T>& x) {
  return mien::apply(mien::Unary<Softsign>{}, {x});
}

}  // namespace app

// Includes this file once more per instruction set; it must lie on the include path.
#define MIEN_KERNEL_FILE <softsign.hpp>
#include <mien/cpu/foreach_isa.inl>

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<app::Softsign> {
  template <class V>
  static MIEN_INLINE V forward(V x, const app::Softsign&) {
    return x / (V(1) + abs(x));
  }
  template <class V>
  static MIEN_INLINE V backward(V x, V dy, const app::Softsign&) {
    const V slope = V(1) / (V(1) + abs(x));
    return dy * slope * slope;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
