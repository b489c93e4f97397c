#pragma once
// The kernels of cross_entropy.hpp.

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include <mien/cuda/cross_entropy.hpp>
#include <mien/cuda/loss.cuh>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// A team of 1, 32 or 512 threads has a row, a thread every so many packs of N classes. The loads of
// a row start together and stay in registers as far as these go.

template <int Team>
inline constexpr int cross_entropy_threads = Team == 1                ? 256
                                             : Team == dev::warp_size ? 128
                                                                      : Team;

// That an SM's registers hold: 768 threads of 80, blocks of a row 1024 of 64.
template <int Team>
inline constexpr int cross_entropy_blocks =
    Team > dev::warp_size ? 2 : 768 / cross_entropy_threads<Team>;

// Logits of a row in the registers of a thread.
template <int Team>
inline constexpr int cross_entropy_kept = Team == 1                ? 16
                                          : Team == dev::warp_size ? 32
                                                                   : 24;

namespace losses {

// Labels of either type; the other pointer is null.
struct Labels {
  const std::int32_t* narrow;
  const std::int64_t* wide;
  MIEN_DEV std::int64_t operator[](std::int64_t row) const {
    return wide != nullptr ? wide[row] : std::int64_t{narrow[row]};
  }
};

// What the shares q of all rows have in common.
struct Smoothing {
  const float* weight;  // (classes), or null
  int classes;
  std::int64_t ignore_index;
  float kept, spread;  // 1 - e, e / C

  explicit Smoothing(const float* weight, const CrossEntropyParams& p)
      : weight(weight),
        classes(p.classes),
        ignore_index(p.ignore_index),
        kept(1.0f - p.label_smoothing),
        spread(p.label_smoothing / static_cast<float>(p.classes)) {}
};

// The shares q of a row with a label.
class LabelledRow {
 public:
  MIEN_DEV LabelledRow(Labels labels, std::int64_t row, const Smoothing& s) : s_(s) {
    const std::int64_t label = labels[row];
    if (label == s.ignore_index) return;
    label_ = label >= 0 && label < s.classes ? static_cast<int>(label) : invalid;
    if (label_ != invalid) label_weight_ = s.weight != nullptr ? s.weight[label_] : 1.0f;
  }

  MIEN_DEV bool counts() const { return label_ >= 0; }
  MIEN_DEV bool is_invalid() const { return label_ == invalid; }
  MIEN_DEV float label_weight() const { return label_weight_; }

  // The sum over the classes c, c + step, ...; what the label has of its own is with class 0.
  MIEN_DEV float sum_of_shares(int c, int step) const {
    float sum = c == 0 ? s_.kept * label_weight_ : 0.0f;
    if (s_.spread == 0) return sum;
    for (; c < s_.classes; c += step)
      sum = fmaf(s_.spread, s_.weight != nullptr ? s_.weight[c] : 1.0f, sum);
    return sum;
  }

  template <int N>
  MIEN_DEV dev::Floats<N> shares(int c) const {
    dev::Floats<N> q;
    MIEN_UNROLL
    for (int j = 0; j < N; ++j) q[j] = s_.spread;
    if (s_.spread > 0 && s_.weight != nullptr) {
      MIEN_UNROLL
      for (int j = 0; j < N; ++j) q[j] *= s_.weight[c + j];
    }
    MIEN_UNROLL
    for (int j = 0; j < N; ++j)
      if (c + j == label_) q[j] = fmaf(s_.kept, label_weight_, q[j]);
    return q;
  }

 private:
  static constexpr int ignored = -1, invalid = -2;

  const Smoothing& s_;
  float label_weight_ = 0;
  int label_ = ignored;
};

// The shares q of a row of probabilities.
class SoftRow {
 public:
  MIEN_DEV SoftRow(const float* probabilities, std::int64_t row, const Smoothing& s)
      : probabilities_(probabilities + row * s.classes), s_(s) {}

  MIEN_DEV bool counts() const { return true; }
  MIEN_DEV bool is_invalid() const { return false; }

  MIEN_DEV float sum_of_shares(int c, int step) const {
    float sum = 0;
    for (; c < s_.classes; c += step) sum += shares<1>(c)[0];
    return sum;
  }

  // Element by element: these rows may lie otherwise than those of the logits.
  template <int N>
  MIEN_DEV dev::Floats<N> shares(int c) const {
    dev::Floats<N> q;
    MIEN_UNROLL
    for (int j = 0; j < N; ++j) q[j] = fmaf(s_.kept, probabilities_[c + j], s_.spread);
    if (s_.weight != nullptr) {
      MIEN_UNROLL
      for (int j = 0; j < N; ++j) q[j] *= s_.weight[c + j];
    }
    return q;
  }

