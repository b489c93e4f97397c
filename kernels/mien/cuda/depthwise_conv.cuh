#pragma once
// The kernels of depthwise_conv.hpp: forward and pooled means.

#include <mien/cuda/depthwise_strip.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace depthwise {

// The weights of V channels from `channel` on, with their scale, and their shift.
template <int K, int V, class T>
MIEN_DEV void load_folded(dev::Floats<V> (&weights)[K * K], dev::Floats<V>& shift, const T* w,
                          const DepthwiseConvEpilogue& e, int channel, int c, bool turned) {
  load_weights<K, V>(weights, w + channel, c, turned);
  MIEN_UNROLL
  for (int k = 0; k < V; ++k) {
    shift[k] = e.shift != nullptr ? e.shift[channel + k] : 0.0f;
    const float scale = e.scale != nullptr ? e.scale[channel + k] : 1.0f;
    MIEN_UNROLL
    for (int i = 0; i < K * K; ++i) weights[i][k] *= scale;
  }
}

// The outputs of a row from `out` on, of which `columns` are inside the image, from their sums.
template <bool Whole, int W, int V, class T>
MIEN_DEV void finish_row(T* out, unsigned pixel, dev::Floats<V> (&sum)[W], int columns,
                         const DepthwiseConvEpilogue& e, dev::Floats<V>& pooled) {
  if (e.silu) {
    MIEN_UNROLL
    for (int j = 0; j < W; ++j) MIEN_UNROLL
    for (int k = 0; k < V; ++k) sum[j][k] = dev::silu(sum[j][k]);
  }
  if (e.pool_partials != nullptr) {
    MIEN_UNROLL
    for (int j = 0; j < W; ++j) MIEN_UNROLL
    for (int k = 0; k < V; ++k)
      if (Whole || j < columns) pooled[k] += sum[j][k];
  }
  MIEN_UNROLL
  for (int j = 0; j < W; ++j)
    if (Whole || j < columns) dev::store(dev::offset(out, static_cast<unsigned>(j), pixel), sum[j]);
}

// One thread's outputs: V channels, a strip from `column` on, rows [first, last). Adds what they
// sum up to to `pooled`.
template <int K, int S, bool Whole, int V, class T>
MIEN_DEV void convolve_strip(T* y, const T* x, const T* w, const DepthwiseConvParams& p,
                             const DepthwiseConvEpilogue& e, bool turned, int channel, int column,
                             int first, int last, dev::Floats<V>& pooled) {
  constexpr int W = strip_width<Whole>, N = (W - 1) * S + K, A = (K + S - 1) / S;
  // Rows beside the image are left out, or zeros where that would cost registers to be moved.
  constexpr bool zero_rows = !Whole || S > 1;
  dev::Floats<V> weights[K * K], shift;
  load_folded<K, V>(weights, shift, w, e, channel, p.c, turned);
  // Outputs of row i end with input row i S - top + K - 1; those before `first` warm up.
  int i = max(first - (A - 1), min(first, (p.pad_top - K + 1) / S));
  int row = i * S - p.pad_top + K - S;
  const int left = column * S - p.pad_left, end = min(p.h, (last - 1) * S - p.pad_top + K);
  const std::int64_t row_size = std::int64_t{p.w} * p.c;
  Row<N, Whole, K / 2, V, T> in{.at = x + (std::int64_t{blockIdx.z} * p.h + row) * row_size +
                                      std::int64_t{left} * p.c + channel,
                                .pixel = pixel_bytes<T>(p.c),
                                .from = -left,
                                .to = p.w - left};
  const auto row_inside = [&] { return row >= 0 && row < p.h; };
  MIEN_UNROLL
  for (int c = 0; c < N; ++c) in.load_or_zero(c, row_inside());

  T* out = y + ((std::int64_t{blockIdx.z} * p.out_h + first) * p.out_w + column) * p.c + channel;
  Sums<A, W, V> sum;
  MIEN_UNROLL
  for (int a = 0; a < A; ++a) MIEN_UNROLL
  for (int j = 0; j < W; ++j) sum[a][j] = shift;

  const auto add = [&](auto s) {
    ++row;
    if constexpr (zero_rows) {
      in.at += row_size;
      const bool inside = row_inside();
      add_row<K, S, s, A, W, V>(sum, in, weights, shift,
                                [&](int c) { in.load_or_zero(c, inside); });
    } else {
      in.at += row < end ? row_size : 0;  // the last row once more rather than one outside
      add_row<K, S, s, A, W, V>(sum, in, weights, shift, [&](int c) { in.load(c); });
    }
  };
  const auto finish = [&] {
    if (i < first) return;
    finish_row<Whole>(out, in.pixel, sum[0], p.out_w - column, e, pooled);
    out += std::int64_t{p.out_w} * p.c;
  };
  const int last_added = zero_rows ? last : min(last, p.h + p.pad_top - K + 1);
  for (; i < last_added; ++i) {
    if constexpr (S == 2) add(dev::Width<0>());
    add(dev::Width<S - 1>());
    finish();
  }
  for (; !zero_rows && i < last; ++i) {
    MIEN_UNROLL
    for (int j = 0; j < W; ++j) next_row<A, W, V>(sum, j, shift);
    finish();
  }
}

}  // namespace depthwise

