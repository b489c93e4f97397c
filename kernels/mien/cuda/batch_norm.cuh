#pragma once
// The kernels of batch_norm.hpp.

#include <mien/cuda/batch_norm.hpp>
#include <mien/cuda/rows.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace norm {

// Means of N channels, sums of squared deviations from them, and the number of rows.
template <int N>
using Moments = dev::Floats<2 * N + 1>;

template <int N>
MIEN_DEV void add_row(Moments<N>& m, const dev::Floats<N>& x) {
  m[2 * N] += 1.0f;
  const float share = dev::divide(1.0f, m[2 * N]);
  MIEN_UNROLL
  for (int k = 0; k < N; ++k) {
    const float delta = x[k] - m[k];
    m[k] = fmaf(delta, share, m[k]);
    m[N + k] = fmaf(delta, x[k] - m[k], m[N + k]);
  }
}

template <int N>
MIEN_DEV void merge(Moments<N>& m, const Moments<N>& other) {
  if (other[2 * N] == 0.0f) return;
  const float total = m[2 * N] + other[2 * N], share = dev::divide(other[2 * N], total);
  const float weight = m[2 * N] * share;
  MIEN_UNROLL
  for (int k = 0; k < N; ++k) {
    const float delta = other[k] - m[k];
    m[k] = fmaf(delta, share, m[k]);
    m[N + k] += fmaf(delta * delta, weight, other[N + k]);
  }
  m[2 * N] = total;
}

// The rows that block `share` takes in turn, `down` at a time. Made on the host: a division of 64
// bits takes the device some hundred instructions in a row.
struct RowsOfShare {
  std::int64_t down, whole, rest;  // whole: in all full turns; rest: of all blocks after them

  RowsOfShare(std::int64_t rows, std::int64_t shares, std::int64_t down)
      : down(down), whole(rows / (down * shares) * down), rest(rows % (down * shares)) {}

  MIEN_DEV float operator()(std::int64_t share) const {
    const std::int64_t left = rest - share * down;
    return static_cast<float>(whole + (left < 0 ? 0 : left < down ? left : down));
  }
};

// Shared memory of merge_block for each thread.
template <int N>
inline constexpr int merge_floats = 2 * N + 4;

// The moments of the block's channel i to thread i, from those of N channels in each thread: first
// the mean of all rows of threads, then the squares about it. By count 550 cycles, where merging
// pairs of rows, with a barrier and a division for each halving, would take 1200. All threads must
// call it.
template <int N>
MIEN_DEV Moments<1> merge_block(const Moments<N>& m, float* shared) {
  constexpr int pack = N < 4 ? N : 4, most_parts = 8;
  const int thread = static_cast<int>(threadIdx.x + blockDim.x * threadIdx.y);
  const int channels = static_cast<int>(blockDim.x) * N, down = static_cast<int>(blockDim.y);
  const int threads = static_cast<int>(blockDim.x) * down;
  float *const means = shared, *const squares = means + N * threads,
               *const counts = squares + N * threads, *const totals = counts + threads,
               *const sums = totals + threads, *const sums_of_squares = sums + threads;
  MIEN_UNROLL
  for (int k = 0; k < N; k += pack) {
    dev::Floats<pack> of_means, of_squares;
    MIEN_UNROLL
    for (int j = 0; j < pack; ++j) of_means[j] = m[k + j], of_squares[j] = m[N + k + j];
    dev::store(means + thread * N + k, of_means);
    dev::store(squares + thread * N + k, of_squares);
  }
  if (threadIdx.x == 0) counts[threadIdx.y] = m[2 * N];
  __syncthreads();

  // Each channel's rows divided among `parts` threads.
  const int channel = thread % channels, part = thread / channels;
  const int possible = threads / channels, parts = possible < most_parts ? possible : most_parts;
  const auto add_parts = [&](const float* of_parts) {
    float sum = 0;
    for (int i = 0; i < parts; ++i) sum += of_parts[i * channels + channel];
    return sum;
  };
  const float pivot = means[channel];  // not to round sums of large means
  float total = 0, sum = 0;
  if (part < parts) {
    for (int row = part; row < down; row += parts) {
      total += counts[row];
      sum = fmaf(counts[row], means[row * channels + channel] - pivot, sum);
    }
    totals[thread] = total;
    sums[thread] = sum;
  }
  __syncthreads();
  total = add_parts(totals);
  const float mean = total > 0 ? pivot + dev::divide(add_parts(sums), total) : 0.0f;
  if (part < parts) {
    sum = 0;
    for (int row = part; row < down; row += parts) {
      const float apart = means[row * channels + channel] - mean;
      sum += fmaf(counts[row] * apart, apart, squares[row * channels + channel]);
    }
    sums_of_squares[thread] = sum;
  }
  __syncthreads();
  return {mean, add_parts(sums_of_squares), total};
}

