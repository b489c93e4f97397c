#pragma once
// The kernels of depthwise_conv.hpp.

#include <mien/cuda/depthwise_conv.hpp>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// A thread has V channels of `tile_w` neighbouring pixels in a few rows, and the weights of its
// channels in registers; a warp has 32 V neighbouring channels, so that every access is of whole
// sectors. Rows of a window come K times, from the first-level cache after the first.

namespace depthwise {

// The first channel of this thread; beyond c for threads that have none.
template <int V>
MIEN_DEV int first_channel() {
  return static_cast<int>(blockIdx.y * dev::warp_size + threadIdx.x) * V;
}

template <int K, int V, class T>
MIEN_DEV void load_weights(dev::Floats<V> (&weights)[K * K], const T* w, int c, bool turned) {
  MIEN_UNROLL
  for (int i = 0; i < K * K; ++i) weights[i] = dev::load<V>(w + (turned ? K * K - 1 - i : i) * c);
}

// Pixels [first, first + N) of a row of w pixels, zeros outside of it.
template <int N, int V, class T>
MIEN_DEV void load_row(dev::Floats<V> (&to)[N], const T* row, int first, int w, int c) {
  MIEN_UNROLL
  for (int i = 0; i < N; ++i) {
    const int at = first + i;
    if (at >= 0 && at < w)
      to[i] = dev::load<V>(row + std::int64_t{at} * c);
    else
      to[i] = {};
  }
}

// `sum` of all warps, in order, to the V channels of `to` from `channel` on. All threads call it.
template <int V>
MIEN_DEV void store_block_sum(float* to, const dev::Floats<V>& sum, int channel, int c) {
  MIEN_SHARED(float, sums, [warps][dev::warp_size * V]);
  const int first = static_cast<int>(threadIdx.x) * V;
  MIEN_UNROLL
  for (int k = 0; k < V; ++k) sums[threadIdx.y][first + k] = sum[k];
  __syncthreads();
  if (threadIdx.y == 0 && channel < c) {
    MIEN_UNROLL
    for (int k = 0; k < V; ++k) {
      float total = 0;
      for (int i = 0; i < warps; ++i) total += sums[i][first + k];
      to[channel + k] = total;
    }
  }
  __syncthreads();  // the next call writes them anew
}

}  // namespace depthwise

// y from x; with `turned` weights the data gradient of stride 1. Grid: (tiles / warps, channels /
// (32 V), n); block (32, warps).
template <int K, int S, int V, class T>
MIEN_KERNEL(dev::warp_size* depthwise::warps)
void depthwise_conv_kernel(T* y, const T* x, const T* w, DepthwiseConvParams p,
                           DepthwiseConvEpilogue e, bool turned) {
  using namespace depthwise;
  constexpr int inputs = (tile_w - 1) * S + K;
  const Tiles tiles(p.out_h, p.out_w);
  const int tile = static_cast<int>(blockIdx.x * warps + threadIdx.y), channel = first_channel<V>();
  dev::Floats<V> pooled = {};
  if (tile < tiles.count && channel < p.c) {
    dev::Floats<V> weights[K * K], scale, shift;
    load_weights<K, V>(weights, w + channel, p.c, turned);
    MIEN_UNROLL
    for (int k = 0; k < V; ++k) {
      scale[k] = e.scale != nullptr ? e.scale[channel + k] : 1.0f;
      shift[k] = e.shift != nullptr ? e.shift[channel + k] : 0.0f;
    }
    const T* image = x + std::int64_t{blockIdx.z} * p.h * p.w * p.c + channel;
    T* out = y + std::int64_t{blockIdx.z} * p.out_h * p.out_w * p.c + channel;
    const int first_row = tile / tiles.across * tile_h, first = tile % tiles.across * tile_w;
    for (int row = first_row; row < first_row + tile_h && row < p.out_h; ++row) {
      dev::Floats<V> sum[tile_w] = {};
      MIEN_UNROLL
      for (int u = 0; u < K; ++u) {
        const int at = row * S - p.pad_top + u;
        if (at < 0 || at >= p.h) continue;
        dev::Floats<V> in[inputs];
        load_row<inputs, V>(in, image + std::int64_t{at} * p.w * p.c, first * S - p.pad_left, p.w,
                            p.c);
        MIEN_UNROLL
        for (int v = 0; v < K; ++v) MIEN_UNROLL
        for (int j = 0; j < tile_w; ++j) MIEN_UNROLL
        for (int k = 0; k < V; ++k)
          sum[j][k] = fmaf(in[j * S + v][k], weights[u * K + v][k], sum[j][k]);
      }
      MIEN_UNROLL
      for (int j = 0; j < tile_w; ++j) {
        if (first + j >= p.out_w) continue;
        MIEN_UNROLL
        for (int k = 0; k < V; ++k) {
          float value = fmaf(sum[j][k], scale[k], shift[k]);
          if (e.silu) value *= dev::sigmoid(value);
          pooled[k] += value;
          sum[j][k] = value;
        }
        dev::store(out + (std::int64_t{row} * p.out_w + first + j) * p.c, sum[j]);
      }
    }
  }
  if (e.pool_partials != nullptr)
    store_block_sum<V>(e.pool_partials + (std::int64_t{blockIdx.z} * gridDim.x + blockIdx.x) * p.c,
                       pooled, channel, p.c);
}