// y from x; with `turned` weights the data gradient of stride 1. p.rows is set. Grid: (channels,
// parts of the rows and spans of columns, n); block (lanes of channels, strips).
template <int K, int S, bool Whole, int V, class T>
MIEN_KERNEL(depthwise::most_threads, K == 3 ? 5 : 3)
void depthwise_conv_kernel(T* y, const T* x, const T* w, DepthwiseConvParams p,
                           DepthwiseConvEpilogue e, bool turned) {
  using namespace depthwise;
  const int spans = (p.out_w + span - 1) / span, block = static_cast<int>(blockIdx.y);
  const int column = block % spans * span + static_cast<int>(threadIdx.y) * strip_width<Whole>;
  const int first = block / spans * p.rows, last = min(first + p.rows, p.out_h);
  const int channel = first_channel<V>();
  dev::Floats<V> pooled[1] = {};
  if (channel < p.c && column < p.out_w)
    convolve_strip<K, S, Whole, V>(y, x, w, p, e, turned, channel, column, first, last, pooled[0]);
  if (e.pool_partials != nullptr)
    store_block_sums(e.pool_partials + (std::int64_t{blockIdx.z} * gridDim.y + blockIdx.y) * p.c,
                     pooled, p.c);
}

// to(image, i) = factor * the sum over shares of from(image, share, i), i < size. A thread adds
// every share_threads-th one, and the first the threads' sums: the order is fixed. Grid: (size /
// 32, images); block (32, share_threads).
inline constexpr int share_threads = 8;
template <class T>
MIEN_KERNEL(dev::warp_size* share_threads)
void sum_shares_kernel(T* to, const float* from, int shares, std::int64_t size, float factor) {
  MIEN_SHARED(float, sums, [share_threads][dev::warp_size]);
  const std::int64_t i = std::int64_t{blockIdx.x} * dev::warp_size + threadIdx.x;
  from += std::int64_t{blockIdx.y} * shares * size + i;
  float sum = 0;
  if (i < size)
    for (int share = static_cast<int>(threadIdx.y); share < shares; share += share_threads)
      sum += from[share * size];
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || i >= size) return;
  for (int k = 1; k < share_threads; ++k) sum += sums[k][threadIdx.x];
  dev::from_float(to[blockIdx.y * size + i], factor * sum);
}

// --- launchers ----------------------------------------------------------------------------------