// The channel of which merge_block gives this thread the moments; c where it has none.
template <int N>
MIEN_DEV int merged_channel(int c) {
  const unsigned thread = threadIdx.x + blockDim.x * threadIdx.y, channels = blockDim.x * N;
  const int channel = static_cast<int>(blockIdx.y * channels + thread);
  return thread < channels && channel < c ? channel : c;
}

// The moments of all shares, count(share) rows each, as merge_block gives them.
template <int N, class Count>
MIEN_DEV Moments<1> merge_shares(const float* mean, const float* squares, std::int64_t shares,
                                 int c, float* shared, const Count& count) {
  const int channel = dev::first_channel<N>();
  Moments<N> m = {};
  if (channel < c) {
    const auto load = [&](std::int64_t share) {
      return dev::load_pair<N>(mean + share * c + channel, squares + share * c + channel);
    };
    dev::for_each_row<4>(threadIdx.y, blockDim.y, shares, load,
                         [&](std::int64_t share, const dev::PairBits<float, N>& v) {
                           const auto means = dev::to_floats(v.a), sums = dev::to_floats(v.b);
                           Moments<N> part;
                           MIEN_UNROLL
                           for (int k = 0; k < N; ++k) part[k] = means[k], part[N + k] = sums[k];
                           part[2 * N] = count(share);
                           merge<N>(m, part);
                         });
  }
  return merge_block<N>(m, shared);
}

// Statistics from the moments of all rows.
MIEN_DEV inline void finish(const BatchNormStatistics& of, int channel, const Moments<1>& m,
                            const BatchNormParams& p) {
  if (channel >= p.c) return;
  const auto rows = static_cast<float>(p.rows), but_one = static_cast<float>(p.rows - 1);
  of.mean[channel] = m[0];
  of.var[channel] = dev::divide(m[1], rows);
  if (of.running_mean == nullptr) return;
  const auto toward = [&](float& running, float seen) {
    running = fmaf(p.momentum, seen - running, running);
  };
  toward(of.running_mean[channel], m[0]);
  toward(of.running_var[channel], dev::divide(m[1], but_one));
}

// 1 / sqrt(var + eps).
template <int N>
MIEN_DEV dev::Floats<N> rstd(const BatchNormChannels& of, int channel, float eps) {
  auto values = dev::channel_values<N>(of.var, channel);
  MIEN_UNROLL
  for (int k = 0; k < N; ++k) values[k] = dev::rsqrt(values[k] + eps);
  return values;
}

// z = (x - mean) scale + beta for N channels. The difference first: it is exact where x and the
// mean are close and large.
template <int N>
struct Map {
  dev::Floats<N> mean, scale, beta;

  MIEN_DEV Map(const BatchNormChannels& of, int channel, float eps)
      : mean(dev::channel_values<N>(of.mean, channel)),
        scale(dev::channel_values<N>(of.gamma, channel, 1.0f)),
        beta(dev::channel_values<N>(of.beta, channel)) {
    const auto factor = rstd<N>(of, channel, eps);
    MIEN_UNROLL
    for (int k = 0; k < N; ++k) scale[k] *= factor[k];
  }