 private:
  const float* probabilities_;
  const Smoothing& s_;
};

template <class Target>
using RowOf = std::conditional_t<std::is_same_v<Target, Labels>, LabelledRow, SoftRow>;

// The terms of the mean's divisor.
struct LabelWeights {
  Labels labels;
  Smoothing smoothing;

  MIEN_DEV float sum(std::int64_t first, std::int64_t step, std::int64_t n) const {
    float sum = 0;
    for (std::int64_t i = first; i < n; i += step)
      sum += LabelledRow(labels, i, smoothing).label_weight();
    return sum;
  }
};

// The largest logit, the sum of dev::exp(z - largest), the sum of the shares.
struct RowSums {
  float largest = -FLT_MAX, exps = 0, shares = 0;
};

// All lanes get the sums of the warp.
MIEN_DEV inline RowSums merge_warp(RowSums sums) {
  float largest = sums.largest;
  MIEN_UNROLL
  for (int step = dev::warp_size / 2; step > 0; step /= 2)
    largest = fmaxf(largest, __shfl_xor_sync(dev::full_mask, largest, step));
  return {largest, dev::warp_sum(sums.exps * dev::exp(sums.largest - largest)),
          dev::warp_sum(sums.shares)};
}

// All threads of the team get its sums.
template <int Team>
MIEN_DEV RowSums merge_team(RowSums sums) {
  if constexpr (Team >= dev::warp_size) sums = merge_warp(sums);
  if constexpr (Team > dev::warp_size) {
    constexpr unsigned warps = Team / dev::warp_size;
    const unsigned lane = threadIdx.x % dev::warp_size;
    MIEN_SHARED(RowSums, of_warp, [warps]);
    if (lane == 0) of_warp[threadIdx.x / dev::warp_size] = sums;
    __syncthreads();
    sums = merge_warp(lane < warps ? of_warp[lane] : RowSums{});
    __syncthreads();  // the next row writes them anew
  }
  return sums;
}

// What a thread has of a row: packs of N logits, Team packs apart. Minus infinity where the row has
// ended.
template <int Team, int N>
struct RowPart {
  static constexpr int packs = cross_entropy_kept<Team> / N, step = Team * N, size = packs * step;
  dev::Floats<N> values[packs];

  // From `at` on, where `left` classes are left.
  template <class T>
  MIEN_DEV void load(const T* at, int left) {
    MIEN_UNROLL
    for (int k = 0; k < packs; ++k) {
      MIEN_UNROLL
      for (int j = 0; j < N; ++j) values[k][j] = -INFINITY;
      if (k * step < left) values[k] = dev::load<N>(at + k * step);
    }
  }

  MIEN_DEV void add_to(RowSums& sums) const {
    float largest = sums.largest;
    MIEN_UNROLL
    for (int k = 0; k < packs; ++k) MIEN_UNROLL
    for (int j = 0; j < N; ++j) largest = fmaxf(largest, values[k][j]);
    sums.exps *= dev::exp(sums.largest - largest);
    sums.largest = largest;
    MIEN_UNROLL
    for (int k = 0; k < packs; ++k) MIEN_UNROLL
    for (int j = 0; j < N; ++j) sums.exps += dev::exp(values[k][j] - largest);
  }
};

}  // namespace losses

