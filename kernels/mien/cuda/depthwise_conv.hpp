#pragma once
// Depthwise convolution, NHWC, kernels of K x K with K = 3 or 5, stride 1 or 2, any padding:
//
//   s(n, i, j, c) = sum over u, v of x(n, i S - top + u, j S - left + v, c) w(u, v, c)
//   y = act(s scale(c) + shift(c)), act = SiLU or none; pooled(n, c) = mean of y over its pixels
//
// where x outside the image is zero; and the gradients of s. w (K, K, c). Storage is f32, f16 or
// bf16, arithmetic float. Sums over pixels are taken in a fixed order: the same bits in every run.
//
// Roofline: forward and data gradient move b (x + y) bytes and take 2 K K flops per element of y:
// 3x3 is bound by memory for every type, 5x5 in 16 bits about equally by multiply-adds (50 flops
// for 4 bytes where an H200 balances at 14 of the fp32 units). The weight gradient reads b (x +
// dy).

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct DepthwiseConvParams {
  int n, h, w, c;         // x (n, h, w, c)
  int out_h, out_w;       // y (n, out_h, out_w, c)
  int pad_top, pad_left;  // those below and right follow from out_h and out_w
};

// What follows the sum. `pool_partials`: (n, depthwise_pool_blocks(p), c), or null.
struct DepthwiseConvEpilogue {
  const float* scale = nullptr;  // (c), null: 1
  const float* shift = nullptr;  // (c), null: 0
  bool silu = false;
  float* pool_partials = nullptr;
};

namespace depthwise {

inline constexpr int warps = 8;   // of a block
inline constexpr int tile_w = 4;  // pixels in a row that a thread computes at once
inline constexpr int tile_h = 4;  // rows that it goes through

// Tiles of a map of h x w pixels.
struct Tiles {
  int across, count;
  MIEN_HD Tiles(int h, int w)
      : across((w + tile_w - 1) / tile_w), count((h + tile_h - 1) / tile_h * across) {}
};

}  // namespace depthwise

// Blocks that share in the sums over one image.
inline int depthwise_pool_blocks(const DepthwiseConvParams& p) {
  return static_cast<int>(ceil_div(depthwise::Tiles(p.out_h, p.out_w).count, depthwise::warps));
}

// Shares of the weight gradient: enough blocks for two turns of a large GPU.
inline int depthwise_weight_shares(const DepthwiseConvParams& p) {
  const std::int64_t tiles = std::int64_t{p.n} * depthwise::Tiles(p.out_h, p.out_w).count;
  const std::int64_t across = ceil_div(p.c, 64);
  const std::int64_t wanted = ceil_div(1056, across), possible = ceil_div(tiles, depthwise::warps);
  return static_cast<int>(wanted < possible ? wanted : possible > 0 ? possible : 1);
}

// y (n, out_h, out_w, c) from x (n, h, w, c) and w (kernel, kernel, c).
template <Storage T>
void depthwise_conv(Cuda device, T* y, const T* x, const T* w, int kernel, int stride,
                    const DepthwiseConvParams& p, const DepthwiseConvEpilogue& e = {});

// pooled (n, c): the means that the epilogue's partial sums give.
template <Storage T>
void depthwise_pool(Cuda device, T* pooled, const float* partials, const DepthwiseConvParams& p);

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