  // dy act'(z), where x - mean is `centred`.
  template <bool Silu>
  MIEN_DEV float gradient(float dy, float centred, int k) const {
    if constexpr (!Silu) return dy;
    return dev::silu_gradient(dy, fmaf(centred, scale[k], beta[k]));
  }
};

}  // namespace norm

// Grid and block of a RowBlock; the block of a tile that ends last merges the shares of all.
template <int N, class T>
MIEN_KERNEL(row_threads, 2)
void batch_norm_statistics_kernel(BatchNormStatistics of, BatchNormWorkspace workspace, const T* x,
                                  BatchNormParams p, norm::RowsOfShare rows_of_share) {
  MIEN_SHARED(float, shared, [norm::merge_floats<N> * row_threads]);
  const int channel = dev::first_channel<N>(), merged = norm::merged_channel<N>(p.c);
  norm::Moments<N> m = {};
  if (channel < p.c) {
    const auto load = [&](std::int64_t row) { return dev::load_bits<N>(x + row * p.c + channel); };
    auto loads = dev::start_rows<8>(p.rows, load);
    dev::prepare_last_block(workspace.blocks_done + blockIdx.y);
    if (merged < p.c && of.running_mean != nullptr) {
      dev::prefetch_l2(of.running_mean + merged);
      dev::prefetch_l2(of.running_var + merged);
    }
    loads.use([&](std::int64_t, const auto& bits) { norm::add_row<N>(m, dev::to_floats(bits)); });
  }
  auto of_channel = norm::merge_block<N>(m, shared);
  if (gridDim.x > 1) {
    float* const means = workspace.partial;
    float* const squares = means + std::int64_t{gridDim.x} * p.c;
    if (merged < p.c) {
      const std::int64_t at = std::int64_t{blockIdx.x} * p.c + merged;
      means[at] = of_channel[0];
      squares[at] = of_channel[1];
    }
    if (!dev::is_last_block(workspace.blocks_done + blockIdx.y)) return;
    of_channel = norm::merge_shares<N>(means, squares, gridDim.x, p.c, shared, rows_of_share);
  }
  norm::finish(of, merged, of_channel, p);
}

template <int N>
MIEN_KERNEL(row_threads)
void batch_norm_merge_kernel(BatchNormStatistics of, BatchNormShares from, BatchNormParams p) {
  MIEN_SHARED(float, shared, [norm::merge_floats<N> * row_threads]);
  const auto m = norm::merge_shares<N>(from.mean, from.squares, from.shares, p.c, shared,
                                       [&](std::int64_t share) { return from.count[share]; });
  norm::finish(of, norm::merged_channel<N>(p.c), m, p);
}

template <int N, bool Silu, class T>
MIEN_KERNEL(row_threads)
void batch_norm_kernel(T* y, const T* x, BatchNormChannels of, BatchNormParams p) {
  const int channel = dev::first_channel<N>();
  if (channel >= p.c) return;
  const auto load = [&](std::int64_t row) { return dev::load_bits<N>(x + row * p.c + channel); };
  auto loads = dev::start_rows<4>(p.rows, load);
  const norm::Map<N> map(of, channel, p.eps);
  loads.use([&](std::int64_t row, const auto& bits) {
    auto v = dev::to_floats(bits);
    MIEN_UNROLL
    for (int k = 0; k < N; ++k) {
      const float z = fmaf(v[k] - map.mean[k], map.scale[k], map.beta[k]);
      v[k] = Silu ? dev::silu(z) : z;
    }
    dev::store(y + row * p.c + channel, v);
  });
}

