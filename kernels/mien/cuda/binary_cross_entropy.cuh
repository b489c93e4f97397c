#pragma once
// The kernels of binary_cross_entropy.hpp.

#include <mien/cuda/binary_cross_entropy.hpp>
#include <mien/cuda/loss.cuh>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace losses {

// The terms of the mean's divisor: the number of labels that are there, counted in packs of 16.
struct LabelsLeft {
  const std::uint8_t* mask;

  MIEN_DEV float sum(std::int64_t first, std::int64_t step, std::int64_t n) const {
    using Words = Packed<unsigned, 4>;
    const std::int64_t packs = aligned(16, mask) ? n / 16 : 0;
    unsigned count = 0;
    dev::stream_rows<4>(
        first, step, packs, [&](std::int64_t i) { return reinterpret_cast<const Words*>(mask)[i]; },
        [&](std::int64_t, const Words& words) {
          MIEN_UNROLL
          for (int k = 0; k < 4; ++k) count += bytes_set(words.values[k]);
        });
    for (std::int64_t i = 16 * packs + first; i < n; i += step) count += mask[i] != 0 ? 1 : 0;
    return static_cast<float>(count);
  }

  // How many of four bytes are not zero: the top bit of each tells it.
  MIEN_DEV static unsigned bytes_set(unsigned word) {
    const unsigned tops = (((word & 0x7f7f7f7fu) + 0x7f7f7f7fu) | word) & 0x80808080u;
    return (tops >> 7) * 0x01010101u >> 24;
  }
};

// log(1 + e) for e from 0 to 1, as 2 artanh(s) with s = e / (2 + e): half the instructions of
// log1pf. What the series leaves out is 2e-8 of the result.
MIEN_DEV inline float log_of_one_more(float e) {
  const float s = dev::divide(e, 2.0f + e), square = s * s;
  float series = 1.0f / 13;
  MIEN_UNROLL
  for (int odd = 11; odd > 0; odd -= 2)
    series = fmaf(series, square, 1.0f / static_cast<float>(odd));
  return 2.0f * s * series;
}

struct BinaryTerm {
  float loss, gradient;
};

MIEN_DEV inline BinaryTerm binary_term(float x, float y, float pos_weight) {
  const float e = dev::exp(-fabsf(x)), near = dev::reciprocal(1.0f + e), far = e * near;
  const float positive = x > 0 ? near : far, negative = x > 0 ? far : near;
  const float tail = log_of_one_more(e), weighted = pos_weight * y;  // fmaxf alone would hide NaN
  return {fmaf(weighted, fmaxf(-x, 0.0f) + tail, (1.0f - y) * (fmaxf(x, 0.0f) + tail)),
          fmaf(1.0f - y, positive, -weighted * negative)};
}

}  // namespace losses

// N: elements of a pack, 16 bytes of labels, of rows that lie one behind another; 1 for any others.
template <int N, class T>
MIEN_KERNEL(loss_threads)
void binary_cross_entropy_kernel(float* loss, T* dlogits, LossWorkspace workspace, const T* logits,
                                 const float* labels, const std::uint8_t* mask,
                                 const float* pos_weight, BinaryCrossEntropyParams p,
                                 LossDivisor given_divisor) {
  const std::int64_t n = p.rows * p.units;
  const std::int64_t step = std::int64_t{gridDim.x} * loss_threads * N;
  std::int64_t i = (std::int64_t{blockIdx.x} * loss_threads + threadIdx.x) * N;
  dev::prepare_last_block(workspace.blocks_done, workspace.partial + blockIdx.x);
  if (N > 1 && i < n) {  // on their way while the mask is counted
    dev::prefetch_l2(logits + i);
    dev::prefetch_l2(labels + i);
  }
  const float divisor = losses::loss_divisor(given_divisor, losses::LabelsLeft{mask}, n);
  const float scale = p.gradient_factor / divisor;
  float sum = 0;
  const auto add = [&](std::int64_t i, auto width) {
    std::int64_t at = i;
    int unit = 0;
    if (width == 1 || pos_weight != nullptr) {  // a division of 64 bits costs as much as a term
      unit = static_cast<int>(i % p.units);
      if (width == 1) at = i / p.units * p.row + unit;
    }
    const auto x = dev::load<width>(logits + at), y = dev::load<width>(labels + i);
    Packed<std::uint8_t, width> there = {};
    if (mask != nullptr) there = *reinterpret_cast<const Packed<std::uint8_t, width>*>(mask + i);
    dev::Floats<width> gradient;
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) {
      const auto term =
          losses::binary_term(x[j], y[j], pos_weight != nullptr ? pos_weight[unit] : 1.0f);
      const bool counts = mask == nullptr || there.values[j] != 0;
      sum += counts ? term.loss : 0.0f;
      gradient[j] = counts ? scale * term.gradient : 0.0f;
      unit = unit + 1 < p.units ? unit + 1 : 0;
    }
    if (dlogits != nullptr) dev::store(dlogits + at, gradient);
  };
  for (; i + N <= n; i += step) add(i, dev::Width<N>());
  for (; i < n; ++i) add(i, dev::Width<1>());
  if (dev::grid_sum(sum, workspace.partial, workspace.blocks_done) && threadIdx.x == 0)
    *loss = sum / divisor;
}

template <Storage T>
void binary_cross_entropy(Cuda device, float* loss, T* dlogits, const LossWorkspace& workspace,
                          const T* logits, const float* labels, const std::uint8_t* mask,
                          const float* pos_weight, const BinaryCrossEntropyParams& p) {
  check(p.rows >= 0 && p.units >= 1, "binary_cross_entropy",
        "expected rows of one unit or more, got ", p.rows, " rows of ", p.units);
  const std::int64_t n = p.rows * p.units;
  LossDivisor divisor{.known = 1};
  if (p.reduction == LossReduction::mean)
    divisor = mask == nullptr ? LossDivisor{.known = static_cast<float>(n)}
                              : divisor_of(device, workspace, losses::LabelsLeft{mask}, n, 65536);
  const bool packs = p.row == p.units && pack_aligned(dlogits, logits, labels, mask);
  with_width<4>(packs, [&](auto width) {
    cuda::launch(binary_cross_entropy_kernel<width, T>,
                 {.grid = loss_blocks(n, std::int64_t{loss_threads} * width),
                  .block = loss_threads,
                  .stream = device.stream},
                 loss, dlogits, workspace, logits, labels, mask, pos_weight, p, divisor);
  });
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