// The data gradient of stride 2, every pixel of dx from the pixels of dy whose windows it lies in.
// Odd: whether pad_left is; the columns of dy that a tile meets are then known at compile time.
template <int K, bool Odd, int V, class T>
MIEN_KERNEL(dev::warp_size* depthwise::warps)
void depthwise_data_grad2_kernel(T* dx, const T* dy, const T* w, DepthwiseConvParams p) {
  using namespace depthwise;
  // Column ix = first + j gets, by tap v, what lies at column (ix + pad_left - v) / 2 of dy.
  constexpr int lowest = -(K / 2), highest = (tile_w - 1 + (Odd ? 1 : 0)) / 2;
  const Tiles tiles(p.h, p.w);
  const int tile = static_cast<int>(blockIdx.x * warps + threadIdx.y), channel = first_channel<V>();
  if (tile >= tiles.count || channel >= p.c) return;
  dev::Floats<V> weights[K * K];
  load_weights<K, V>(weights, w + channel, p.c, false);
  const T* gradient = dy + std::int64_t{blockIdx.z} * p.out_h * p.out_w * p.c + channel;
  T* out = dx + std::int64_t{blockIdx.z} * p.h * p.w * p.c + channel;
  const int first_row = tile / tiles.across * tile_h, first = tile % tiles.across * tile_w;
  const int middle = (first + p.pad_left - (Odd ? 1 : 0)) / 2;
  for (int row = first_row; row < first_row + tile_h && row < p.h; ++row) {
    dev::Floats<V> sum[tile_w] = {};
    MIEN_UNROLL
    for (int u = 0; u < K; ++u) {
      const int twice = row + p.pad_top - u;
      if (twice < 0 || twice % 2 != 0 || twice / 2 >= p.out_h) continue;
      dev::Floats<V> in[highest - lowest + 1];
      load_row<highest - lowest + 1, V>(in, gradient + std::int64_t{twice / 2} * p.out_w * p.c,
                                        middle + lowest, p.out_w, p.c);
      MIEN_UNROLL
      for (int v = 0; v < K; ++v) MIEN_UNROLL
      for (int j = 0; j < tile_w; ++j) {
        const int offset = j + (Odd ? 1 : 0) - v;
        if (offset % 2 != 0) continue;
        MIEN_UNROLL
        for (int k = 0; k < V; ++k)
          sum[j][k] = fmaf(in[offset / 2 - lowest][k], weights[u * K + v][k], sum[j][k]);
      }
    }
    MIEN_UNROLL
    for (int j = 0; j < tile_w; ++j)
      if (first + j < p.w) dev::store(out + (std::int64_t{row} * p.w + first + j) * p.c, sum[j]);
  }
}

