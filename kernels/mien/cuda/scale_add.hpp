#pragma once
// The scaled residual: y = scale x + residual. Its gradients are dx = scale dy, which the same
// launcher gives without a residual, and dy itself.
//
// Elements of any type and shape; y may be x or the residual.
// Roofline, per element of b bytes: 3 b bytes (2 b without a residual), one multiply-add; bound by
// memory.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct ScaleAddParams {
  std::int64_t n;  // elements
  float scale = 1;
};

// y, x and residual (n); a null residual is zero.
template <Storage T>
void scale_add(Cuda device, T* y, const T* x, const T* residual, const ScaleAddParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
