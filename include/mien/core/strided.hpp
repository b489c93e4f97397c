#pragma once
// Loops over operands with strides: elementwise ops that broadcast, copies between layouts.

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <mien/core/parallel.hpp>
#include <mien/core/shape.hpp>

namespace mien {

// Strides that walk a tensor of `shape` and `strides` over the larger shape `out`, aligned at the
// last dimension: 0 where a size of 1 is stretched or the dimension is absent.
inline Shape broadcast_strides(const Shape& shape, const Shape& strides, const Shape& out) {
  Shape stretched = out;
  for (int i = 1; i <= out.rank(); ++i)
    stretched[-i] = i > shape.rank() || (shape[-i] == 1 && out[-i] != 1) ? 0 : strides[-i];
  return stretched;
}

// K operands of one shape, each with its own strides, as rows. Dimensions that every operand walks
// as one are merged; within a row operand k advances by steps()[k].
template <std::size_t K>
class StridedRows {
 public:
  using Offsets = std::array<std::int64_t, K>;

  StridedRows(const Shape& shape, const std::array<Shape, K>& strides) : numel_(shape.numel()) {
    sizes_[0] = 1;
    steps_[0].fill(1);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      if (shape[d] == 1) continue;
      Offsets step;
      for (std::size_t k = 0; k < K; ++k) step[k] = strides[k][d];
      if (rank_ > 0 && continues(step)) {
        sizes_[rank_ - 1] *= shape[d];
      } else {
        sizes_[rank_] = shape[d];
        steps_[rank_++] = step;
      }
    }
  }

  const Offsets& steps() const { return steps_[0]; }

  // Calls f(offsets, n) for each row, or piece of a long row, of n elements; on several threads.
  template <class F>
  void each(F&& f) const {
    if (numel_ == 0) return;
    constexpr std::int64_t elements_at_once = 1 << 14;  // stay in a second-level cache
    const std::int64_t length = sizes_[0];
    const std::int64_t pieces = (length + elements_at_once - 1) / elements_at_once;
    const std::int64_t rows_at_once = length < elements_at_once ? elements_at_once / length : 1;
    parallel_for(numel_ / length * pieces, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
      Cursor row(*this, begin / pieces);
      std::int64_t first = begin % pieces * elements_at_once;
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t rest = length - first;
        const std::int64_t n = rest < elements_at_once ? rest : elements_at_once;
        f(row.offsets_at(first), n);
        first += n;
        if (first < length) continue;
        first = 0;
        row.next();
      }
    });
  }

 private:
  bool continues(const Offsets& step) const {
    for (std::size_t k = 0; k < K; ++k)
      if (step[k] != steps_[rank_ - 1][k] * sizes_[rank_ - 1]) return false;
    return true;
  }

  // Steps through the rows, from the one numbered `row`.
  class Cursor {
   public:
    Cursor(const StridedRows& rows, std::int64_t row) : rows_(rows) {
      for (std::size_t d = 1; d < rows_.rank_; ++d) {
        index_[d] = row % rows_.sizes_[d];
        row /= rows_.sizes_[d];
        for (std::size_t k = 0; k < K; ++k) at_[k] += index_[d] * rows_.steps_[d][k];
      }
    }
    Offsets offsets_at(std::int64_t i) const {
      Offsets offsets = at_;
      for (std::size_t k = 0; k < K; ++k) offsets[k] += i * rows_.steps_[0][k];
      return offsets;
    }
    void next() {
      for (std::size_t d = 1; d < rows_.rank_; ++d) {
        for (std::size_t k = 0; k < K; ++k) at_[k] += rows_.steps_[d][k];
        if (++index_[d] < rows_.sizes_[d]) return;
        for (std::size_t k = 0; k < K; ++k) at_[k] -= rows_.sizes_[d] * rows_.steps_[d][k];
        index_[d] = 0;
      }
    }

   private:
    const StridedRows& rows_;
    std::array<std::int64_t, Shape::max_rank> index_{};
    Offsets at_{};
  };

  std::int64_t numel_;
  std::size_t rank_ = 0;
  std::array<std::int64_t, Shape::max_rank> sizes_{};  // from the innermost dimension outwards
  std::array<Offsets, Shape::max_rank> steps_{};
};

// out[i] = in[i] for every index i of `shape`, converted; `out` and `in` do not overlap.
template <class U, class T>
void strided_copy(U* out, const Shape& out_strides, const T* in, const Shape& in_strides,
                  const Shape& shape) {
  const StridedRows<2> rows(shape, {out_strides, in_strides});
  const auto [out_step, in_step] = rows.steps();
  rows.each([&, out_step = out_step, in_step = in_step](const auto& at, std::int64_t n) {
    U* to = out + at[0];
    const T* from = in + at[1];
    if (out_step != 1 || in_step != 1) {
      for (std::int64_t i = 0; i < n; ++i) to[i * out_step] = static_cast<U>(from[i * in_step]);
    } else if constexpr (std::is_same_v<T, U>) {
      std::memcpy(static_cast<void*>(to), from, static_cast<std::size_t>(n) * sizeof(T));
    } else {
      for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<U>(from[i]);
    }
  });
}

}  // namespace mien