// A share of dw: partials (gridDim.x, K, K, c). Grid: (shares, channels / (32 V)); block (32,
// warps). Shares take the tiles of all images in turn.
template <int K, int S, int V, class T>
MIEN_KERNEL(dev::warp_size* depthwise::warps)
void depthwise_weight_grad_kernel(float* partials, const T* x, const T* dy, DepthwiseConvParams p) {
  using namespace depthwise;
  constexpr int inputs = (tile_w - 1) * S + K;
  const Tiles tiles(p.out_h, p.out_w);
  const int channel = first_channel<V>();
  dev::Floats<V> sum[K * K] = {};
  const std::int64_t all = std::int64_t{p.n} * tiles.count;
  for (std::int64_t i = std::int64_t{blockIdx.x} * warps + threadIdx.y; i < all && channel < p.c;
       i += std::int64_t{gridDim.x} * warps) {
    const int image = static_cast<int>(i / tiles.count), tile = static_cast<int>(i % tiles.count);
    const T* in_image = x + std::int64_t{image} * p.h * p.w * p.c + channel;
    const T* gradient = dy + std::int64_t{image} * p.out_h * p.out_w * p.c + channel;
    const int first_row = tile / tiles.across * tile_h, first = tile % tiles.across * tile_w;
    for (int row = first_row; row < first_row + tile_h && row < p.out_h; ++row) {
      dev::Floats<V> g[tile_w];
      load_row<tile_w, V>(g, gradient + std::int64_t{row} * p.out_w * p.c, first, p.out_w, p.c);
      MIEN_UNROLL
      for (int u = 0; u < K; ++u) {
        const int at = row * S - p.pad_top + u;
        if (at < 0 || at >= p.h) continue;
        dev::Floats<V> in[inputs];
        load_row<inputs, V>(in, in_image + std::int64_t{at} * p.w * p.c, first * S - p.pad_left,
                            p.w, p.c);
        MIEN_UNROLL
        for (int v = 0; v < K; ++v) MIEN_UNROLL
        for (int j = 0; j < tile_w; ++j) MIEN_UNROLL
        for (int k = 0; k < V; ++k)
          sum[u * K + v][k] = fmaf(in[j * S + v][k], g[j][k], sum[u * K + v][k]);
      }
    }
  }
  MIEN_UNROLL
  for (int i = 0; i < K * K; ++i)
    store_block_sum<V>(partials + (std::int64_t{blockIdx.x} * K * K + i) * p.c, sum[i], channel,
                       p.c);
}

// to(image, i) = factor * the sum over shares of from(image, share, i), i < size, in order. Grid:
// (size / 256, images).
template <class T>
MIEN_KERNEL(pack_threads)
void sum_shares_kernel(T* to, const float* from, int shares, std::int64_t size, float factor) {
  const std::int64_t i = std::int64_t{blockIdx.x} * pack_threads + threadIdx.x;
  if (i >= size) return;
  from += std::int64_t{blockIdx.y} * shares * size + i;
  float sum = 0;
  for (int share = 0; share < shares; ++share) sum += from[share * size];
  dev::from_float(to[blockIdx.y * size + i], factor * sum);
}

// --- launchers ----------------------------------------------------------------------------------

namespace depthwise {

// Of tiles of a map of h x w pixels.
inline cuda::LaunchShape shape(const DepthwiseConvParams& p, int h, int w, int width,
                               cuda::Stream stream) {
  return {.grid = {ceil_div(Tiles(h, w).count, warps), ceil_div(p.c, dev::warp_size * width),
                   static_cast<unsigned>(p.n)},
          .block = {dev::warp_size, warps},
          .stream = stream};
}

// Calls f(Width): channels of a thread. Two make an access of a warp at least 128 bytes.
template <class T, class... Pointers, class F>
void with_width(const DepthwiseConvParams& p, F&& f, const Pointers*... pointers) {
  const bool pairs =
      p.c % 2 == 0 && ((reinterpret_cast<std::uintptr_t>(pointers) | ...) % (2 * sizeof(T))) == 0;
  pairs ? f(dev::Width<2>()) : f(dev::Width<1>());
}

// Calls f(Width of the kernel, Width of the stride).
template <class F>
void with_kernel(int kernel, int stride, F&& f) {
  check((kernel == 3 || kernel == 5) && (stride == 1 || stride == 2), "depthwise_conv",
        "kernels of 3 or 5 and strides of 1 or 2 are there, not ", kernel, " and ", stride);
  const auto with_stride = [&](auto k) {
    stride == 1 ? f(k, dev::Width<1>()) : f(k, dev::Width<2>());
  };
  kernel == 3 ? with_stride(dev::Width<3>()) : with_stride(dev::Width<5>());
}

}  // namespace depthwise

