#pragma once
// Resizing images of bytes as Pillow's Image.resize does it, bit for bit (src/libImaging/
// Resample.c): across the rows, rounded to bytes, then down the columns, every sample being
//
//   clamp((2^21 + sum over t of weight[t] in[first + t]) >> 22, 0, 255)
//
// with weights in fixed point, which the host makes as Pillow does, for any filter. The horizontal
// pass goes first, as in Pillow up to 12.
//
// One launch for both passes: a block makes 16 rows of 64 bytes, and what lies between the passes
// stays in shared memory. In two launches it would be written and read once more: for 500x375 to
// 224x224 pixels 1.2 MB an image instead of 0.7. Rows at the border of two tiles are resized across
// in both: 12 % more of that pass when shrinking to 60 %.
// Roofline, per image: c (h w + out_h out_w) bytes; about 6 instructions for each tap of the first
// pass, c out_w h taps times the filter's, and 4 for each of the second, c out_w out_h times its
// own. With an antialiasing filter instructions bind: that image takes 0.5 us of issue slots on an
// H200, and 0.17 us of memory.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// The weights of one axis, in the device's memory: output i is the weighted sum of count[i] samples
// from first[i] on. Neither first nor first + count may fall as i grows.
struct ResizeAxis {
  const std::int32_t *first, *count;
  const std::int32_t* weights;  // (outputs, stride)
  std::int64_t stride;
};

struct ResizePillowParams {
  int n, h, w, c;    // in (n, h, w, c), n up to 65,535; images of up to 2^30 bytes
  int out_h, out_w;  // out (n, out_h, out_w, c)
};

// out (n, out_h, out_w, c) from in (n, h, w, c); across (out_w) and down (out_h) are the axes.
void resize_pillow(Cuda device, std::uint8_t* out, const std::uint8_t* in, const ResizeAxis& across,
                   const ResizeAxis& down, const ResizePillowParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
