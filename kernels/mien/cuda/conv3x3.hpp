#pragma once
// 3x3 convolution, stride 1, zero padding 1, NHWC, as a product on tensor cores (implicit GEMM):
//
//   v(n, i, j, o) = bias(o) + sum over u, v, c of x(n, i + u - 1, j + v - 1, c) w(o, c, u, v)
//   v = v where v > 0, else slope(o) v;   v = scale v + residual, up to twice;   y = v
//
// x and y are slices of images of more channels, given by a pixel's stride: the convolutions of a
// dense block read the front of one image and write behind it, where concatenation would copy
// (Wang et al.: "ESRGAN", ECCV workshops 2018). With `upsample` x is enlarged twice by nearest
// neighbour first: pixels (2 i + a, 2 j + b) of the result see only 2x2 pixels of x, so for each
// of the four phases (a, b) the weights that fall on one pixel are summed beforehand.
//
// Roofline: 18 c_in out_c flops a pixel of y (8 c_in out_c with upsample: 2.25 times less); bytes
// b (x + y), and a residual's. From 64 to 32 channels in 16 bits that is 192 flops a byte, from 192
// to 64 432, where an H200 balances at 184: bound by tensor cores. mma.sync is known to reach 60 to
// 65 % of their peak on Hopper; the figures below are against that, 1.6 cycles an mma.m16n8k16.
// A block has 32x16 pixels (float 16x16, small images 8x16) of 32 channels. Slabs of 32 bytes of
// channels of its 34x18 pixels are loaded once for all taps, 1.2 bytes for each byte of x and block
// of channels, and a row's fragments serve the three rows of y that they belong to: 85 bytes of
// shared memory an mma, 0.67 cycles. A slab takes 28.8 KB from the second-level cache for 1152 mma,
// 15.6 bytes a cycle on each SM; with upsample 22 KB for 512, 27 bytes, which may bind.
// Float takes three products of tf32 for one, with a relative error of 2^-21.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct Conv3x3Params {
  int n, h, w;             // of x
  int c_in, out_c;         // channels that are read and written
  int x_stride, y_stride;  // elements from one pixel to the next
  bool upsample = false;   // y has 2 h x 2 w pixels
};

// v = scale v + x, with x of the size of y.
template <Storage T>
struct Conv3x3Residual {
  const T* x = nullptr;  // null: nothing happens
  int stride = 0;
  float scale = 1;
};

template <Storage T>
struct Conv3x3Epilogue {
  const float* bias = nullptr;                            // (out_c), null: 0
  const float* slopes = nullptr;                          // (out_c), null: `slope` for all
  float slope = 1;                                        // 1: no activation
  Conv3x3Residual<T> residual = {}, outer_residual = {};  // in this order
};

// Packed weights, in the order in which the kernel's lanes take them as fragments
// (mien/cuda/mma.hpp): for each phase, block of output channels, slab of 32 bytes of input
// channels, tap (column, row), group of 8 output channels and lane 4 g + t, four bytes of b[0] and
// four of b[1]. Channels beyond c_in and out_c are zero.
struct Conv3x3Layout {
  int phases, taps;         // taps: along one side
  int tiles;                // groups of 8 channels in a block
  int blocks, slabs, slab;  // slab: channels of one

  template <Storage T>
  static Conv3x3Layout of(const Conv3x3Params& p) {
    const int tiles = p.out_c <= 8 ? 1 : 4, slab = 32 / static_cast<int>(sizeof(T));
    return {.phases = p.upsample ? 4 : 1,
            .taps = p.upsample ? 2 : 3,
            .tiles = tiles,
            .blocks = static_cast<int>(ceil_div(p.out_c, 8 * tiles)),
            .slabs = static_cast<int>(ceil_div(p.c_in, slab)),
            .slab = slab};
  }

  MIEN_HD std::int64_t size() const {  // elements
    return std::int64_t{phases} * blocks * slabs * taps * taps * tiles * 8 * slab;
  }
  // The output channel of column g of group `tile`: a lane's columns 2 t and 2 t + 1 of all groups
  // are then neighbouring channels, which it stores at once.
  MIEN_HD int channel(int block, int tile, int g) const {
    return block * 8 * tiles + g / 2 * 2 * tiles + tile * 2 + g % 2;
  }
};

// packed (Conv3x3Layout::of<T>(p).size()) from w (out_c, c_in, 3, 3), as PyTorch has it.
template <Storage T>
void pack_conv3x3(Cuda device, T* packed, const float* w, const Conv3x3Params& p);

// y (n, h, w, out_c), or (n, 2 h, 2 w, out_c), from x (n, h, w, c_in). They may be disjoint slices
// of one image; a residual may be y. Packed weights are aligned to 16 bytes. Accesses are of 16
// bytes where c_in, out_c, strides and addresses are multiples of that.
template <Storage T>
void conv3x3(Cuda device, T* y, const T* x, const T* packed, const Conv3x3Params& p,
             const Conv3x3Epilogue<T>& e = {});

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
