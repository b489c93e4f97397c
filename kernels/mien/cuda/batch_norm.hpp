#pragma once
// Batch normalisation of x (rows, c), NHWC images as rows of pixels, with SiLU behind it or not:
//
//   xhat = (x - mean) / sqrt(var + eps),   z = xhat gamma + beta,   y = z or z sigmoid(z)
//
// mean and var (biased) are those of the batch, or running ones ("frozen"). With dz = dy act'(z):
//
//   dbeta = sum of dz,   dgamma = sum of dz xhat
//   dx = gamma / sqrt(var + eps) (dz - (dbeta + xhat dgamma) / rows)     frozen: without the sums
//
// Ioffe, Szegedy: "Batch normalization: accelerating deep network training by reducing internal
// covariate shift", 2015. Backward computes z again, so that only x is kept. Moments are updated by
// Welford's formula and merged by that of Chan, Golub and LeVeque (1979) in a fixed order: exact
// where the mean is large beside the deviation, and the same bits in every run.
//
// What belongs to channels is f32, as the optimiser's arenas hold it. One launch each: statistics,
// forward, frozen backward; two for backward.
// Roofline, per element of b bytes: statistics read b and take 4 flops; forward moves 2 b for 3
// flops, with SiLU 8; backward reads 2 b for 4 flops (13), then moves 3 b for 4 (13); frozen
// backward moves 3 b once for 5 (14). SiLU also takes two special functions. An H200 has time for
// about 15 flops and 0.85 special functions a byte: all are bound by memory.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct BatchNormParams {
  std::int64_t rows;
  int c;
  float eps = 1e-5f;
  float momentum = 0.1f;  // running = (1 - momentum) running + momentum seen
  bool silu = false;
};

// What statistics write, (c) each. The running ones, unless null, move toward those of the batch,
// the variance toward the unbiased one, as in PyTorch.
struct BatchNormStatistics {
  float *mean, *var;
  float *running_mean = nullptr, *running_var = nullptr;
};

// What normalises, (c) each; frozen statistics come here as they are.
struct BatchNormChannels {
  const float *mean, *var;
  const float* gamma = nullptr;  // null: 1
  const float* beta = nullptr;   // null: 0
};

// Moments of parts of the rows, from another kernel's epilogue: means and sums of squared
// deviations from them (shares, c), over `count` (shares) rows each.
struct BatchNormShares {
  int shares;
  const float *count, *mean, *squares;
};

// Blocks that share in the sums of a channel: two of 256 threads for each SM of a large GPU, eight
// accesses of 16 bytes under way in each thread.
inline int batch_norm_most_shares(int c) {
  return static_cast<int>(blocks_of_part(ceil_div(c, 64), 2));
}

// Memory of the sums beside their results. The counters are zero before the first launch, and again
// after every launch.
struct BatchNormWorkspace {
  float* partial;         // 2 * batch_norm_most_shares(c) * c, aligned to 64 bytes
  unsigned* blocks_done;  // ceil_div(c, 32)
};

// Of x (rows, c); throws unless there is more than one row.
template <Storage T>
void batch_norm_statistics(Cuda device, const BatchNormStatistics& of,
                           const BatchNormWorkspace& workspace, const T* x,
                           const BatchNormParams& p);

// Of the p.rows rows that the shares describe.
void batch_norm_merge(Cuda device, const BatchNormStatistics& of, const BatchNormShares& from,
                      const BatchNormParams& p);

// y from x (rows, c); y may be x.
template <Storage T>
void batch_norm(Cuda device, T* y, const T* x, const BatchNormChannels& of,
                const BatchNormParams& p);

// dx (rows, c; may be x or dy), dgamma and dbeta (c), where mean and var are those of x.
template <Storage T>
void batch_norm_backward(Cuda device, T* dx, float* dgamma, float* dbeta,
                         const BatchNormWorkspace& workspace, const T* x, const T* dy,
                         const BatchNormChannels& of, const BatchNormParams& p);

// The same where mean and var do not depend on x.
template <Storage T>
void batch_norm_backward_frozen(Cuda device, T* dx, float* dgamma, float* dbeta,
                                const BatchNormWorkspace& workspace, const T* x, const T* dy,
                                const BatchNormChannels& of, const BatchNormParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