template <Storage T>
void depthwise_conv(Cuda device, T* y, const T* x, const T* w, int kernel, int stride,
                    const DepthwiseConvParams& p, const DepthwiseConvEpilogue& e) {
  if (std::int64_t{p.n} * p.out_h * p.out_w * p.c == 0) return;
  depthwise::with_kernel(kernel, stride, [&](auto k, auto s) {
    depthwise::with_width<T>(
        p,
        [&](auto v) {
          cuda::launch(depthwise_conv_kernel<k, s, v, T>,
                       depthwise::shape(p, p.out_h, p.out_w, v, device.stream), y, x, w, p, e,
                       false);
        },
        y, x, w);
  });
}

template <Storage T>
void depthwise_pool(Cuda device, T* pooled, const float* partials, const DepthwiseConvParams& p) {
  if (std::int64_t{p.n} * p.c == 0) return;
  cuda::launch(sum_shares_kernel<T>,
               {.grid = {ceil_div(p.c, pack_threads), static_cast<unsigned>(p.n)},
                .block = pack_threads,
                .stream = device.stream},
               pooled, partials, depthwise_pool_blocks(p), p.c,
               1.0f / (static_cast<float>(p.out_h) * static_cast<float>(p.out_w)));
}

template <Storage T>
void depthwise_conv_data_grad(Cuda device, T* dx, const T* dy, const T* w, int kernel, int stride,
                              const DepthwiseConvParams& p) {
  if (std::int64_t{p.n} * p.h * p.w * p.c == 0) return;
  depthwise::with_kernel(kernel, stride, [&](auto k, auto s) {
    depthwise::with_width<T>(
        p,
        [&](auto v) {
          const auto shape = depthwise::shape(p, p.h, p.w, v, device.stream);
          if constexpr (s == 1) {  // the convolution of dy by the weights turned around
            const DepthwiseConvParams back{p.n, p.out_h, p.out_w,           p.c,
                                           p.h, p.w,     k - 1 - p.pad_top, k - 1 - p.pad_left};
            cuda::launch(depthwise_conv_kernel<k, 1, v, T>, shape, dx, dy, w, back,
                         DepthwiseConvEpilogue{}, true);
          } else {
            const auto gradient = p.pad_left % 2 != 0 ? depthwise_data_grad2_kernel<k, true, v, T>
                                                      : depthwise_data_grad2_kernel<k, false, v, T>;
            cuda::launch(gradient, shape, dx, dy, w, p);
          }
        },
        dx, dy, w);
  });
}

template <Storage T>
void depthwise_conv_weight_grad(Cuda device, T* dw, float* partials, const T* x, const T* dy,
                                int kernel, int stride, const DepthwiseConvParams& p) {
  if (p.c == 0) return;
  const int shares = depthwise_weight_shares(p);
  depthwise::with_kernel(kernel, stride, [&](auto k, auto s) {
    depthwise::with_width<T>(
        p,
        [&](auto v) {
          cuda::launch(depthwise_weight_grad_kernel<k, s, v, T>,
                       {.grid = {static_cast<unsigned>(shares), ceil_div(p.c, dev::warp_size * v)},
                        .block = {dev::warp_size, depthwise::warps},
                        .stream = device.stream},
                       partials, x, dy, p);
        },
        x, dy);
  });
  const std::int64_t size = std::int64_t{kernel} * kernel * p.c;
  cuda::launch(
      sum_shares_kernel<T>,
      {.grid = ceil_div(size, pack_threads), .block = pack_threads, .stream = device.stream}, dw,
      partials, shares, size, 1.0f);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