// dgamma and dbeta as the statistics above; frozen: dx in the same pass.
template <int N, bool Silu, bool Frozen, class T>
MIEN_KERNEL(row_threads, 2)
void batch_norm_sums_kernel(T* dx, float* dgamma, float* dbeta, BatchNormWorkspace workspace,
                            const T* x, const T* dy, BatchNormChannels of, BatchNormParams p) {
  MIEN_SHARED(float, shared, [2 * N * row_threads]);
  const int channel = dev::first_channel<N>();
  dev::Floats<2 * N> sums = {};  // of dz, of dz (x - mean)
  if (channel < p.c) {
    const auto load = [&](std::int64_t row) {
      return dev::load_pair<N>(x + row * p.c + channel, dy + row * p.c + channel);
    };
    auto loads = dev::start_rows<4>(p.rows, load);
    dev::prepare_last_block(workspace.blocks_done + blockIdx.y);
    const norm::Map<N> map(of, channel, p.eps);
    loads.use([&](std::int64_t row, const dev::PairBits<T, N>& bits) {
      const auto of_x = dev::to_floats(bits.a);
      auto g = dev::to_floats(bits.b);
      MIEN_UNROLL
      for (int k = 0; k < N; ++k) {
        const float centred = of_x[k] - map.mean[k];
        const float dz = map.template gradient<Silu>(g[k], centred, k);
        sums[k] += dz;
        sums[N + k] = fmaf(dz, centred, sums[N + k]);
        g[k] = dz * map.scale[k];
      }
      if constexpr (Frozen) dev::store(dx + row * p.c + channel, g);
    });
  }
  if (!dev::sum_over_grid<N>(sums, p.c, workspace.partial, workspace.blocks_done, shared)) return;
  const auto rstd = norm::rstd<N>(of, channel, p.eps);
  MIEN_UNROLL
  for (int k = 0; k < N; ++k) {
    dbeta[channel + k] = sums[k];
    dgamma[channel + k] = sums[N + k] * rstd[k];
  }
}

// dx = dz scale + (x - mean) slope + offset, where the last two are what the batch's own mean and
// variance add.
template <int N, bool Silu, class T>
MIEN_KERNEL(row_threads)
void batch_norm_backward_kernel(T* dx, const float* dgamma, const float* dbeta, const T* x,
                                const T* dy, BatchNormChannels of, BatchNormParams p) {
  const int channel = dev::first_channel<N>();
  if (channel >= p.c) return;
  const auto load = [&](std::int64_t row) {
    return dev::load_pair<N>(x + row * p.c + channel, dy + row * p.c + channel);
  };
  auto loads = dev::start_rows<4>(p.rows, load);
  const norm::Map<N> map(of, channel, p.eps);
  const auto rstd = norm::rstd<N>(of, channel, p.eps);
  auto slope = dev::channel_values<N>(dgamma, channel);
  auto offset = dev::channel_values<N>(dbeta, channel);
  const float share = -1.0f / static_cast<float>(p.rows);
  MIEN_UNROLL
  for (int k = 0; k < N; ++k) {
    slope[k] *= share * map.scale[k] * rstd[k];
    offset[k] *= share * map.scale[k];
  }
  loads.use([&](std::int64_t row, const dev::PairBits<T, N>& bits) {
    const auto of_x = dev::to_floats(bits.a);
    auto g = dev::to_floats(bits.b);
    MIEN_UNROLL
    for (int k = 0; k < N; ++k) {
      const float centred = of_x[k] - map.mean[k];
      const float dz = map.template gradient<Silu>(g[k], centred, k);
      g[k] = fmaf(dz, map.scale[k], fmaf(centred, slope[k], offset[k]));
    }
    dev::store(dx + row * p.c + channel, g);
  });
}

// --- launchers ----------------------------------------------------------------------------------

