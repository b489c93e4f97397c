#pragma once
// A whole MBConv block of mbconv.hpp in one launch, an image per block of threads, for late blocks
// whose d fits into shared memory.

#include <mien/cuda/mbconv_tile.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace bottleneck {

// Behind the shared memory of the tile, which is the whole image.
template <class T>
struct BlockMemory : Memory<T> {
  static constexpr int columns = 64, stage_k = 128 / static_cast<int>(sizeof(T)),
                       stage_pitch = stage_k + pack_width<T>;
  int d_rows, d_pitch;  // d_rows: the pixels, rounded up to 16
  T* d_tile;            // (d_rows, mid_c)
  float* channels;      // (mid_c): means of d, then its scale
  float* hidden;        // (warps, squeezed_c)

  MIEN_DEV BlockMemory(void* start, const MbconvParams& p, const MbconvTiling& t)
      : Memory<T>(start, p, t),
        d_rows(rows_of_d(p)),
        d_pitch(tile_pitch<T>(p.mid_c)),
        d_tile(static_cast<T*>(this->end())),
        channels(reinterpret_cast<float*>(d_tile + d_rows * d_pitch)),
        hidden(channels + p.mid_c) {}

  // Weights of the projection lie where those of the expansion and e were.
  MIEN_DEV T* stage(int i) const { return this->w_tile + i % 2 * columns * stage_pitch; }

  MIEN_HD static int rows_of_d(const MbconvParams& p) { return (p.out_h * p.out_w + 15) / 16 * 16; }
};

template <class T>
std::size_t block_memory_bytes(const MbconvParams& p, const MbconvTiling& t) {
  return memory_bytes<T>(p, t) +
         sizeof(T) *
             static_cast<std::size_t>(BlockMemory<T>::rows_of_d(p) * tile_pitch<T>(p.mid_c)) +
         sizeof(float) * static_cast<std::size_t>(p.mid_c + warps * p.squeezed_c);
}

// channels = the gates that they give as means, and d_tile times them.
template <class T>
MIEN_DEV void squeeze_and_excite(const BlockMemory<T>& memory,
                                 const SqueezeExciteWeights<T>& weights, const MbconvParams& p) {
  const int thread = static_cast<int>(dev::thread_of_block()), r = p.squeezed_c;
  const int warp = thread / dev::warp_size, lane = thread % dev::warp_size;
  for (int j = lane; j < r; j += dev::warp_size) {
    float sum = 0;
    for (int c = warp; c < p.mid_c; c += warps)
      sum = fmaf(dev::to_float(weights.w1[c * r + j]), memory.channels[c], sum);
    memory.hidden[warp * r + j] = sum;
  }
  __syncthreads();
  for (int j = thread; j < r; j += threads) {
    float z = dev::to_float(weights.b1[j]);
    for (int i = 0; i < warps; ++i) z += memory.hidden[i * r + j];
    memory.hidden[j] = dev::silu(z);
  }
  __syncthreads();
  for (int c = thread; c < p.mid_c; c += threads) {
    float z = dev::to_float(weights.b2[c]);
    for (int j = 0; j < r; ++j)
      z = fmaf(dev::to_float(weights.w2[j * p.mid_c + c]), memory.hidden[j], z);
    memory.channels[c] = dev::logistic(z);
  }
  __syncthreads();
  constexpr int V = lane_channels<T>;
  for (int row = warp; row < p.out_h * p.out_w; row += warps)
    for (int c = lane * V; c < p.mid_c; c += dev::warp_size * V) {
      T* const at = memory.d_tile + row * memory.d_pitch + c;
      auto values = dev::load<V>(at);
      MIEN_UNROLL
      for (int i = 0; i < V; ++i) values[i] *= memory.channels[c + i];
      dev::store(at, values);
    }
  __syncthreads();
}

