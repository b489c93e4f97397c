#ifndef MIEN_OPS_IDENTITY_HPP
#define MIEN_OPS_IDENTITY_HPP
// y = x as an elementwise op: what a fused op does after its sums where no activation is asked for.

#include <mien/ops/elementwise.hpp>

namespace mien::ops {

struct Identity {
  static constexpr std::string_view name = "identity";
  static constexpr const char* torch = "x[0] * 1";
  static constexpr Reads reads = Reads::input;

  template <class C>
  C reference(C x) const {
    return x;
  }
};

}  // namespace mien::ops

#define MIEN_KERNEL_FILE <mien/ops/identity.hpp>
#include <mien/cpu/foreach_isa.inl>

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Identity> {
  template <class V>
  static MIEN_INLINE V forward(V x, const ops::Identity&) {
    return x;
  }
  template <class V>
  static MIEN_INLINE V backward(V, V dy, const ops::Identity&) {
    return dy;
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
