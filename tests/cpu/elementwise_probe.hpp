#ifndef MIEN_TESTS_CPU_ELEMENTWISE_PROBE_HPP
#define MIEN_TESTS_CPU_ELEMENTWISE_PROBE_HPP
// Elementwise functions in which no operand can be taken for another: the kernels' tests use them.

#include <mien/cpu/elementwise.hpp>

namespace mien::test {

struct Scale {
  float factor = 1;
};

// y = a - factor b
struct Combination {
  float factor = 1;
};

}  // namespace mien::test

#define MIEN_KERNEL_FILE <cpu/elementwise_probe.hpp>
#include <mien/cpu/foreach_isa.inl>

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {

template <>
struct Math<test::Scale> {
  template <class V>
  static MIEN_INLINE V forward(V x, const test::Scale& op) {
    return V(op.factor) * x;
  }
  template <class V>
  static MIEN_INLINE V backward(V saved, V dy, const test::Scale& op) {
    return V(op.factor) * dy + saved;
  }
};

template <>
struct Math<test::Combination> {
  template <class V>
  static MIEN_INLINE V forward(V a, V b, const test::Combination& op) {
    return a - V(op.factor) * b;
  }
  template <class V>
  static MIEN_INLINE V backward_a(V a, V b, V dy, const test::Combination& op) {
    return a + V(op.factor) * b + dy;
  }
  template <class V>
  static MIEN_INLINE V backward_b(V a, V b, V dy, const test::Combination& op) {
    return a - V(op.factor) * (b + dy);
  }
};

}  // namespace mien::kernels::MIEN_ISA

#endif
