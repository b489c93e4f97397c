#pragma once
// The kernels of normalize_image.hpp.

#include <algorithm>

#include <mien/cuda/normalize_image.hpp>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace normalize {

// Where N elements of y that lie one behind another come from, without branches, so that the loads
// overlap. Rows are of N pixels or more; C and Out: channels of x and y, 0: known at run time.
template <int N, int C, int Out>
class ImageElements {
 public:
  MIEN_DEV ImageElements(int element, bool mirrored, const NormalizeImageParams& p)
      : c_(C > 0 ? C : p.c), out_(Out > 0 ? Out : p.out_channels) {
    const int pixel = element / out_;
    first_ = Out == N ? 0 : element % out_;
    left_ = mirrored ? p.w - pixel % p.w : N;
    pixel_ = mirrored ? pixel - p.w - 1 + 2 * left_ : pixel;
    step_ = mirrored ? -1 : 1;
    next_row_ = 2 * p.w;
  }
  MIEN_DEV int channel(int j) const { return first_ + j - further(j) * out_; }
  // Whether x has this channel.
  MIEN_DEV bool in_x(int j) const { return (C > 0 && C == Out) || channel(j) < c_; }
  MIEN_DEV int place(int j) const {
    const int pixel = pixel_ + step_ * further(j) + (further(j) < left_ ? 0 : next_row_);
    return pixel * c_ + channel(j);
  }

 private:
  // Pixels that element j lies behind the first: (first_ + j) / Out, of which first_ < Out leaves a
  // comparison.
  MIEN_DEV int further(int j) const {
    if constexpr (N == 1 || (Out > 0 && Out % N == 0))
      return 0;
    else
      return j / Out + (first_ + j % Out >= Out ? 1 : 0);
  }

  int c_, out_;
  int first_, pixel_;  // channel and place of the first element
  int left_;           // pixels of y until the row ends
  int step_, next_row_;
};

}  // namespace normalize

// Images of y are of whole packs of N. Dense: those of x are too. Grid: (blocks of an image,
// images).
template <int N, int C, int Out, class T>
MIEN_KERNEL(pack_threads)
void normalize_image_kernel(T* y, const std::uint8_t* x, const float* mean, const float* deviation,
                            const std::uint8_t* mirrored, NormalizeImageParams p, bool dense) {
  static_assert(pack_threads == 256, "a thread for each value of a byte");
  MIEN_DYN_SHARED(T, table);  // (c, 256)
  const float share = static_cast<float>(threadIdx.x) / 255.0f;
  const int c = C > 0 ? C : p.c;
  for (int channel = 0; channel < c; ++channel)
    dev::from_float(table[channel * 256 + static_cast<int>(threadIdx.x)],
                    (share - mean[channel]) / deviation[channel]);
  __syncthreads();
  const int pixels = p.h * p.w, size = pixels * p.out_channels;
  const std::int64_t image = blockIdx.y;
  const std::uint8_t* const from = x + image * pixels * p.c;
  T* const to = y + image * size;
  const bool reversed = mirrored != nullptr && mirrored[image] != 0;
  T zero;
  dev::from_float(zero, 0.0f);
  for (int i = static_cast<int>(blockIdx.x * pack_threads + threadIdx.x) * N; i < size;
       i += static_cast<int>(gridDim.x) * pack_threads * N) {
    const normalize::ImageElements<N, C, Out> at(i, reversed, p);
    Packed<std::uint8_t, N> bytes;
    if (C > 0 && C == Out && dense && !reversed) {
      bytes = *reinterpret_cast<const Packed<std::uint8_t, N>*>(from + i);
    } else {
      MIEN_UNROLL
      for (int j = 0; j < N; ++j) bytes.values[j] = at.in_x(j) ? from[at.place(j)] : 0;
    }
    Packed<T, N> pack;
    MIEN_UNROLL
    for (int j = 0; j < N; ++j)
      pack.values[j] = at.in_x(j) ? table[at.channel(j) * 256 + bytes.values[j]] : zero;
    *reinterpret_cast<Packed<T, N>*>(to + i) = pack;
  }
}

template <Storage T>
void normalize_image(Cuda device, T* y, const std::uint8_t* x, const float* mean,
                     const float* deviation, const std::uint8_t* mirrored,
                     const NormalizeImageParams& p) {
  check(p.c >= 1 && p.c <= normalize_image_most_channels, "normalize_image", "expected 1 to ",
        normalize_image_most_channels, " channels, got ", p.c);
  check(p.out_channels >= p.c, "normalize_image", "expected ", p.c, " or more channels of y, got ",
        p.out_channels);
  const std::int64_t size = std::int64_t{p.h} * p.w * p.out_channels;
  check(size <= (1 << 30), "normalize_image", "expected up to 2^30 elements of an image, got ",
        size);
  if (p.n == 0 || size == 0) return;
  constexpr int width = pack_width<T>;
  const auto launch = [&](auto kernel, int of_pack) {
    // Up to eight packs a thread pay for the table, unless that leaves SMs without blocks.
    const unsigned most = ceil_div(size, std::int64_t{of_pack} * pack_threads);
    const auto wanted = static_cast<unsigned>(blocks_of_part(p.n, 8));
    cuda::launch(kernel,
                 {.grid = {std::clamp(wanted, ceil_div(most, 8), most), static_cast<unsigned>(p.n)},
                  .block = pack_threads,
                  .dynamic_shared_bytes = 256 * sizeof(T) * static_cast<unsigned>(p.c),
                  .stream = device.stream},
                 y, x, mean, deviation, mirrored, p, pack_aligned(x));
  };
  const bool packs = size % width == 0 && p.w >= width && pack_aligned(y);
  if (packs && p.c == 3 && p.out_channels == 3)
    launch(normalize_image_kernel<width, 3, 3, T>, width);
  else if (packs && p.c == 3 && p.out_channels == 8)
    launch(normalize_image_kernel<width, 3, 8, T>, width);
  else
    launch(normalize_image_kernel<1, 0, 0, T>, 1);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
