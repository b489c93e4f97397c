#pragma once
// What the losses share: how terms become one number, and the memory for that.
//
// A mean divides by what only the whole batch tells: the weights of all targets, or the number of
// labels that are there. The gradient needs that divisor as well, so it cannot follow from a sum
// that ends with the launch. In small batches every block adds up the divisor by itself, in the
// same order, and one launch does all; beyond, a launch before it does.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

enum class LossReduction { mean, sum };

// Four for each SM of a large GPU, as its registers hold.
inline constexpr unsigned loss_most_blocks = 4 * large_gpu_sms;

// Memory of a loss beside its results. The counter is zero before the first launch, and again after
// every launch.
struct LossWorkspace {
  float* partial;         // loss_most_blocks
  float* divisor;         // 1
  unsigned* blocks_done;  // 1
};

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
