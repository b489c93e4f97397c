#pragma once
// Host side of the elementwise kernels: splits the work over threads, calls the active instruction
// set. What an op computes is in Math<Op>, in the op's own file.

#include <cstdint>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/core/shape.hpp>
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

// Two operands broadcast against each other, as rows: within a row each operand advances by its
// step (1, or 0 where it is stretched); rows are indexed by `outer` with the operands' own strides.
struct BroadcastRows {
  std::int64_t rows = 1, length = 1, step_a = 1, step_b = 1;
  Shape outer, stride_a, stride_b;

  // Adjacent dimensions in which both operands behave alike become one.
  BroadcastRows(const Shape& out, const Shape& a, const Shape& b) {
    Shape sizes, steps_a, steps_b;  // from the innermost dimension outwards
    std::int64_t run_a = 1, run_b = 1;
    for (int i = 1; i <= out.rank(); ++i) {
      const std::int64_t n = out[-i];
      const std::int64_t size_a = i <= a.rank() ? a[-i] : 1, size_b = i <= b.rank() ? b[-i] : 1;
      const std::int64_t sa = size_a == 1 && n != 1 ? 0 : run_a;
      const std::int64_t sb = size_b == 1 && n != 1 ? 0 : run_b;
      run_a *= size_a;
      run_b *= size_b;
      if (n == 1) continue;
      const int last = sizes.rank() - 1;
      if (last >= 0 && sa == steps_a[last] * sizes[last] && sb == steps_b[last] * sizes[last] &&
          (sa != 0) == (steps_a[last] != 0) && (sb != 0) == (steps_b[last] != 0)) {
        sizes[last] *= n;
        continue;
      }
      sizes.push_back(n);
      steps_a.push_back(sa);
      steps_b.push_back(sb);
    }
    if (sizes.rank() == 0) return;
    length = sizes[0];
    step_a = steps_a[0];
    step_b = steps_b[0];
    for (int i = sizes.rank() - 1; i > 0; --i) {
      outer.push_back(sizes[i]);
      stride_a.push_back(steps_a[i]);
      stride_b.push_back(steps_b[i]);
    }
    rows = outer.numel();
  }

  // Calls f(offset of the output, of a, of b, length) for pieces of rows, on several threads.
  template <class F>
  void each(F&& f) const {
    const std::int64_t pieces = (length + elementwise_chunk - 1) / elementwise_chunk;
    const std::int64_t rows_at_once = length >= elementwise_chunk ? 1 : elementwise_chunk / length;
    parallel_for(rows * pieces, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        std::int64_t row = i / pieces, at_a = 0, at_b = 0;
        const std::int64_t first = i % pieces * elementwise_chunk;
        const std::int64_t out = row * length + first;
        for (int d = outer.rank() - 1; d >= 0; --d) {
          at_a += row % outer[d] * stride_a[d];
          at_b += row % outer[d] * stride_b[d];
          row /= outer[d];
        }
        const std::int64_t n =
            length - first < elementwise_chunk ? length - first : elementwise_chunk;
        f(out, at_a + first * step_a, at_b + first * step_b, n);
      }
    });
  }
};

template <class Op, class T>
void binary(Cpu, T* y, const T* a, const T* b, const BroadcastRows& rows, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(binary_forward<Op, T>);
  rows.each([&](std::int64_t out, std::int64_t at_a, std::int64_t at_b, std::int64_t n) {
    kernel(y + out, a + at_a, b + at_b, n, rows.step_a, rows.step_b, op);
  });
}

// The gradient of operand a (ForA) or b, in the broadcast shape.
template <bool ForA, class Op, class T>
void binary_grad(Cpu, T* grad, const T* a, const T* b, const T* dy, const BroadcastRows& rows,
                 const Op& op) {
  const auto kernel = MIEN_ISA_PICK(binary_backward<Op, T, ForA>);
  rows.each([&](std::int64_t out, std::int64_t at_a, std::int64_t at_b, std::int64_t n) {
    kernel(grad + out, a + at_a, b + at_b, dy + out, n, rows.step_a, rows.step_b, op);
  });
}

}  // namespace mien::kernels
