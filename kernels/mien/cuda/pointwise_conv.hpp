#pragma once
// Pointwise (1x1) convolution, NHWC: a matrix product over the pixels with all of a block's tail in
// its epilogue,
//
//   y(i, o) = act(sum over k of x(i, k) s(image of i, k) w(o, k) + shift(o)) + residual(i, o)
//
// with act = SiLU or none, and s the scale of squeeze-and-excitation (Hu et al., "Squeeze-and-
// Excitation Networks", CVPR 2018), applied while x is read: s and its product with x, both rounded
// to the storage type as PyTorch's autocast rounds them, are never written. Batch norm is folded
// into w and shift. Products of f16 and bf16 are summed in float; those of float are too (three
// products of tf32 on tensor cores).
//
// Roofline, b bytes an element, M pixels, K to N channels: b (M K + M N + K N) bytes, b M N more
// with a residual, and 2 M K N flops. For B0's projections that is 13 to 150 flops a byte in 16
// bits where an H200 balances at 184 on tensor cores: bound by memory. Measured there: 9 to 65 % of
// copy speed (docs/kernels.md); what is left are instructions, most of all with long k on few
// pixels.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct PointwiseConvParams {
  std::int64_t pixels;   // of all images
  int pixels_per_image;  // h w
  int in_c, out_c;
};

template <Storage T>
struct PointwiseConvEpilogue {
  const float* in_scale = nullptr;  // (images, in_c), null: 1
  const float* shift = nullptr;     // (out_c), null: 0
  bool silu = false;
  const T* residual = nullptr;  // (pixels, out_c), null: 0; may be y
};

// y (pixels, out_c) from x (pixels, in_c) and w (out_c, in_c). Throws beyond 2^22 channels.
template <Storage T>
void pointwise_conv(Cuda device, T* y, const T* x, const T* w, const PointwiseConvParams& p,
                    const PointwiseConvEpilogue<T>& e = {});

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
