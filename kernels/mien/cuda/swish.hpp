#pragma once
// Swish, also called SiLU: y = x s with s = sigmoid(x), dx = dy s (1 + x (1 - s)).
// Ramachandran, Zoph, Le: "Searching for activation functions", 2017.
//
// Elements of any type and shape; y may be x, dx may be x or dy. Arithmetic is in float.
// Roofline, per element of b bytes: forward 2 b bytes and 13 flops, backward 3 b bytes and 17
// flops, each with one special function (MUFU). That is at most 3.3 flops a byte where an H200
// balances at about 15: both are bound by memory, at 2 b n / 4.3 TB/s and 3 b n / 4.3 TB/s on it.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct SwishParams {
  std::int64_t n;  // elements
};

// y and x (n).
template <Storage T>
void swish(Cuda device, T* y, const T* x, const SwishParams& p);

// dx, x and dy (n).
template <Storage T>
void swish_backward(Cuda device, T* dx, const T* x, const T* dy, const SwishParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
