#pragma once
// Sums over all terms of a loss, for its kernels.

#include <algorithm>
#include <cstdint>

#include <mien/cuda/loss.hpp>
#include <mien/cuda/rows.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

inline constexpr int loss_threads = 256;

// What a loss is divided by: a number that the host knows, else what the launch before left, else
// (null) the sum of the terms, which each block then adds up.
struct LossDivisor {
  float known = 0;
  const float* computed = nullptr;
};

namespace losses {

// All threads must call it. Terms: float sum(first, step, n), of the terms first, first + step, ...
// below n, or of as many others: each term in one of `step` threads.
template <class Terms>
MIEN_DEV float loss_divisor(const LossDivisor& divisor, const Terms& terms, std::int64_t n) {
  if (divisor.known > 0) return divisor.known;
  if (divisor.computed != nullptr) return *divisor.computed;
  return dev::block_sum(terms.sum(threadIdx.x, blockDim.x, n));
}

}  // namespace losses

template <class Terms>
MIEN_KERNEL(loss_threads)
void loss_divisor_kernel(LossWorkspace workspace, Terms terms, std::int64_t n) {
  dev::prepare_last_block(workspace.blocks_done, workspace.partial + blockIdx.x);
  float sum = terms.sum(std::int64_t{blockIdx.x} * loss_threads + threadIdx.x,
                        std::int64_t{gridDim.x} * loss_threads, n);
  if (dev::grid_sum(sum, workspace.partial, workspace.blocks_done) && threadIdx.x == 0)
    *workspace.divisor = sum;
}

// Blocks for n pieces of work, `per_block` each: one at least, for the result of nothing.
inline unsigned loss_blocks(std::int64_t n, std::int64_t per_block) {
  return std::clamp(ceil_div(n, per_block), 1u, loss_most_blocks);
}

// The divisor of n terms whose sum only the device knows. Up to `most_of_block` of them are left to
// the blocks of the loss itself.
template <class Terms>
LossDivisor divisor_of(Cuda device, const LossWorkspace& workspace, const Terms& terms,
                       std::int64_t n, std::int64_t most_of_block) {
  if (n <= most_of_block) return {};
  cuda::launch(
      loss_divisor_kernel<Terms>,
      {.grid = loss_blocks(n, 4 * loss_threads), .block = loss_threads, .stream = device.stream},
      workspace, terms, n);
  return {.computed = workspace.divisor};
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