// y of the image = project d_tile + shift + residual. Four warps take tiles of 16 pixels below each
// other, the other four the columns beside them.
template <class Mma, class T>
MIEN_DEV void project(T* y, const T* residual, const BlockMemory<T>& memory,
                      const MbconvWeights<T>& weights, const MbconvParams& p) {
  using M = BlockMemory<T>;
  constexpr int N = M::columns / 2 / 8, k_of_stage = M::stage_k;
  const int warp = static_cast<int>(threadIdx.y), chunks = (p.mid_c + k_of_stage - 1) / k_of_stage;
  const int pixels = p.out_h * p.out_w;
  for (int first_column = 0; first_column < p.out_c; first_column += M::columns)
    for (int first_row = 0; first_row < memory.d_rows; first_row += 64) {
      const auto fetch = [&](int chunk) {
        const int k = chunk * k_of_stage;
        if (chunk < chunks)
          dev::stage_rows(memory.stage(chunk), M::stage_pitch, M::columns, k_of_stage, p.mid_c - k,
                          weights.project, [&](int r) {
                            const int o = first_column + r;
                            return o < p.out_c ? std::int64_t{o} * p.mid_c + k : -1;
                          });
        dev::commit_copies();
      };
      const int row = first_row + warp % 4 * 16, column = first_column + warp / 4 * 8 * N;
      dev::WarpTile<Mma, T, 1, N> product;
      product.clear();
      fetch(0);
      for (int chunk = 0; chunk < chunks; ++chunk) {
        fetch(chunk + 1);
        dev::wait_copies<1>();
        __syncthreads();
        const int k_end = p.mid_c - chunk * k_of_stage;  // beyond it d_tile holds zeros, or nothing
        const T* const b = memory.stage(chunk) + warp / 4 * 8 * N * M::stage_pitch;
        if (row < memory.d_rows)
          for (int k = 0; k < k_of_stage && k < k_end; k += dev::mma_k<T>)
            product.step(memory.d_tile + row * memory.d_pitch + chunk * k_of_stage + k,
                         memory.d_pitch, b + k, M::stage_pitch, dev::Unscaled());
        __syncthreads();  // the stage is read
      }
      product.each_pair([&](int r, int c, const float* sums) {
        const int pixel = row + r;
        if (pixel >= pixels) return;
        MIEN_UNROLL
        for (int i = 0; i < 2; ++i) {
          const int o = column + c + i;
          if (o >= p.out_c) return;
          float value = sums[i] + weights.project_shift[o];
          if (residual != nullptr) value += dev::to_float(residual[pixel * p.out_c + o]);
          dev::from_float(y[pixel * p.out_c + o], value);
        }
      });
    }
  dev::wait_copies<0>();
}

}  // namespace bottleneck

// Grid: n; block (32, 8).
template <class Mma, int K, int S, class T>
MIEN_KERNEL(bottleneck::threads, 1)
void mbconv_block_kernel(T* y, const T* x, MbconvWeights<T> weights, MbconvParams p,
                         MbconvTiling t) {
  using namespace bottleneck;
  constexpr int V = lane_channels<T>, C = chunk_channels<T>;
  MIEN_DYN_SHARED(unsigned char, start);
  const BlockMemory<T> memory(start, p, t);
  const Tile tile(p, t);
  const int thread = static_cast<int>(dev::thread_of_block()), lane = thread % dev::warp_size;

  fetch_pixels(memory, tile, x, p, t);
  fetch_chunk(memory, weights, p, 0);
  constexpr int width = pack_width<T>;  // d holds zeros beside and below what will be written
  for (int i = thread; i < memory.d_rows * memory.d_pitch / width; i += threads)
    dev::store(memory.d_tile + i * width, dev::Floats<width>{});
  dev::wait_copies<0>();
  __syncthreads();
  for (int first = 0; first < p.mid_c; first += C) {
    const int channel = first + lane * V;
    const Window<K, T> window(weights, p, channel);
    expand_chunk<Mma>(memory, p.in_c);
    __syncthreads();  // the chunk is expanded, and its weights are read
    if (first + C < p.mid_c) fetch_chunk(memory, weights, p, first + C);
    convolve_chunk<S>(
        memory, tile, window, p, t, channel,
        [&](int row, int column, const dev::Floats<V>& values) {
          dev::store(memory.d_tile + (row * p.out_w + column) * memory.d_pitch + channel, values);
        });
    dev::wait_copies<0>();
    __syncthreads();  // the chunk is convolved, and the next one's weights are there
    if (thread < C && first + thread < p.mid_c)
      memory.channels[first + thread] =
          pooled_sum(memory, thread) * (1.0f / static_cast<float>(p.out_h * p.out_w));
  }
  __syncthreads();
  squeeze_and_excite(memory, weights.squeeze_excite, p);
  const std::int64_t pixels = std::int64_t{tile.image} * p.out_h * p.out_w;
  project<Mma>(y + pixels * p.out_c, p.residual ? x + pixels * p.in_c : nullptr, memory, weights,
               p);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
