#pragma once
// The parts of MBConv's fused kernels: a block of threads has a tile of output pixels of one image,
// and goes through the expanded channels in chunks of 128 bytes. Of each chunk it expands all
// pixels that the tile's windows meet, by a matrix product into shared memory, and convolves them
// there: the expanded tensor never leaves the SM.
//
//   x_tile (rows, in_c)               the pixels inside the image, one after another
//   w_tile (chunk, in_c)              the chunk's rows of the expansion's weights
//   e_tile (halo_h, halo_w, chunk)    the expanded pixels; zeros around the image
//
// Output pixels are taken seven in a row by a warp, since B0's maps have 7, 14, 28 and 56; a lane
// has 4 bytes of channels.

#include <mien/cuda/mbconv.hpp>
#include <mien/cuda/warp_tile.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace bottleneck {

inline constexpr int warps = 8, threads = warps * dev::warp_size;
inline constexpr int strip = 7;  // output pixels in a row that a warp computes at once

template <class T>
inline constexpr int lane_channels = 4 / static_cast<int>(sizeof(T));
template <class T>
inline constexpr int chunk_channels = dev::warp_size* lane_channels<T>;
template <class T>
inline constexpr int e_pitch = chunk_channels<T> + pack_width<T>;

// A tile and its place in the image.
struct Tile {
  int image, out_row, out_column;     // of its first output pixel
  int first_row, first_column;        // of x, inside the image
  int rows, columns;                  // of x, inside the image
  int skipped_rows, skipped_columns;  // of the e_tile, before those of x

  MIEN_DEV Tile(const MbconvParams& p, const MbconvTiling& t) {
    const int tile = static_cast<int>(blockIdx.x) % t.count;
    image = static_cast<int>(blockIdx.x) / t.count;
    out_row = tile / t.across * t.out_h;
    out_column = tile % t.across * t.out_w;
    const int top = out_row * p.stride - p.pad_top, left = out_column * p.stride - p.pad_left;
    skipped_rows = top < 0 ? -top : 0;
    skipped_columns = left < 0 ? -left : 0;
    first_row = top + skipped_rows;
    first_column = left + skipped_columns;
    const int last_row = top + t.halo_h, last_column = left + t.halo_w;
    rows = (last_row < p.h ? last_row : p.h) - first_row;
    columns = (last_column < p.w ? last_column : p.w) - first_column;
  }
};

// The shared memory of a tile.
template <class T>
struct Memory {
  T *x_tile, *w_tile, *e_tile;
  float* pooled;    // (warps, chunk)
  float* shift;     // (chunk), of the expansion
  int* places;      // (rows): where the e_tile has a pixel of x, or -1
  int pitch, rows;  // of the x_tile and the w_tile; rows of the x_tile, a multiple of 16

  MIEN_DEV Memory(void* start, const MbconvParams& p, const MbconvTiling& t)
      : pitch(tile_pitch<T>(p.in_c)), rows(t.x_rows) {
    x_tile = static_cast<T*>(start);
    w_tile = x_tile + rows * pitch;
    e_tile = w_tile + chunk_channels<T> * pitch;
    pooled = reinterpret_cast<float*>(e_tile + t.halo_h * t.halo_w * e_pitch<T>);
    shift = pooled + warps * chunk_channels<T>;
    places = reinterpret_cast<int*>(shift + chunk_channels<T>);
  }
  MIEN_DEV void* end() const { return places + rows; }
};

template <class T>
std::size_t memory_bytes(const MbconvParams& p, const MbconvTiling& t) {
  const std::size_t elements = static_cast<std::size_t>(
      (t.x_rows + chunk_channels<T>)*tile_pitch<T>(p.in_c) + t.halo_h * t.halo_w * e_pitch<T>);
  return elements * sizeof(T) + (warps + 1) * chunk_channels<T> * sizeof(float) +
         static_cast<std::size_t>(t.x_rows) * sizeof(int);
}

// Fetches the weights and shifts of a chunk, and commits their copies.
template <class T>
MIEN_DEV void fetch_chunk(const Memory<T>& memory, const MbconvWeights<T>& weights,
                          const MbconvParams& p, int first_channel) {
  const int thread = static_cast<int>(dev::thread_of_block());
  dev::stage_rows(memory.w_tile, memory.pitch, chunk_channels<T>, padded_k<T>(p.in_c), p.in_c,
                  weights.expand, [&](int r) {
                    const int channel = first_channel + r;
                    return channel < p.mid_c ? std::int64_t{channel} * p.in_c : -1;
                  });
  dev::commit_copies();
  const int channel = first_channel + thread;
  if (thread < chunk_channels<T>)
    memory.shift[thread] = channel < p.mid_c ? weights.expand_shift[channel] : 0.0f;
}

