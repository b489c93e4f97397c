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

// Two values per block of rows and channel, (blocks, c) each.
template <class C>
class BlockPairs {
 public:
  // body(first row, rows, C* a, C* b) fills one block's values, on several threads.
  template <class Body>
  BlockPairs(std::int64_t rows, std::int64_t c, Body&& body)
      : rows_(rows), c_(c), step_(channel_rows(c)), blocks_((rows + step_ - 1) / step_),
        values_(static_cast<std::size_t>(2 * blocks_ * c)) {
    parallel_for(blocks_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        body(i * step_, rows_of(i), values_.data() + i * c, values_.data() + (blocks_ + i) * c);
    });
  }

  std::int64_t blocks() const { return blocks_; }
  std::int64_t rows_of(std::int64_t i) const { return std::min(step_, rows_ - i * step_); }
  double first(std::int64_t i, std::int64_t j) const {
    return values_[static_cast<std::size_t>(i * c_ + j)];
  }
  double second(std::int64_t i, std::int64_t j) const {
    return values_[static_cast<std::size_t>((blocks_ + i) * c_ + j)];
  }

 private:
  std::int64_t rows_, c_, step_, blocks_;
  std::vector<C> values_;
};

// Mean and biased variance (c) over rows; rows > 0.
template <class T>
void batch_moments(Cpu, double* mean, double* variance, const T* x, std::int64_t rows,
                   std::int64_t c) {
  const auto kernel = MIEN_ISA_PICK(moments<T>);
  const BlockPairs<Compute<T>> parts(
      rows, c, [&](std::int64_t first, std::int64_t count, Compute<T>* m, Compute<T>* s) {
        kernel(m, s, x + first * c, count, c);
      });
  // Squares about the common mean: Chan, Golub, LeVeque, "Updating formulae and a pairwise
  // algorithm for computing sample variances", 1979.
  const auto total = static_cast<double>(rows);
  for (std::int64_t j = 0; j < c; ++j) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < parts.blocks(); ++i)
      sum += static_cast<double>(parts.rows_of(i)) * parts.first(i, j);
    const double centre = sum / total;
    for (std::int64_t i = 0; i < parts.blocks(); ++i) {
      const double shift = parts.first(i, j) - centre;
      squares += parts.second(i, j) + static_cast<double>(parts.rows_of(i)) * shift * shift;
    }
    mean[j] = centre;
    variance[j] = squares / total;
  }
}

// y = op((x - mean) * scale + shift).
template <class Op, class T>
void normalise(Cpu, T* y, const T* x, std::int64_t rows, const ChannelAffine<Compute<T>>& a,
               const Op& op) {
  const auto kernel = MIEN_ISA_PICK(normalise<Op, T>);
  parallel_for(rows, channel_rows(a.c), [&](std::int64_t begin, std::int64_t end) {
    kernel(y + begin * a.c, x + begin * a.c, end - begin, a, op);
  });
}

// With g the gradient at op's argument: sum = sum of g, moment = sum of g * (x - mean), (c) each.
template <class Op, class T>
void normalise_grad_sums(Cpu, double* sum, double* moment, const T* x, const T* dy,
                         std::int64_t rows, const ChannelAffine<Compute<T>>& a, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(normalise_grad_sums<Op, T>);
  const BlockPairs<Compute<T>> parts(
      rows, a.c, [&](std::int64_t first, std::int64_t count, Compute<T>* s, Compute<T>* m) {
        kernel(s, m, x + first * a.c, dy + first * a.c, count, a, op);
      });
  for (std::int64_t j = 0; j < a.c; ++j) {
    sum[j] = moment[j] = 0;
    for (std::int64_t i = 0; i < parts.blocks(); ++i) {
      sum[j] += parts.first(i, j);
      moment[j] += parts.second(i, j);
    }
  }
}

// dx = g * scale + (x - mean) * slope + offset; slope, offset (c).
template <class Op, class T>
void normalise_grad(Cpu, T* dx, const T* x, const T* dy, std::int64_t rows,
                    const ChannelAffine<Compute<T>>& a, const Compute<T>* slope,
                    const Compute<T>* offset, const Op& op) {
  const auto kernel = MIEN_ISA_PICK(normalise_grad<Op, T>);
  parallel_for(rows, channel_rows(a.c), [&](std::int64_t begin, std::int64_t end) {
    kernel(dx + begin * a.c, x + begin * a.c, dy + begin * a.c, end - begin, a, slope, offset, op);
  });
}

}  // namespace mien::kernels
