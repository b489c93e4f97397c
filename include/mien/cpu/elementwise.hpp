#pragma once
// Host side of the elementwise kernels: splits the work over threads, calls the active instruction
// set. What an op computes is in Math<Op>, in the op's own file.

#include <cstdint>
#include <type_traits>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/core/strided.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/math.hpp>

#define MIEN_KERNEL_FILE <mien/cpu/elementwise.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// Elements that a thread takes at once: small enough to stay in its second-level cache.
inline constexpr std::int64_t elementwise_chunk = 1 << 14;

template <class Op, class T>
void unary(Cpu, T* y, const T* x, std::int64_t n, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(unary_forward<Op, T>);
  parallel_for(n, elementwise_chunk,
               [&](std::int64_t b, std::int64_t e) { kernel(y + b, x + b, e - b, op); });
}

template <class Op, class T>
void unary_grad(Cpu, T* dx, const T* saved, const T* dy, std::int64_t n, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(unary_backward<Op, T>);
  parallel_for(n, elementwise_chunk, [&](std::int64_t b, std::int64_t e) {
    kernel(dx + b, saved + b, dy + b, e - b, op);
  });
}

// Two dense operands a and b broadcast to `out`.
struct BinaryParams {
  Shape out, a, b;

  // Rows of the output (operand 0), a (1) and b (2).
  StridedRows<3> rows() const {
    return {out,
            {dense_strides(out), broadcast_strides(a, dense_strides(a), out),
             broadcast_strides(b, dense_strides(b), out)}};
  }
};

template <class Op, class T, class B>
void binary(Cpu, T* y, const T* a, const B* b, const BinaryParams& p, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(binary_forward<Op, T, B>);
  const StridedRows<3> rows = p.rows();
  rows.each([&](const auto& at, std::int64_t n) {
    kernel(y + at[0], a + at[1], b + at[2], n, rows.steps()[1], rows.steps()[2], op);
  });
}

// The gradient of operand a (ForA) or b, in the broadcast shape.
template <bool ForA, class Op, class T, class B>
void binary_grad(Cpu, std::conditional_t<ForA, T, B>* grad, const T* a, const B* b, const T* dy,
                 const BinaryParams& p, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(binary_backward<Op, T, B, ForA>);
  const StridedRows<3> rows = p.rows();
  rows.each([&](const auto& at, std::int64_t n) {
    kernel(grad + at[0], a + at[1], b + at[2], dy + at[0], n, rows.steps()[1], rows.steps()[2], op);
  });
}

}  // namespace mien::kernels