namespace norm {

// Calls f(Width of a pack, whether SiLU follows).
template <class T, class F>
void with_kernel(const BatchNormParams& p, bool packs, const F& f) {
  with_width<pack_width<T>>(packs, [&](auto width) {
    p.silu ? f(width, std::true_type()) : f(width, std::false_type());
  });
}

inline void check_partial(const BatchNormWorkspace& workspace) {
  check(aligned(64, workspace.partial), "batch_norm", "expected partial sums aligned to 64 bytes");
}

inline void check_rows(const BatchNormParams& p) {
  check(p.rows > 1, "batch_norm", "expected two rows or more for the statistics of a batch, got ",
        p.rows);
}

}  // namespace norm

template <Storage T>
void batch_norm_statistics(Cuda device, const BatchNormStatistics& of,
                           const BatchNormWorkspace& workspace, const T* x,
                           const BatchNormParams& p) {
  norm::check_rows(p);
  norm::check_partial(workspace);
  if (p.c == 0) return;
  with_width<pack_width<T>>(pack_aligned_rows(p.c, x), [&](auto width) {
    const auto block = RowBlock::of<width, T>(p.c);
    const std::int64_t shares = block.shares(p.rows, batch_norm_most_shares(p.c));
    cuda::launch(batch_norm_statistics_kernel<width, T>, block.shape(shares, 1, device.stream), of,
                 workspace, x, p, norm::RowsOfShare(p.rows, shares, block.down));
  });
}

template <Storage T>
void batch_norm(Cuda device, T* y, const T* x, const BatchNormChannels& of,
                const BatchNormParams& p) {
  if (p.rows * p.c == 0) return;
  norm::with_kernel<T>(p, pack_aligned_rows(p.c, y, x), [&](auto width, auto silu) {
    const auto block = RowBlock::of<width, T>(p.c);
    cuda::launch(batch_norm_kernel<width, silu.value, T>,
                 block.shape(block.pass_shares(p.rows, 1), 1, device.stream), y, x, of, p);
  });
}

namespace norm {

// The launch that both backward passes begin with.
template <bool Frozen, class T>
void backward_sums(Cuda device, T* dx, float* dgamma, float* dbeta,
                   const BatchNormWorkspace& workspace, const T* x, const T* dy,
                   const BatchNormChannels& of, const BatchNormParams& p) {
  check_partial(workspace);
  with_kernel<T>(p, pack_aligned_rows(p.c, dx, x, dy), [&](auto width, auto silu) {
    const auto block = RowBlock::of<width, T>(p.c);
    cuda::launch(batch_norm_sums_kernel<width, silu.value, Frozen, T>,
                 block.shape(block.shares(p.rows, batch_norm_most_shares(p.c)), 1, device.stream),
                 dx, dgamma, dbeta, workspace, x, dy, of, p);
  });
}

}  // namespace norm

template <Storage T>
void batch_norm_backward(Cuda device, T* dx, float* dgamma, float* dbeta,
                         const BatchNormWorkspace& workspace, const T* x, const T* dy,
                         const BatchNormChannels& of, const BatchNormParams& p) {
  norm::check_rows(p);
  if (p.c == 0) return;
  norm::backward_sums<false>(device, dx, dgamma, dbeta, workspace, x, dy, of, p);
  norm::with_kernel<T>(p, pack_aligned_rows(p.c, dx, x, dy), [&](auto width, auto silu) {
    const auto block = RowBlock::of<width, T>(p.c);
    cuda::launch(batch_norm_backward_kernel<width, silu.value, T>,
                 block.shape(block.pass_shares(p.rows, 1), 1, device.stream), dx, dgamma, dbeta, x,
                 dy, of, p);
  });
}

template <Storage T>
void batch_norm_backward_frozen(Cuda device, T* dx, float* dgamma, float* dbeta,
                                const BatchNormWorkspace& workspace, const T* x, const T* dy,
                                const BatchNormChannels& of, const BatchNormParams& p) {
  if (p.c == 0) return;
  norm::backward_sums<true>(device, dx, dgamma, dbeta, workspace, x, dy, of, p);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