namespace depthwise {

// Threads of a block along `groups` of channels, beside `strips`: the multiple of 8, which is a
// sector, that leaves fewest lanes of warps idle.
inline unsigned lanes_of_block(unsigned groups, unsigned strips) {
  unsigned best = 8, least = ~0u;
  for (unsigned lanes = std::min(64u, most_threads / strips / 8 * 8); lanes >= 8; lanes -= 8) {
    const unsigned warps = ceil_div(lanes * strips, dev::warp_size) * ceil_div(groups, lanes);
    if (warps < least) {
      best = lanes;
      least = warps;
    }
  }
  return best;
}

// Blocks of `strips` threads beside each other; `parts` of them for every one of `images`.
inline cuda::LaunchShape shape(int c, unsigned width, unsigned strips, unsigned parts, int images,
                               cuda::Stream stream) {
  const unsigned groups = ceil_div(c, width), lanes = lanes_of_block(groups, strips);
  return {.grid = {ceil_div(groups, lanes), parts, static_cast<unsigned>(images)},
          .block = {lanes, strips},
          .stream = stream};
}

// Whether pixels can be accessed in words of 4 bytes: the channels of a thread, else one.
template <class... T>
bool word_aligned(int c, const T*... pointers) {
  return ((c % channels<T> == 0) && ...) && aligned(4, pointers...);
}

// Calls f(whether strips are Whole, Width of the channels of a thread); narrow ones never are.
template <int K, int S, class T, class F>
void with_strips(const DepthwiseConvParams& p, bool words, const F& f) {
  const int right = (p.out_w - 1) * S - p.pad_left + K - p.w;
  const auto little = [](int padding) { return padding <= K / 2; };
  const bool whole = p.h > 0 && p.w > 0 && p.out_w % strip_width<true> == 0 && p.pad_top >= 0 &&
                     little(p.pad_top) && little(p.pad_left) && little(right);
  with_width<channels<T>>(words, [&](auto v) {
    if constexpr (v == channels<T>) {
      if (whole) return f(std::true_type(), v);
    }
    f(std::false_type(), v);
  });
}

// Calls f(Width of the kernel, Width of the stride).
template <class F>
void with_kernel(int kernel, int stride, const F& f) {
  check((kernel == 3 || kernel == 5) && (stride == 1 || stride == 2), "depthwise_conv",
        "expected a kernel of 3 or 5 and a stride of 1 or 2, got ", kernel, " and ", stride);
  const auto with_stride = [&](auto k) {
    stride == 1 ? f(k, dev::Width<1>()) : f(k, dev::Width<2>());
  };
  kernel == 3 ? with_stride(dev::Width<3>()) : with_stride(dev::Width<5>());
}

// The convolution, by weights turned around where that is its gradient.
template <int K, int S, class T>
void launch_conv(Cuda device, T* y, const T* x, const T* w, DepthwiseConvParams p,
                 const DepthwiseConvEpilogue& e, bool turned) {
  p.rows = rows_of_thread(p, p.out_h, p.out_w, resident_warps(K));
  const unsigned parts = ceil_div(p.out_h, p.rows) * ceil_div(p.out_w, span);
  with_strips<K, S, T>(p, word_aligned(p.c, y, x, w), [&](auto whole, auto v) {
    constexpr unsigned strip = strip_width<whole>;
    const unsigned strips = std::min(ceil_div(span, strip), ceil_div(p.out_w, strip));
    cuda::launch(depthwise_conv_kernel<K, S, whole, v, T>,
                 shape(p.c, v, strips, parts, p.n, device.stream), y, x, w, p, e, turned);
  });
}

template <class T>
void launch_sum(Cuda device, T* to, const float* from, int images, int shares, std::int64_t size,
                float factor) {
  cuda::launch(sum_shares_kernel<T>,
               {.grid = {ceil_div(size, dev::warp_size), static_cast<unsigned>(images)},
                .block = {dev::warp_size, share_threads},
                .stream = device.stream},
               to, from, shares, size, factor);
}

}  // namespace depthwise

template <Storage T>
void depthwise_conv(Cuda device, T* y, const T* x, const T* w, int kernel, int stride,
                    const DepthwiseConvParams& p, const DepthwiseConvEpilogue& e) {
  if (std::int64_t{p.n} * p.out_h * p.out_w * p.c == 0) return;
  depthwise::with_kernel(kernel, stride, [&](auto k, auto s) {
    depthwise::launch_conv<k, s>(device, y, x, w, p, e, false);
  });
}

template <Storage T>
void depthwise_pool(Cuda device, T* pooled, const float* partials, int kernel,
                    const DepthwiseConvParams& p) {
  if (std::int64_t{p.n} * p.c == 0) return;
  depthwise::launch_sum(device, pooled, partials, p.n, depthwise_pool_blocks(p, kernel), p.c,
                        1.0f / (static_cast<float>(p.out_h) * static_cast<float>(p.out_w)));
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
