#pragma once
// The kernels of prelu.hpp. Grid and block are those of a RowBlock.

#include <mien/cuda/prelu.hpp>
#include <mien/cuda/rows.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

template <int N, class T>
MIEN_KERNEL(row_threads)
void prelu_kernel(T* y, const T* x, const float* slope, PreluParams p) {
  const int channel = dev::first_channel<N>();
  if (channel >= p.c) return;
  const auto of_channel = dev::channel_values<N>(slope, channel);
  dev::for_each_row<4>(
      p.rows, [&](std::int64_t row) { return dev::load_bits<N>(x + row * p.c + channel); },
      [&](std::int64_t row, const auto& bits) {
        auto v = dev::to_floats(bits);
        MIEN_UNROLL
        for (int k = 0; k < N; ++k) v[k] = v[k] > 0.0f ? v[k] : of_channel[k] * v[k];
        dev::store(y + row * p.c + channel, v);
      });
}

template <int N, class T>
MIEN_KERNEL(row_threads, 2)
void prelu_backward_kernel(T* dx, float* dslope, PreluWorkspace workspace, const T* x, const T* dy,
                           const float* slope, PreluParams p) {
  MIEN_SHARED(float, shared, [N * row_threads]);
  const int channel = dev::first_channel<N>();
  dev::Floats<N> sum = {};
  if (channel < p.c) {
    const auto of_channel = dev::channel_values<N>(slope, channel);
    const auto load = [&](std::int64_t row) {
      return dev::load_pair<N>(x + row * p.c + channel, dy + row * p.c + channel);
    };
    dev::for_each_row<4>(p.rows, load, [&](std::int64_t row, const dev::PairBits<T, N>& bits) {
      const auto v = dev::to_floats(bits.a);
      auto g = dev::to_floats(bits.b);
      MIEN_UNROLL
      for (int k = 0; k < N; ++k) {
        const bool positive = v[k] > 0.0f;
        sum[k] = positive ? sum[k] : fmaf(v[k], g[k], sum[k]);
        g[k] = positive ? g[k] : of_channel[k] * g[k];
      }
      dev::store(dx + row * p.c + channel, g);
    });
  }
  if (!dev::sum_over_grid<N>(sum, p.c, workspace.partial, workspace.blocks_done, shared)) return;
  MIEN_UNROLL
  for (int k = 0; k < N; ++k) dslope[channel + k] = sum[k];
}

template <Storage T>
void prelu(Cuda device, T* y, const T* x, const float* slope, const PreluParams& p) {
  if (p.rows * p.c == 0) return;
  with_width<pack_width<T>>(pack_aligned_rows(p.c, y, x), [&](auto width) {
    const auto block = RowBlock::of<width, T>(p.c);
    cuda::launch(prelu_kernel<width, T>,
                 block.shape(block.pass_shares(p.rows, 1), 1, device.stream), y, x, slope, p);
  });
}

template <Storage T>
void prelu_backward(Cuda device, T* dx, float* dslope, const PreluWorkspace& workspace, const T* x,
                    const T* dy, const float* slope, const PreluParams& p) {
  if (p.c == 0) return;
  check(aligned(32, workspace.partial), "prelu_backward",
        "expected partial sums aligned to 32 bytes");
  with_width<pack_width<T>>(pack_aligned_rows(p.c, dx, x, dy), [&](auto width) {
    const auto block = RowBlock::of<width, T>(p.c);
    cuda::launch(prelu_backward_kernel<width, T>,
                 block.shape(block.shares(p.rows, prelu_shares(p)), 1, device.stream), dx, dslope,
                 workspace, x, dy, slope, p);
  });
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
