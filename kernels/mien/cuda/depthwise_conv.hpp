#pragma once
// Depthwise convolution, NHWC, kernels of K x K with K = 3 or 5, stride 1 or 2, any padding:
//
//   s(n, i, j, c) = sum over u, v of x(n, i S - top + u, j S - left + v, c) w(u, v, c)
//   y = act(s scale(c) + shift(c)), act = SiLU or none; pooled(n, c) = mean of y over its pixels
//
// where x outside the image is zero; and the gradients of s. w (K, K, c). Storage is f32, f16 or
// bf16, arithmetic float; the scale is multiplied into the weights. Sums over pixels are taken in a
// fixed order: the same bits in every run.
//
// Roofline: forward and data gradient move b (x + y) bytes and take 2 K K flops per element of y,
// the weight gradient reads b (x + dy) and takes as many. What binds beside bytes is issue slots:
// an H200 (132 SMs, 4 warp instructions a clock at 1.75 GHz, copies at 4.3 TB/s) has 6.9 for 32
// elements and every byte of them that it copies. The loops over rows, per 32 elements of y
// (counted by scripts/count_sass.py, sm_90, CUDA 13; with SiLU and pooled sums six more):
//
//                  3x3: forward  weight grad.   5x5: forward  weight grad.   while copied
//   stride 1, 16 bit        15.2         14.9           31.4          31.5           27.5
//   stride 1, f32           18.9         19.5           36.1          36.7           55
//   stride 2, 16 bit        24.0         23.1           40.5          41.0           68.8
//   stride 2, f32           26.9         30.1           45.6          48.7          137.5
//
// The data gradient of stride 1 is the forward; that of stride 2 takes 7.1 (3x3) and 11.7 (5x5) of
// 17.2 slots per 32 elements of dx in 16 bits, 10.3 and 15.5 of 34.4 in f32. So all is bound by
// bytes but 5x5 with stride 1 in 16 bits, by multiply-adds (25 slots of 31): at most 88 % of a
// copy's speed, 74 % with SiLU and pooled sums. Halving those slots would take packed 16-bit
// arithmetic, which is not float's, or tensor cores.

#include <algorithm>
#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct DepthwiseConvParams {
  int n, h, w, c;         // x (n, h, w, c), n up to 65,535
  int out_h, out_w;       // y (n, out_h, out_w, c)
  int pad_top, pad_left;  // those below and right follow from out_h and out_w
  int rows = 0;           // of the output that a thread goes down; 0: as suits the shape
};

// What follows the sum. `pool_partials`: (n, depthwise_pool_blocks(p, kernel), c), or null.
struct DepthwiseConvEpilogue {
  const float* scale = nullptr;  // (c), null: 1
  const float* shift = nullptr;  // (c), null: 0
  bool silu = false;
  float* pool_partials = nullptr;
};

namespace depthwise {

inline constexpr int weight_grad_warps = 12;
inline constexpr int span = 28;  // columns of the output that a block spans

// Rows of h x w pixels that a thread goes down. Fewer rows make more threads, each of which reads
// some rows more: as many threads as fill `warps` warps on every SM of a large GPU, measured on an
// H200 to be best from 7x7 to 112x112 (those that are resident at once, and 12 for weight
// gradients).
inline int rows_of_thread(const DepthwiseConvParams& p, int h, int w, int warps) {
  if (p.rows > 0 || h == 0) return std::max(p.rows, 1);
  const double one = double(p.n) * p.c / 64 * ceil_div(w, 7) / large_gpu_sms;
  const double parts = std::min(double(warps) / one, 0.5 * h);
  return static_cast<int>(ceil_div(h, std::max(1, static_cast<int>(parts))));
}

// Warps of a forward convolution that are resident at once.
inline int resident_warps(int kernel) { return kernel == 3 ? 20 : 12; }

}  // namespace depthwise

// Blocks that share in the sums over one image.
inline int depthwise_pool_blocks(const DepthwiseConvParams& p, int kernel) {
  const int rows =
      depthwise::rows_of_thread(p, p.out_h, p.out_w, depthwise::resident_warps(kernel));
  return static_cast<int>(ceil_div(p.out_h, rows) * ceil_div(p.out_w, depthwise::span));
}

// Shares of the weight gradient: no more blocks than run at once on a large GPU, each with as many
// of the strips.
inline int depthwise_weight_shares(const DepthwiseConvParams& p) {
  const int rows = depthwise::rows_of_thread(p, p.out_h, p.out_w, depthwise::weight_grad_warps);
  const std::int64_t strips = std::int64_t{p.n} * ceil_div(p.out_h, rows) * ceil_div(p.out_w, 7);
  const unsigned turns = ceil_div(strips, 4), most = ceil_div(3 * large_gpu_sms, ceil_div(p.c, 64));
  return turns == 0 ? 1 : static_cast<int>(ceil_div(turns, ceil_div(turns, most)));
}

// y (n, out_h, out_w, c) from x (n, h, w, c) and w (kernel, kernel, c).
template <Storage T>
void depthwise_conv(Cuda device, T* y, const T* x, const T* w, int kernel, int stride,
                    const DepthwiseConvParams& p, const DepthwiseConvEpilogue& e = {});

// pooled (n, c): the means that the epilogue's partial sums give.
template <Storage T>
void depthwise_pool(Cuda device, T* pooled, const float* partials, int kernel,
                    const DepthwiseConvParams& p);

// dx (n, h, w, c) from dy (n, out_h, out_w, c).
template <Storage T>
void depthwise_conv_data_grad(Cuda device, T* dx, const T* dy, const T* w, int kernel, int stride,
                              const DepthwiseConvParams& p);

// dw (kernel, kernel, c). partials: depthwise_weight_shares(p) * kernel * kernel * c floats.
template <Storage T>
void depthwise_conv_weight_grad(Cuda device, T* dw, float* partials, const T* x, const T* dy,
                                int kernel, int stride, const DepthwiseConvParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