template <int Team, int N, class T, class Target>
MIEN_KERNEL(cross_entropy_threads<Team>, cross_entropy_blocks<Team>)
void cross_entropy_kernel(float* loss, T* dlogits, unsigned* invalid, LossWorkspace workspace,
                          const T* logits, Target target, losses::Smoothing smoothing,
                          CrossEntropyParams p, LossDivisor given_divisor) {
  using Part = losses::RowPart<Team, N>;
  constexpr unsigned teams = cross_entropy_threads<Team> / Team;
  float divisor = given_divisor.known;
  if constexpr (std::is_same_v<Target, losses::Labels>)
    divisor = losses::loss_divisor(given_divisor, losses::LabelWeights{target, smoothing}, p.rows);
  const float scale = p.gradient_factor / divisor;
  const int lane = static_cast<int>(threadIdx.x % Team), begin = lane * N;
  float sum = 0;
  for (std::int64_t row = std::int64_t{blockIdx.x} * teams + threadIdx.x / Team; row < p.rows;
       row += std::int64_t{gridDim.x} * teams) {
    const T* const z = logits + row * p.row;
    T* const dz = dlogits != nullptr ? dlogits + row * p.row : nullptr;
    const losses::RowOf<Target> shares_of(target, row, smoothing);
    if (!shares_of.counts()) {
      if (shares_of.is_invalid() && invalid != nullptr && lane == 0) atomicAdd(invalid, 1u);
      for (int c = begin; c < p.classes && dz != nullptr; c += Part::step)
        dev::store(dz + c, dev::Floats<N>{});
      continue;
    }
    Part part;
    losses::RowSums sums;
    for (int first = begin; first < p.classes; first += Part::size) {
      part.load(z + first, p.classes - first);
      part.add_to(sums);
    }
    sums.shares = shares_of.sum_of_shares(lane, Team);
    sums = losses::merge_team<Team>(sums);
    const float log_exps = logf(sums.exps), share = scale * sums.shares / sums.exps;
    for (int first = begin; first < p.classes; first += Part::size) {
      if (Part::size < p.classes) part.load(z + first, p.classes - first);
      MIEN_UNROLL
      for (int k = 0; k < Part::packs; ++k) {
        if (k * Part::step >= p.classes - first) break;
        const auto q = shares_of.template shares<N>(first + k * Part::step);
        auto& values = part.values[k];
        MIEN_UNROLL
        for (int j = 0; j < N; ++j) {
          const float from_largest = values[j] - sums.largest;
          if (q[j] != 0) sum = fmaf(q[j], log_exps - from_largest, sum);
          values[j] = fmaf(share, dev::exp(from_largest), -scale * q[j]);
        }
        if (dz != nullptr) dev::store(dz + first + k * Part::step, values);
      }
    }
  }
  if (dev::grid_sum(sum, workspace.partial, workspace.blocks_done) && threadIdx.x == 0)
    *loss = sum / divisor;
}

// --- launchers ----------------------------------------------------------------------------------

namespace losses {

template <class T, class Target>
void launch_cross_entropy(Cuda device, float* loss, T* dlogits, unsigned* invalid,
                          const LossWorkspace& workspace, const T* logits, const Target& target,
                          const losses::Smoothing& smoothing, const CrossEntropyParams& p,
                          const LossDivisor& divisor) {
  const auto launch = [&](auto team, auto n) {
    cuda::launch(cross_entropy_kernel<team, n, T, Target>,
                 {.grid = loss_blocks(p.rows, cross_entropy_threads<team> / team),
                  .block = cross_entropy_threads<team>,
                  .stream = device.stream},
                 loss, dlogits, invalid, workspace, logits, target, smoothing, p, divisor);
  };
  const bool packs = p.row % pack_width<T> == 0 && pack_aligned_rows(p.classes, logits, dlogits);
  with_width<pack_width<T>>(packs, [&](auto n) {
    if (p.classes <= 16)
      launch(dev::Width<1>(), n);
    else if (p.classes <= 1024)
      launch(dev::Width<dev::warp_size>(), n);
    else
      launch(dev::Width<512>(), n);
  });
}

inline void check_cross_entropy(const CrossEntropyParams& p) {
  check(p.rows >= 0 && p.classes >= 1, "cross_entropy", "expected rows of one class or more, got ",
        p.rows, " rows of ", p.classes);
  check(p.label_smoothing >= 0 && p.label_smoothing <= 1, "cross_entropy",
        "expected a label smoothing from 0 to 1, got ", p.label_smoothing);
}

}  // namespace losses

template <Storage T, LabelIndex Index>
void cross_entropy(Cuda device, float* loss, T* dlogits, unsigned* invalid,
                   const LossWorkspace& workspace, const T* logits, const Index* labels,
                   const float* weight, const CrossEntropyParams& p) {
  losses::check_cross_entropy(p);
  losses::Labels either = {};
  if constexpr (sizeof(Index) == 4)
    either.narrow = labels;
  else
    either.wide = labels;
  const losses::Smoothing smoothing(weight, p);
  LossDivisor divisor{.known = 1};
  if (p.reduction == LossReduction::mean)
    divisor = divisor_of(device, workspace, losses::LabelWeights{either, smoothing}, p.rows, 1024);
  losses::launch_cross_entropy(device, loss, dlogits, invalid, workspace, logits, either, smoothing,
                               p, divisor);
}

template <Storage T>
void cross_entropy(Cuda device, float* loss, T* dlogits, const LossWorkspace& workspace,
                   const T* logits, const float* probabilities, const float* weight,
                   const CrossEntropyParams& p) {
  losses::check_cross_entropy(p);
  const bool mean = p.reduction == LossReduction::mean;
  losses::launch_cross_entropy(device, loss, dlogits, nullptr, workspace, logits, probabilities,
                               losses::Smoothing(weight, p), p,
                               {.known = mean ? static_cast<float>(p.rows) : 1.0f});
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
