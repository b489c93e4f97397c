#pragma once
// The kernel of resize_pillow.hpp.

#include <mien/cuda/intrinsics.hpp>
#include <mien/cuda/launch.hpp>
#include <mien/cuda/resize_pillow.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace pillow {

inline constexpr int columns = 64;  // of a tile, in bytes
inline constexpr int strips = 4;    // threads of a column
inline constexpr int bits = 22, half = 1 << (bits - 1);

MIEN_DEV inline std::uint8_t rounded(int sum) {
  const int value = sum >> bits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

}  // namespace pillow

// Grid: (columns, rows, images) of tiles; block (columns, strips). The rows of the image that a
// tile needs come by in chunks of as many as it has. A thread has OfThread of them at once.
template <int OfThread>
MIEN_KERNEL(pillow::columns* pillow::strips)
void resize_pillow_kernel(std::uint8_t* out, const std::uint8_t* in, ResizeAxis across,
                          ResizeAxis down, ResizePillowParams p) {
  using namespace pillow;
  constexpr int tile_rows = strips * OfThread;
  MIEN_SHARED(std::uint8_t, between, [tile_rows][columns]);
  const int thread = static_cast<int>(threadIdx.x), strip = static_cast<int>(threadIdx.y);
  const int in_row = p.w * p.c, out_row = p.out_w * p.c;
  const int column = static_cast<int>(blockIdx.x) * columns + thread;
  const bool inside = column < out_row;
  const int x = inside ? column / p.c : 0, taps = inside ? across.count[x] : 0;
  const int from = across.first[x] * p.c + (inside ? column % p.c : 0);
  const std::int32_t* const weights = across.weights + x * across.stride;
  const int first_y = static_cast<int>(blockIdx.y) * tile_rows;
  const int end_y = first_y + tile_rows < p.out_h ? first_y + tile_rows : p.out_h;
  const int first_row = down.first[first_y],
            end_row = down.first[end_y - 1] + down.count[end_y - 1];

  const std::uint8_t* const source = in + std::int64_t{blockIdx.z} * p.h * in_row + from;
  int sums[OfThread];
  MIEN_UNROLL
  for (int& sum : sums) sum = half;
  for (int chunk = first_row; chunk < end_row; chunk += tile_rows) {
    const int rows = tile_rows < end_row - chunk ? tile_rows : end_row - chunk;
    int across_sums[OfThread];
    MIEN_UNROLL
    for (int& sum : across_sums) sum = half;
    const std::uint8_t* tap = source + (chunk + strip) * in_row;
    for (int t = 0; t < taps; ++t, tap += p.c) {
      const int weight = weights[t];
      MIEN_UNROLL
      for (int k = 0; k < OfThread; ++k)
        if (strip + k * strips < rows) across_sums[k] += weight * tap[k * strips * in_row];
    }
    MIEN_UNROLL
    for (int k = 0; k < OfThread; ++k)
      between[strip + k * strips][thread] = rounded(across_sums[k]);
    __syncthreads();
    MIEN_UNROLL
    for (int k = 0; k < OfThread; ++k) {
      const int y = first_y + strip + k * strips;
      if (y >= end_y) continue;
      const int first = down.first[y] - chunk, end = first + down.count[y];
      const std::int32_t* const of_row = down.weights + y * down.stride - first;
      for (int row = first > 0 ? first : 0; row < end && row < rows; ++row)
        sums[k] += of_row[row] * between[row][thread];
    }
    __syncthreads();  // the next chunk is written there
  }
  MIEN_UNROLL
  for (int k = 0; k < OfThread; ++k) {
    const int y = first_y + strip + k * strips;
    if (inside && y < end_y)
      out[(std::int64_t{blockIdx.z} * p.out_h + y) * out_row + column] = rounded(sums[k]);
  }
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
