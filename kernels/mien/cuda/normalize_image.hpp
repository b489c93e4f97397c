#pragma once
// Images of bytes as the input of a network:
//
//   y(n, i, j, c) = (x / 255 - mean(c)) / deviation(c),   0 for channels that x has not
//
// the rows of some images in reverse. Each operation is rounded as in torchvision's ToTensor and
// Normalize: the same bits in f32, and those rounded once more in f16 and bf16. Channels are added
// so that tensor cores can take the pixels (a multiple of 8).
//
// A byte has 256 values: a block divides once for each and channel, into a table in shared memory,
// and then looks them up. That is exact, and 10 instructions an element (24 in mirrored images)
// where two exact divisions alone take about 20.
// Roofline, per pixel of c channels that become k of b bytes: c + b k bytes. Bound by memory, but
// for mirrored images in 16 bits without added channels, by about as many instructions. Three
// channels that become three or eight are accessed in packs, others element by element.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct NormalizeImageParams {
  int n, h, w, c;    // x (n, h, w, c), n up to 65,535, c up to normalize_image_most_channels
  int out_channels;  // y (n, h, w, out_channels), c or more; images of up to 2^30 elements
};

inline constexpr int normalize_image_most_channels = 32;  // what shared memory takes

// y (n, h, w, out_channels) from x (n, h, w, c); mean and deviation (c). mirrored (n) of bytes, not
// 0 where the rows are to be reversed, or null.
template <Storage T>
void normalize_image(Cuda device, T* y, const std::uint8_t* x, const float* mean,
                     const float* deviation, const std::uint8_t* mirrored,
                     const NormalizeImageParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
