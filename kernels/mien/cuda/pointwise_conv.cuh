#pragma once
// The kernel of pointwise_conv.hpp: blocks of a tiled product out of shared memory, whose pieces
// come by asynchronous copies in three stages.

#include <mien/cuda/pointwise_conv.hpp>
#include <mien/cuda/warp_tile.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace pointwise {

inline constexpr int stages = 3;

// How a block of four warps divides its product: WarpsM of them take rows below each other,
// 4 / WarpsM of them steps of k in turn; each has 16 M rows and 8 N columns.
template <int WarpsM_, int M_, int N_>
struct Shape {
  static constexpr int WarpsM = WarpsM_, WarpsK = 4 / WarpsM_, M = M_, N = N_;
  static constexpr int rows = 16 * M * WarpsM, columns = 8 * N, threads = 4 * dev::warp_size;
};
using Large = Shape<4, 2, 8>;  // 128 x 64
using Small = Shape<1, 1, 4>;  // 16 x 32, for products with too few rows to fill a GPU otherwise

// Elements of k in a stage, and the stage's shared memory.
template <class T>
inline constexpr int stage_k = 128 / static_cast<int>(sizeof(T));
template <class S, class T>
inline constexpr int stage_size = (S::rows + S::columns) * (stage_k<T> + pack_width<T>);

// Words of A times the scale of their image and channel.
template <class T>
struct InScale {
  const float* scale;  // (images, in_c)
  std::int64_t first_pixel, pixels;
  int k, in_c, pixels_per_image;

  MIEN_DEV unsigned operator()(unsigned word, int row, int element) const {
    constexpr int elements = 4 / static_cast<int>(sizeof(T));
    const std::int64_t pixel = first_pixel + row, image = pixel / pixels_per_image;
    float s[2] = {};
    MIEN_UNROLL
    for (int i = 0; i < elements; ++i)
      if (pixel < pixels && k + element + i < in_c) s[i] = scale[image * in_c + k + element + i];
    return dev::scale_word<T>(word, s);
  }
};

// Adds up what the warps that share in k hold; the first of them gets the sums.
template <class S, class Tile>
MIEN_DEV void add_shares(Tile& tile, float* shares, int warp) {
  constexpr int size = S::M * S::N * 4;
  const int lane = static_cast<int>(threadIdx.x);
  float* const own = &tile.c[0][0][0];
  __syncthreads();  // all have read the last stage, whose memory this is
  MIEN_UNROLL
  for (int i = 0; i < size; ++i) shares[(warp * size + i) * dev::warp_size + lane] = own[i];
  __syncthreads();
  if (warp / S::WarpsM != 0) return;
  for (int other = warp + S::WarpsM; other < 4; other += S::WarpsM) MIEN_UNROLL
  for (int i = 0; i < size; ++i) own[i] += shares[(other * size + i) * dev::warp_size + lane];
}

}  // namespace pointwise

