#pragma once
// PReLU with a learned slope for each channel: y = x where x > 0, else slope(c) x.
//
//   dx = dy where x > 0, else slope(c) dy;   dslope(c) = sum of x dy over pixels where x <= 0
//
// He, Zhang, Ren, Sun: "Delving deep into rectifiers", ICCV 2015.
//
// y may be x, dx may be x or dy. The slopes' gradient is summed in a fixed order: the same bits in
// every run. One launch gives both gradients.
// Roofline, per element of b bytes: forward 2 b bytes, backward 3 b; bound by memory.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct PreluParams {
  std::int64_t rows;  // pixels of all images
  int c;
};

// Memory of the backward pass beside its results. The counters are zero before the first launch,
// and again after every launch.
struct PreluWorkspace {
  float* partial;         // prelu_shares(p) * c, aligned to 32 bytes
  unsigned* blocks_done;  // prelu_counters(p)
};

// Blocks that share in the sum of a channel, at most: two for each SM of a large GPU, or a share
// for every 64 pixels.
inline int prelu_shares(const PreluParams& p) {
  const std::int64_t wanted = blocks_of_part(ceil_div(p.c, 64), 2), possible = (p.rows + 63) / 64;
  return static_cast<int>(possible < 1 ? 1 : wanted < possible ? wanted : possible);
}
inline int prelu_counters(const PreluParams& p) { return static_cast<int>(ceil_div(p.c, 32)); }

// y and x (rows, c), slope (c).
template <Storage T>
void prelu(Cuda device, T* y, const T* x, const float* slope, const PreluParams& p);

// dx, x and dy (rows, c), dslope and slope (c).
template <Storage T>
void prelu_backward(Cuda device, T* dx, float* dslope, const PreluWorkspace& workspace, const T* x,
                    const T* dy, const float* slope, const PreluParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
