#pragma once
// Channels to space (sub-pixel convolution) and back, NHWC, by a factor r:
//
//   large(n, i r + dy, j r + dx, k) = small(n, i, j, k r r + dy r + dx)
//
// Channel order of torch.nn.PixelShuffle. Shi et al.: "Real-time single image and video
// super-resolution using an efficient sub-pixel convolutional neural network", CVPR 2016. Each of
// the two is the other's gradient. The shuffle can add an image enlarged by nearest neighbour, as
// SRVGGNetCompact ends.
//
// Roofline: 2 b bytes an element of b bytes, and b / r^2 more with the image added; bound by
// memory. Factors 2 and 4 go through shared memory, so that both sides are accessed in the order
// in which they lie, 16 bytes at a time where the rows allow.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct PixelShuffleParams {
  int n, h, w, c;  // the small image is (n, h, w, c r r), the large one (n, h r, w r, c)
  int factor;      // r
};

// large from small, plus base (n, h, w, c) enlarged by nearest neighbour, or null: nothing more.
template <Storage T>
void pixel_shuffle(Cuda device, T* large, const T* small, const T* base,
                   const PixelShuffleParams& p);

// small from large.
template <Storage T>
void pixel_unshuffle(Cuda device, T* small, const T* large, const PixelShuffleParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