// Fetches the pixels of the tile, and clears what lies around them.
template <class T>
MIEN_DEV void fetch_pixels(const Memory<T>& memory, const Tile& tile, const T* x,
                           const MbconvParams& p, const MbconvTiling& t) {
  const int thread = static_cast<int>(dev::thread_of_block()), valid = tile.rows * tile.columns;
  const T* const image = x + std::int64_t{tile.image} * p.h * p.w * p.in_c;
  dev::stage_rows(memory.x_tile, memory.pitch, memory.rows, padded_k<T>(p.in_c), p.in_c, image,
                  [&](int r) {
                    const int row = tile.first_row + r / tile.columns;
                    const int column = tile.first_column + r % tile.columns;
                    return r < valid ? (std::int64_t{row} * p.w + column) * p.in_c : -1;
                  });
  for (int r = thread; r < memory.rows; r += threads) {
    const int row = tile.skipped_rows + r / tile.columns;
    const int column = tile.skipped_columns + r % tile.columns;
    memory.places[r] = r < valid ? row * t.halo_w + column : -1;
  }
  constexpr int width = pack_width<T>;
  for (int i = thread; i < t.halo_h * t.halo_w * e_pitch<T> / width; i += threads)
    dev::store(memory.e_tile + i * width, dev::Floats<width>{});
}

// e_tile = SiLU(x_tile w_tile + shift).
template <class Mma, class T>
MIEN_DEV void expand_chunk(const Memory<T>& memory, int in_c) {
  constexpr int N = chunk_channels<T> / 8;
  const int warp = static_cast<int>(threadIdx.y), k_end = padded_k<T>(in_c);
  for (int first = 16 * warp; first < memory.rows; first += 16 * warps) {
    dev::WarpTile<Mma, T, 1, N> product;
    product.clear();
    for (int k = 0; k < k_end; k += dev::mma_k<T>)
      product.step(memory.x_tile + first * memory.pitch + k, memory.pitch, memory.w_tile + k,
                   memory.pitch, dev::Unscaled());
    product.each_pair([&](int row, int column, const float* sums) {
      const int place = memory.places[first + row];
      if (place < 0) return;
      dev::Floats<2> value;
      MIEN_UNROLL
      for (int i = 0; i < 2; ++i) value[i] = dev::silu(sums[i] + memory.shift[column + i]);
      dev::store(memory.e_tile + place * e_pitch<T> + column, value);
    });
  }
}

// The depthwise weights and shifts of a lane's channels.
template <int K, class T>
struct Window {
  static constexpr int V = lane_channels<T>;
  dev::Bits<T, V> w[K * K] = {};
  dev::Floats<V> shift = {};

  // Of the channels from `channel` on, where there are any. On its way while the chunk is expanded.
  MIEN_DEV Window(const MbconvWeights<T>& weights, const MbconvParams& p, int channel) {
    if (channel >= p.mid_c) return;
    MIEN_UNROLL
    for (int i = 0; i < K * K; ++i)
      w[i] = dev::load_bits<V>(weights.depthwise + i * p.mid_c + channel);
    MIEN_UNROLL
    for (int i = 0; i < V; ++i) shift[i] = weights.depthwise_shift[channel + i];
  }
};

// Calls sink(row of the tile, column of the tile, channels) for every output pixel of the image in
// the tile and for this lane's channels from `channel` on, and leaves the sums of each warp in
// `pooled`.
template <int S, int K, class T, class Sink>
MIEN_DEV void convolve_chunk(const Memory<T>& memory, const Tile& tile, const Window<K, T>& window,
                             const MbconvParams& p, const MbconvTiling& t, int channel,
                             const Sink& sink) {
  constexpr int V = lane_channels<T>, inputs = (strip - 1) * S + K;
  const int warp = static_cast<int>(threadIdx.y), lane = static_cast<int>(threadIdx.x);
  dev::Floats<V> pooled = {};
  if (channel < p.mid_c) {
    dev::Floats<V> w[K * K];
    MIEN_UNROLL
    for (int i = 0; i < K * K; ++i) w[i] = dev::to_floats(window.w[i]);
    const int strips = t.out_w / strip;
    for (int item = warp; item < t.out_h * strips; item += warps) {
      const int row = item / strips, column = item % strips * strip;
      if (tile.out_row + row >= p.out_h) break;
      dev::Floats<V> sum[strip];
      MIEN_UNROLL
      for (auto& s : sum) s = window.shift;
      const T* from = memory.e_tile + (row * S * t.halo_w + column * S) * e_pitch<T> + lane * V;
      MIEN_UNROLL
      for (int u = 0; u < K; ++u, from += t.halo_w * e_pitch<T>) {
        dev::Floats<V> in[inputs];
        MIEN_UNROLL
        for (int j = 0; j < inputs; ++j) in[j] = dev::load<V>(from + j * e_pitch<T>);
        MIEN_UNROLL
        for (int v = 0; v < K; ++v) MIEN_UNROLL
        for (int j = 0; j < strip; ++j) MIEN_UNROLL
        for (int i = 0; i < V; ++i) sum[j][i] = fmaf(in[j * S + v][i], w[u * K + v][i], sum[j][i]);
      }
      MIEN_UNROLL
      for (int j = 0; j < strip; ++j) {
        if (tile.out_column + column + j >= p.out_w) continue;
        MIEN_UNROLL
        for (int i = 0; i < V; ++i) {
          sum[j][i] = dev::silu(sum[j][i]);
          pooled[i] += sum[j][i];
        }
        sink(row, column + j, sum[j]);
      }
    }
  }
  dev::store(memory.pooled + warp * chunk_channels<T> + lane * V, pooled);
}

// The sum of `pooled` over the warps, in order, for the chunk's channel `i`.
template <class T>
MIEN_DEV float pooled_sum(const Memory<T>& memory, int i) {
  float sum = 0;
  for (int warp = 0; warp < warps; ++warp) sum += memory.pooled[warp * chunk_channels<T> + i];
  return sum;
}

}  // namespace bottleneck
}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
