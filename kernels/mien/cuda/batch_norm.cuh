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

// The rows that block `share` of gridDim.x takes in turn, blockDim.y at a time.
struct RowsOfShare {
  std::int64_t down, whole, rest;  // whole: in all full turns; rest: of all blocks after them

  MIEN_DEV explicit RowsOfShare(std::int64_t rows) : down(blockDim.y) {
    const std::int64_t turn = down * gridDim.x;
    whole = rows / turn * down;
    rest = rows % turn;
  }
  MIEN_DEV float operator()(std::int64_t share) const {
    const std::int64_t left = rest - share * down;
    return static_cast<float>(whole + (left < 0 ? 0 : left < down ? left : down));
  }
};

// The moments of all shares, count(share) rows each, to the block's first row of threads.
template <int N, class Count>
MIEN_DEV Moments<N> merge_shares(const float* mean, const float* squares, std::int64_t shares,
                                 int c, int channel, float* shared, const Count& count) {
  Moments<N> m = {};
  if (channel < c) {
    const auto load = [&](std::int64_t share) {
      return dev::load_pair<N>(mean + share * c + channel, squares + share * c + channel);
    };
    dev::for_each_row<3>(threadIdx.y, blockDim.y, shares, load,
                         [&](std::int64_t share, const dev::PairBits<float, N>& v) {
                           const auto means = dev::to_floats(v.a), sums = dev::to_floats(v.b);
                           Moments<N> part;
                           MIEN_UNROLL
                           for (int k = 0; k < N; ++k) part[k] = means[k], part[N + k] = sums[k];
                           part[2 * N] = count(share);
                           merge<N>(m, part);
                         });
  }
  dev::merge_rows(m, static_cast<int>(blockDim.x), shared, merge<N>);
  return m;
}

template <int N>
MIEN_DEV void finish(const BatchNormStatistics& of, int channel, const Moments<N>& m,
                     const BatchNormParams& p) {
  if (threadIdx.y != 0 || channel >= p.c) return;
  const float biased = 1.0f / static_cast<float>(p.rows);
  const float unbiased = 1.0f / static_cast<float>(p.rows - 1);
  const auto toward = [&](float& running, float seen) {
    running = fmaf(p.momentum, seen - running, running);
  };
  MIEN_UNROLL
  for (int k = 0; k < N; ++k) {
    of.mean[channel + k] = m[k];
    of.var[channel + k] = m[N + k] * biased;
    if (of.running_mean == nullptr) continue;
    toward(of.running_mean[channel + k], m[k]);
    toward(of.running_var[channel + k], m[N + k] * unbiased);
  }
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
                                  BatchNormParams p) {
  MIEN_SHARED(float, shared, [(2 * N + 1) * row_threads]);
  const int channel = dev::first_channel<N>();
  norm::Moments<N> m = {};
  if (channel < p.c)
    dev::for_each_row<8>(
        p.rows, [&](std::int64_t row) { return dev::load_bits<N>(x + row * p.c + channel); },
        [&](std::int64_t, const auto& bits) { norm::add_row<N>(m, dev::to_floats(bits)); });
  dev::merge_rows(m, static_cast<int>(blockDim.x), shared, norm::merge<N>);

  float* const means = workspace.partial;
  float* const squares = means + std::int64_t{gridDim.x} * p.c;
  if (threadIdx.y == 0 && channel < p.c) {
    const std::int64_t at = std::int64_t{blockIdx.x} * p.c + channel;
    dev::Floats<N> of_means, of_squares;
    MIEN_UNROLL
    for (int k = 0; k < N; ++k) of_means[k] = m[k], of_squares[k] = m[N + k];
    dev::store(means + at, of_means);
    dev::store(squares + at, of_squares);
  }
  if (!dev::is_last_block(workspace.blocks_done + blockIdx.y)) return;
  m = norm::merge_shares<N>(means, squares, gridDim.x, p.c, channel, shared,
                            norm::RowsOfShare(p.rows));
  norm::finish<N>(of, channel, m, p);
}

template <int N>
MIEN_KERNEL(row_threads)
void batch_norm_merge_kernel(BatchNormStatistics of, BatchNormShares from, BatchNormParams p) {
  MIEN_SHARED(float, shared, [(2 * N + 1) * row_threads]);
  const int channel = dev::first_channel<N>();
  const auto m = norm::merge_shares<N>(from.mean, from.squares, from.shares, p.c, channel, shared,
                                       [&](std::int64_t share) { return from.count[share]; });
  norm::finish<N>(of, channel, m, p);
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
    const norm::Map<N> map(of, channel, p.eps);
    const auto load = [&](std::int64_t row) {
      return dev::load_pair<N>(x + row * p.c + channel, dy + row * p.c + channel);
    };
    dev::for_each_row<4>(p.rows, load, [&](std::int64_t row, const dev::PairBits<T, N>& bits) {
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
  const auto load = [&](std::int64_t row) {
    const std::int64_t at = row * p.c + channel;
    return dev::PairBits<T, N>{dev::load_bits<N>(x + at), dev::load_bits<N>(dy + at)};
  };
  dev::for_each_row<4>(p.rows, load, [&](std::int64_t row, const dev::PairBits<T, N>& bits) {
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
    cuda::launch(batch_norm_statistics_kernel<width, T>,
                 block.shape(block.shares(p.rows, batch_norm_most_shares(p.c)), 1, device.stream),
                 of, workspace, x, p);
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