// Grid: blocks of the product, those of the same rows one after another; block (32, 4).
// Wide: channels of x and pointers suit accesses of 16 bytes, those of y pairs.
template <class S, class Mma, bool Wide, bool Scaled, class T>
MIEN_KERNEL(S::threads)
void pointwise_conv_kernel(T* y, const T* x, const T* w, PointwiseConvParams p,
                           PointwiseConvEpilogue<T> e) {
  using namespace pointwise;
  constexpr int k_of_stage = stage_k<T>, pitch = k_of_stage + pack_width<T>, step = dev::mma_k<T>;
  MIEN_DYN_SHARED(T, memory);
  const int warp = static_cast<int>(threadIdx.y);
  const int warp_row = warp % S::WarpsM * 16 * S::M, warp_k = warp / S::WarpsM;
  const unsigned across = ceil_div(p.out_c, S::columns);
  const std::int64_t first_row = std::int64_t{blockIdx.x / across} * S::rows;
  const int first_column = static_cast<int>(blockIdx.x % across) * S::columns;

  const auto stage_of = [&](int chunk) { return memory + chunk % stages * stage_size<S, T>; };
  const int chunks = (p.in_c + k_of_stage - 1) / k_of_stage;
  const auto fetch = [&](int chunk) {
    if (chunk < chunks) {
      const int k = chunk * k_of_stage;
      T* const a = stage_of(chunk);
      dev::stage_rows<Wide>(a, pitch, S::rows, k_of_stage, p.in_c - k, x, [&](int r) {
        return first_row + r < p.pixels ? (first_row + r) * p.in_c + k : -1;
      });
      dev::stage_rows<Wide>(a + S::rows * pitch, pitch, S::columns, k_of_stage, p.in_c - k, w,
                            [&](int r) {
                              const int o = first_column + r;
                              return o < p.out_c ? std::int64_t{o} * p.in_c + k : -1;
                            });
    }
    dev::commit_copies();  // empty at the end, so that the groups to wait for keep their number
  };

  dev::WarpTile<Mma, T, S::M, S::N> tile;
  tile.clear();
  for (int chunk = 0; chunk < stages - 1; ++chunk) fetch(chunk);
  for (int chunk = 0; chunk < chunks; ++chunk) {
    dev::wait_copies<stages - 2>();
    __syncthreads();  // this stage is there for all, and the one before it is read
    fetch(chunk + stages - 1);
    const T* const a = stage_of(chunk) + warp_row * pitch;
    const T* const b = stage_of(chunk) + S::rows * pitch;
    MIEN_UNROLL
    for (int i = 0; i < k_of_stage / step; i += S::WarpsK) {
      const int k = (i + warp_k) * step;
      if constexpr (Scaled)
        tile.step(a + k, pitch, b + k, pitch,
                  InScale<T>{e.in_scale, first_row + warp_row, p.pixels, chunk * k_of_stage + k,
                             p.in_c, p.pixels_per_image});
      else
        tile.step(a + k, pitch, b + k, pitch, dev::Unscaled());
    }
  }
  dev::wait_copies<0>();
  if constexpr (S::WarpsK > 1) add_shares<S>(tile, reinterpret_cast<float*>(memory), warp);
  if (warp_k != 0) return;
  constexpr int width = Wide ? 2 : 1;
  tile.each_pair([&](int row, int column, const float* sums) {
    const std::int64_t pixel = first_row + warp_row + row;
    if (pixel >= p.pixels) return;
    MIEN_UNROLL
    for (int i = 0; i < 2; i += width) {
      const int o = first_column + column + i;
      if (o >= p.out_c) return;
      const std::int64_t at = pixel * p.out_c + o;
      dev::Floats<width> value;
      MIEN_UNROLL
      for (int j = 0; j < width; ++j) {
        value[j] = sums[i + j] + (e.shift != nullptr ? e.shift[o + j] : 0.0f);
        if (e.silu) value[j] = dev::silu(value[j]);
      }
      if (e.residual != nullptr) {
        const auto more = dev::load<width>(e.residual + at);
        MIEN_UNROLL
        for (int j = 0; j < width; ++j) value[j] += more[j];
      }
      dev::store(y + at, value);
    }
  });
}

namespace pointwise {

template <class S, class Mma, Storage T>
void launch(Cuda device, T* y, const T* x, const T* w, const PointwiseConvParams& p,
            const PointwiseConvEpilogue<T>& e) {
  const bool wide =
      p.in_c % pack_width<T> == 0 && p.out_c % 2 == 0 && pack_aligned(x, w, y, e.residual);
  const auto kernel =
      wide ? (e.in_scale != nullptr ? pointwise_conv_kernel<S, Mma, true, true, T>
                                    : pointwise_conv_kernel<S, Mma, true, false, T>)
           : (e.in_scale != nullptr ? pointwise_conv_kernel<S, Mma, false, true, T>
                                    : pointwise_conv_kernel<S, Mma, false, false, T>);
  cuda::launch(kernel,
               {.grid = ceil_div(p.out_c, S::columns) * ceil_div(p.pixels, S::rows),
                .block = {dev::warp_size, 4},
                .dynamic_shared_bytes = sizeof(T) * stages * stage_size<S, T>,
                .stream = device.stream},
               y, x, w, p, e);
}

}  // namespace pointwise

template <Storage T>
void pointwise_conv(Cuda device, T* y, const T* x, const T* w, const PointwiseConvParams& p,
                    const PointwiseConvEpilogue<T>& e) {
  using pointwise::Large, pointwise::Small;
  if (p.pixels == 0 || p.out_c == 0) return;
  const bool fills =
      ceil_div(p.pixels, Large::rows) * ceil_div(p.out_c, Large::columns) >= large_gpu_sms;
  const auto run = fills ? pointwise::launch<Large, dev::DeviceMma, T>
                         : pointwise::launch<Small, dev::DeviceMma, T>;
  run(device, y, x, w, p, e);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
