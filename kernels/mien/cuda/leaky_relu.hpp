#pragma once
// Leaky ReLU: y = x where x > 0, else slope x; dx = dy where x > 0, else slope dy.
// Maas, Hannun, Ng: "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
//
// Elements of any type and shape; y may be x, dx may be x or dy. With a positive slope the backward
// takes y for x as well: they have the same sign.
// Roofline, per element of b bytes: forward 2 b bytes, backward 3 b, two operations; bound by
// memory.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct LeakyReluParams {
  std::int64_t n;  // elements
  float slope = 0.01f;
};

// y and x (n).
template <Storage T>
void leaky_relu(Cuda device, T* y, const T* x, const LeakyReluParams& p);

// dx, x and dy (n).
template <Storage T>
void leaky_relu_backward(Cuda device, T* dx, const T* x, const T* dy, const LeakyReluParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
