#pragma once
// The kernels of prelu.hpp.

#include <mien/cuda/packed.hpp>
#include <mien/cuda/prelu.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace prelu_parts {

inline constexpr int threads = 256;
inline constexpr int rows_at_once = 2;  // of one thread: loads under way

// A thread has V channels in every `rows`-th row. Neighbouring threads have neighbouring channels,
// then the next row, so that a block accesses whole rows in the order in which they lie.
template <int V>
struct Place {
  int across, rows;         // threads along the channels, and rows, of a block
  int row, local, channel;  // this thread's row, and its first channel in the block and in all

  MIEN_DEV explicit Place(int c) {
    const int packs = c / V;
    across = packs < threads ? packs : threads;
    rows = threads / across;
    row = static_cast<int>(threadIdx.x) / across;
    local = static_cast<int>(threadIdx.x) % across * V;
    channel = static_cast<int>(blockIdx.y) * across * V + local;
  }
  // Threads beyond whole rows, and channels beyond the last, have nothing.
  MIEN_DEV bool active(int c) const { return row < rows && channel < c; }
};

template <int V>
MIEN_DEV dev::Floats<V> load_slopes(const float* slope, int channel) {
  dev::Floats<V> s;
  MIEN_UNROLL
  for (int k = 0; k < V; ++k) s[k] = dev::ldg(slope + channel + k);
  return s;
}

// The sum over the `rows` threads that share a channel, in order, for channels [0, across V) of the
// block: the first threads' to(channel in the block, sum). All threads call it.
template <int V, class F>
MIEN_DEV void block_sums(const Place<V>& at, const dev::Floats<V>& sum, const F& to) {
  MIEN_SHARED(float, sums, [threads * V]);
  const int width = at.across * V;
  if (at.row < at.rows) MIEN_UNROLL
  for (int k = 0; k < V; ++k) sums[at.row * width + at.local + k] = sum[k];
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < width; i += threads) {
    float total = 0;
    for (int r = 0; r < at.rows; ++r) total += sums[r * width + i];
    to(i, total);
  }
  __syncthreads();  // the next call writes them anew
}

}  // namespace prelu_parts

// Grid: (rows / (rows_at_once rows of a block), channel blocks).
template <int V, class T>
MIEN_KERNEL(prelu_parts::threads)
void prelu_kernel(T* y, const T* x, const float* slope, PreluParams p) {
  using namespace prelu_parts;
  const Place<V> at(p.c);
  if (!at.active(p.c)) return;
  const auto s = load_slopes<V>(slope, at.channel);
  const std::int64_t first = std::int64_t{blockIdx.x} * at.rows * rows_at_once + at.row;
  dev::Floats<V> v[rows_at_once] = {};
  MIEN_UNROLL
  for (int i = 0; i < rows_at_once; ++i) {
    const std::int64_t row = first + i * at.rows;
    if (row < p.rows) v[i] = dev::load<V>(x + row * p.c + at.channel);
  }
  MIEN_UNROLL
  for (int i = 0; i < rows_at_once; ++i) {
    const std::int64_t row = first + i * at.rows;
    MIEN_UNROLL
    for (int k = 0; k < V; ++k) v[i][k] = v[i][k] > 0.0f ? v[i][k] : s[k] * v[i][k];
    if (row < p.rows) dev::store(y + row * p.c + at.channel, v[i]);
  }
}

// Grid: (shares, channel blocks).
template <int V, class T>
MIEN_KERNEL(prelu_parts::threads)
void prelu_backward_kernel(T* dx, float* dslope, PreluWorkspace workspace, const T* x, const T* dy,
                           const float* slope, PreluParams p) {
  using namespace prelu_parts;
  const Place<V> at(p.c);
  dev::Floats<V> sum = {};
  if (at.active(p.c)) {
    const auto s = load_slopes<V>(slope, at.channel);
    const std::int64_t step = std::int64_t{gridDim.x} * at.rows;
    for (std::int64_t row = std::int64_t{blockIdx.x} * at.rows + at.row; row < p.rows;
         row += step * rows_at_once) {
      dev::Floats<V> v[rows_at_once] = {}, g[rows_at_once] = {};
      MIEN_UNROLL
      for (int i = 0; i < rows_at_once; ++i) {
        if (row + i * step >= p.rows) continue;
        v[i] = dev::load<V>(x + (row + i * step) * p.c + at.channel);
        g[i] = dev::load<V>(dy + (row + i * step) * p.c + at.channel);
      }
      MIEN_UNROLL
      for (int i = 0; i < rows_at_once; ++i) {
        MIEN_UNROLL
        for (int k = 0; k < V; ++k) {
          const bool positive = v[i][k] > 0.0f;
          sum[k] = positive ? sum[k] : fmaf(v[i][k], g[i][k], sum[k]);
          g[i][k] = positive ? g[i][k] : s[k] * g[i][k];
        }
        if (row + i * step < p.rows) dev::store(dx + (row + i * step) * p.c + at.channel, g[i]);
      }
    }
  }
  const int first = at.channel - at.local;  // of the block
  block_sums<V>(at, sum, [&](int i, float total) {
    if (first + i < p.c) workspace.partials[std::int64_t{blockIdx.x} * p.c + first + i] = total;
  });
  if (!dev::is_last_block(workspace.blocks_done + blockIdx.y)) return;
  sum = {};
  if (at.active(p.c)) {
    for (unsigned share = static_cast<unsigned>(at.row); share < gridDim.x;
         share += static_cast<unsigned>(at.rows)) {
      MIEN_UNROLL
      for (int k = 0; k < V; ++k)
        sum[k] += workspace.partials[std::int64_t{share} * p.c + at.channel + k];
    }
  }
  block_sums<V>(at, sum, [&](int i, float total) {
    if (first + i < p.c) dslope[first + i] = total;
  });
}

namespace prelu_parts {

// Calls f(V, channel blocks, rows of a block) with the widest accesses that the channels allow.
template <class T, class F, class... P>
void with_width(const PreluParams& p, const F& f, const P*... pointers) {
  const auto call = [&](auto v) {
    const int packs = p.c / v, across = packs < threads ? packs : threads;
    f(v, ceil_div(packs, across), threads / across);
  };
  if (p.c % pack_width<T> == 0 && pack_aligned(pointers...))
    call(dev::Width<pack_width<T>>());
  else
    call(dev::Width<1>());
}

}  // namespace prelu_parts

template <Storage T>
void prelu(Cuda device, T* y, const T* x, const float* slope, const PreluParams& p) {
  if (p.rows * p.c == 0) return;
  prelu_parts::with_width<T>(
      p,
      [&](auto v, unsigned channel_blocks, int rows) {
        cuda::launch(prelu_kernel<v, T>,
                     {.grid = {ceil_div(p.rows, rows * prelu_parts::rows_at_once), channel_blocks},
                      .block = prelu_parts::threads,
                      .stream = device.stream},
                     y, x, slope, p);
      },
      y, x);
}

template <Storage T>
void prelu_backward(Cuda device, T* dx, float* dslope, const PreluWorkspace& workspace, const T* x,
                    const T* dy, const float* slope, const PreluParams& p) {
  if (p.c == 0) return;
  prelu_parts::with_width<T>(
      p,
      [&](auto v, unsigned channel_blocks, int) {
        cuda::launch(prelu_backward_kernel<v, T>,
                     {.grid = {static_cast<unsigned>(prelu_shares(p)), channel_blocks},
                      .block = prelu_parts::threads,
                      .stream = device.stream},
                     dx, dslope, workspace, x, dy, slope, p);
      },
      dx, x, dy);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
