#pragma once
// Host side of batch normalisation: x (rows, c), statistics over rows. Blocks of rows, whose size
// depends on the shape alone, are reduced in Compute<T> and combined in double in order, so the
// bits do not depend on the number of threads.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mien/cpu/channels.hpp>
#include <mien/cpu/elementwise.hpp>

namespace mien::kernels {

// pre = (x - mean) * scale + shift for every channel, null pointers not allowed.
template <class C>
struct ChannelAffine {
  const C *mean, *scale, *shift;  // (c)
  std::int64_t c;
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/norm.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// N values per block of rows and channel.
template <class C, int N>
class BlockValues {
 public:
  // body(first row, rows, C* values) fills one block's (N, c) values; on several threads.
  template <class Body>
  BlockValues(std::int64_t rows, std::int64_t c, Body&& body)
      : rows_(rows),
        c_(c),
        step_(channel_rows(c)),
        blocks_((rows + step_ - 1) / step_),
        values_(static_cast<std::size_t>(N * blocks_ * c)) {
    parallel_for(blocks_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        body(i * step_, rows_of(i), values_.data() + i * N * c);
    });
  }

  std::int64_t blocks() const { return blocks_; }
  std::int64_t rows_of(std::int64_t i) const { return std::min(step_, rows_ - i * step_); }
  // Value `which` of block i, (c).
  const C* values(std::int64_t i, int which) const { return values_.data() + (i * N + which) * c_; }

 private:
  std::int64_t rows_, c_, step_, blocks_;
  std::vector<C> values_;
};

// Mean and biased variance (c) over rows; rows > 0. Within a block by the corrected two-pass
// algorithm, between blocks as in Chan, Golub, LeVeque: "Algorithms for computing the sample
// variance", 1983.
template <class T>
void batch_moments(Cpu, double* mean, double* variance, const T* x, std::int64_t rows,
                   std::int64_t c) {
  const auto kernel = MIEN_ISA_PICK(moments<T>);
  const BlockValues<Compute<T>, 3> parts(
      rows, c, [&](auto first, auto count, auto* v) { kernel(v, x + first * c, count, c); });
  std::fill(mean, mean + c, 0.0);
  std::fill(variance, variance + c, 0.0);
  for (std::int64_t i = 0; i < parts.blocks(); ++i) {
    const auto count = static_cast<double>(parts.rows_of(i));
    const Compute<T>*centre = parts.values(i, 0), *rest = parts.values(i, 1);
    for (std::int64_t j = 0; j < c; ++j) mean[j] += count * centre[j] + rest[j];
  }
  for (std::int64_t j = 0; j < c; ++j) mean[j] /= static_cast<double>(rows);
  for (std::int64_t i = 0; i < parts.blocks(); ++i) {
    const auto count = static_cast<double>(parts.rows_of(i));
    const Compute<T>*centre = parts.values(i, 0), *rest = parts.values(i, 1);
    const Compute<T>* squares = parts.values(i, 2);
    for (std::int64_t j = 0; j < c; ++j) {
      const double r = rest[j], shift = centre[j] + r / count - mean[j];
      variance[j] += squares[j] - r * r / count + count * shift * shift;
    }
  }
  for (std::int64_t j = 0; j < c; ++j)  // rounding may leave a constant channel below zero
    variance[j] = variance[j] < 0 ? 0 : variance[j] / static_cast<double>(rows);
}

// y = op((x - mean) * scale + shift).
template <class Op, class T>
void normalise(Cpu, T* y, const T* x, std::int64_t rows, const ChannelAffine<Compute<T>>& a,
               const Op& op) {
  const auto kernel = MIEN_ISA_PICK(normalise<Op, T>);
  const bool streaming = worth_streaming(y, rows, a.c);
  parallel_for(rows, channel_rows(a.c), [&](std::int64_t begin, std::int64_t end) {
    kernel(y + begin * a.c, x + begin * a.c, end - begin, a, op, streaming);
    if (streaming) end_streaming();
  });
}

// With g the gradient at op's argument: sum = sum of g, moment = sum of g * (x - mean), (c) each.
template <class Op, class T>
void normalise_grad_sums(Cpu, double* sum, double* moment, const T* x, const T* dy,
                         std::int64_t rows, const ChannelAffine<Compute<T>>& a, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(normalise_grad_sums<Op, T>);
  const BlockValues<Compute<T>, 2> parts(rows, a.c, [&](auto first, auto count, auto* v) {
    kernel(v, x + first * a.c, dy + first * a.c, count, a, op);
  });
  std::fill(sum, sum + a.c, 0.0);
  std::fill(moment, moment + a.c, 0.0);
  for (std::int64_t i = 0; i < parts.blocks(); ++i)
    for (std::int64_t j = 0; j < a.c; ++j) {
      sum[j] += parts.values(i, 0)[j];
      moment[j] += parts.values(i, 1)[j];
    }
}

// dx = g * scale + (x - mean) * slope + offset; slope, offset (c).
template <class Op, class T>
void normalise_grad(Cpu, T* dx, const T* x, const T* dy, std::int64_t rows,
                    const ChannelAffine<Compute<T>>& a, const Compute<T>* slope,
                    const Compute<T>* offset, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(normalise_grad<Op, T>);
  const bool streaming = worth_streaming(dx, rows, a.c);
  parallel_for(rows, channel_rows(a.c), [&](std::int64_t begin, std::int64_t end) {
    kernel(dx + begin * a.c, x + begin * a.c, dy + begin * a.c, end - begin, a, slope, offset, op,
           streaming);
    if (streaming) end_streaming();
  });
}

}  // namespace mien::kernels
