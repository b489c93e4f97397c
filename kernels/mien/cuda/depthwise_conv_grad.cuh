#pragma once
// The kernels of depthwise_conv.hpp: gradients.

#include <limits>

#include <mien/cuda/depthwise_conv.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace depthwise {

// The data gradient of stride 2 goes down pairs of rows of dx, of which pair i, rows 2 i - top and
// 2 i - top + 1, ends with row i of dy; and along pairs of columns likewise.
struct Pairs {
  int first, count;
  MIEN_HD Pairs(int size, int pad)
      : first(pad / 2), count(size == 0 ? 0 : (size - 1 + pad) / 2 - pad / 2 + 1) {}
};

inline constexpr int pairs_strip = 4;   // pairs of columns of a thread
inline constexpr int pairs_strips = 4;  // threads beside each other in a block, at most

}  // namespace depthwise

// The data gradient of stride 2: a row of dy at a time, every pixel added to all of dx that lies
// under its window. p.rows is in pairs. Grid: (channels, parts of rows and columns, n); block
// (lanes of channels, strips).
template <int K, int V, class T>
MIEN_KERNEL(depthwise::most_threads)
void depthwise_data_grad2_kernel(T* dx, const T* dy, const T* w, DepthwiseConvParams p) {
  using namespace depthwise;
  constexpr int Q = pairs_strip, W = 2 * Q, N = Q + K / 2;
  const Pairs rows(p.h, p.pad_top), columns(p.w, p.pad_left);
  const int span = Q * static_cast<int>(blockDim.y), spans = (columns.count + span - 1) / span;
  const int block = static_cast<int>(blockIdx.y), channel = first_channel<V>();
  const int pair = block % spans * span + static_cast<int>(threadIdx.y) * Q;
  if (channel >= p.c || pair >= columns.count) return;
  dev::Floats<V> weights[K * K];
  load_weights<K, V>(weights, w + channel, p.c, false);

  const int part = block / spans * p.rows;
  const int first = rows.first + part, last = rows.first + min(part + p.rows, rows.count);
  const int column = 2 * (columns.first + pair) - p.pad_left;  // of dx
  const int left = columns.first + pair - K / 2;               // of dy
  int i = max(first - K / 2, min(first, 0));
  const std::int64_t row_size = std::int64_t{p.out_w} * p.c, out_size = std::int64_t{p.w} * p.c;
  Row<N, false, 0, V, T> in{.at = dy + (std::int64_t{blockIdx.z} * p.out_h + i) * row_size +
                                  std::int64_t{left} * p.c + channel,
                            .pixel = pixel_bytes<T>(p.c),
                            .from = -left,
                            .to = p.out_w - left};
  MIEN_UNROLL
  for (int c = 0; c < N; ++c) in.load_or_zero(c, i >= 0 && i < p.out_h);
  T* out = dx + (std::int64_t{blockIdx.z} * p.h + 2 * first - p.pad_top) * out_size +
           std::int64_t{column} * p.c + channel;
  Sums<K, W, V> sum = {};  // sum[u]: row 2 i - top + u of dx
  for (; i < last; ++i) {
    in.at += row_size;
    const bool inside = i + 1 >= 0 && i + 1 < p.out_h;
    MIEN_UNROLL
    for (int c = 0; c < N; ++c) {
      const dev::Floats<V> g = dev::to_floats(in.bits[c]);
      in.load_or_zero(c, inside);
      MIEN_UNROLL
      for (int j = 0; j < W; ++j) {
        const int v = j + K - 1 - 2 * c;
        if (v < 0 || v >= K) continue;
        if (v + 2 >= K) {  // the first pixel of this row that column j meets
          MIEN_UNROLL
          for (int u = 0; u < K; ++u) sum[u][j] = u + 2 < K ? sum[u + 2][j] : dev::Floats<V>{};
        }
        MIEN_UNROLL
        for (int u = 0; u < K; ++u) MIEN_UNROLL
        for (int k = 0; k < V; ++k) sum[u][j][k] = fmaf(g[k], weights[u * K + v][k], sum[u][j][k]);
      }
    }
    if (i < first) continue;
    MIEN_UNROLL
    for (int r = 0; r < 2; ++r) {
      const int row = 2 * i - p.pad_top + r;
      MIEN_UNROLL
      for (int j = 0; j < W; ++j)
        if (row >= 0 && row < p.h && column + j >= 0 && column + j < p.w)
          dev::store(dev::offset(out, static_cast<unsigned>(j), in.pixel), sum[r][j]);
      out += out_size;
    }
  }
}

namespace depthwise {

inline constexpr int weight_strips = 4;  // threads of a block that have the same channels

// How the images are cut. As arguments of the kernel, these numbers take no registers.
struct Cut {
  int across, parts, strips;  // strips in a row, parts of the rows, strips of all images
  int first_turn;             // that has a row of x
};

// What a thread adds to dw from a strip of an image: rows of dy stay in registers while the rows of
// x that they meet go by. In turn i, row i + A - 1 of dy takes the place of row i - 1.
template <int K, int S, bool Whole, int V, class T>
struct WeightGradStrip {
  static constexpr int W = strip_width<Whole>, N = (W - 1) * S + K, A = (K + S - 1) / S;
  static constexpr bool zero_rows = !Whole || S > 1;  // see depthwise_conv_kernel
  Row<N, Whole, K / 2, V, T> in;
  Row<W, Whole, 0, V, T> out;
  int i, turns, last;  // the next turn; past the last one; past the last row of dy
  dev::Floats<V> gradient[A][W] = {};

  // Before turn i; rows of dy count from `first` on.
  MIEN_DEV void begin(int first, const DepthwiseConvParams& p) {
    MIEN_UNROLL
    for (int a = 0; a < A; ++a) {
      const bool counts = i + a >= first && i + a < last;
      MIEN_UNROLL
      for (int j = 0; j < W; ++j) out.load_or_zero(j, counts);
      if (a == A - 1) break;
      MIEN_UNROLL
      for (int j = 0; j < W; ++j) gradient[a][j] = dev::to_floats(out.bits[j]);
      out.at += p.out_w * p.c;
    }
    const int row = i * S - p.pad_top + K - S;
    MIEN_UNROLL
    for (int c = 0; c < N; ++c) in.load_or_zero(c, row >= 0 && row < p.h);
  }

  // Turn i if there is one, with row i of dy at place `phase`.
  template <int phase>
  MIEN_DEV void turn(dev::Floats<V> (&sum)[K * K], const DepthwiseConvParams& p) {
    if (i >= turns) return;
    if constexpr (S == 2) add<phase, 0>(sum, p);  // which the newest row of dy has no part in
    MIEN_UNROLL
    for (int j = 0; j < W; ++j) gradient[(phase + A - 1) % A][j] = dev::to_floats(out.bits[j]);
    out.at += p.out_w * p.c;
    MIEN_UNROLL
    for (int j = 0; j < W; ++j) out.load_or_zero(j, i + A < last);
    add<phase, S - 1>(sum, p);
    ++i;
  }

  // A row of x to the sums, while the next one is loaded.
  template <int phase, int s>
  MIEN_DEV void add(dev::Floats<V> (&sum)[K * K], const DepthwiseConvParams& p) {
    const int next = i * S - p.pad_top + K - S + s + 1;
    in.at += zero_rows || i + 1 < turns ? p.w * p.c : 0;
    MIEN_UNROLL
    for (int c = 0; c < N; ++c) {
      const dev::Floats<V> x = dev::to_floats(in.bits[c]);
      if constexpr (zero_rows)
        in.load_or_zero(c, next >= 0 && next < p.h);
      else
        in.load(c);
      MIEN_UNROLL
      for (int j = 0; j < W; ++j) {
        const int v = c - j * S;
        if (v < 0 || v >= K) continue;
        MIEN_UNROLL
        for (int a = 0; a < A; ++a) {
          const int u = K - S + s - S * a;
          if (u < 0) continue;
          MIEN_UNROLL
          for (int k = 0; k < V; ++k)
            sum[u * K + v][k] = fmaf(x[k], gradient[(phase + a) % A][j][k], sum[u * K + v][k]);
        }
      }
    }
  }
};

}  // namespace depthwise

// A share of dw: partials (gridDim.y, K, K, c). p.rows is set. Shares take the strips of all parts
// of all images in turn. Grid: (channels, shares); block (lanes of channels,
// weight_strips).
template <int K, int S, bool Whole, int V, class T>
MIEN_KERNEL(depthwise::most_threads, K == 3 && S == 1 ? 4 : 3)
void depthwise_weight_grad_kernel(float* partials, const T* x, const T* dy, DepthwiseConvParams p,
                                  depthwise::Cut cut) {
  using namespace depthwise;
  using Strip = WeightGradStrip<K, S, Whole, V, T>;
  constexpr int W = Strip::W, A = Strip::A;
  dev::Floats<V> sum[K * K] = {};
  for (int at = static_cast<int>(blockIdx.y * weight_strips + threadIdx.y);
       at < cut.strips && first_channel<V>() < p.c;
       at += static_cast<int>(gridDim.y * weight_strips)) {
    const int column = at % cut.across * W, left = column * S - p.pad_left, part = at / cut.across;
    const int first = part % cut.parts * p.rows, last = min(first + p.rows, p.out_h);
    const std::int64_t image = part / cut.parts;
    const unsigned channel = static_cast<unsigned>(first_channel<V>());
    // Turns before this one meet no row of x, or none of dy; those from `turns` on neither.
    const int i = max(first - (A - 1), min(first, cut.first_turn));
    const int row = i * S - p.pad_top + K - S;
    Strip strip{.in = {.at = x + ((image * p.h + row) * p.w + left) * p.c + channel,
                       .pixel = pixel_bytes<T>(p.c),
                       .from = -left,
                       .to = p.w - left},
                .out = {.at = dy + ((image * p.out_h + i) * p.out_w + column) * p.c + channel,
                        .pixel = pixel_bytes<T>(p.c),
                        .from = 0,
                        .to = p.out_w - column},
                .i = i,
                .turns = Strip::zero_rows ? last : min(last, p.h + p.pad_top - K + 1),
                .last = last};
    strip.begin(first, p);
    while (strip.i < strip.turns) {
      strip.template turn<0>(sum, p);
      strip.template turn<1>(sum, p);
      if constexpr (A > 2) strip.template turn<2>(sum, p);
      if constexpr (A > 3) {
        strip.template turn<3>(sum, p);
        strip.template turn<4>(sum, p);
      }
    }
  }
  store_block_sums(partials + std::int64_t{blockIdx.y} * K * K * p.c, sum, p.c);
}

// --- launchers ----------------------------------------------------------------------------------

template <Storage T>
void depthwise_conv_data_grad(Cuda device, T* dx, const T* dy, const T* w, int kernel, int stride,
                              const DepthwiseConvParams& p) {
  using namespace depthwise;
  if (std::int64_t{p.n} * p.h * p.w * p.c == 0) return;
  with_kernel(kernel, stride, [&](auto k, auto s) {
    if constexpr (s == 1) {  // the convolution of dy by the weights turned around
      const DepthwiseConvParams back{
          p.n, p.out_h, p.out_w, p.c, p.h, p.w, k - 1 - p.pad_top, k - 1 - p.pad_left, p.rows};
      launch_conv<k, 1>(device, dx, dy, w, back, {}, true);
    } else {
      DepthwiseConvParams in_pairs = p;
      in_pairs.rows = static_cast<int>(ceil_div(rows_of_thread(p, p.h, p.w, resident_warps(k)), 2));
      const Pairs rows(p.h, p.pad_top), columns(p.w, p.pad_left);
      const unsigned strips = ceil_div(columns.count, pairs_strip),
                     beside = std::min<unsigned>(pairs_strips, strips),
                     parts = ceil_div(rows.count, in_pairs.rows) * ceil_div(strips, beside);
      with_width<channels<T>>(word_aligned(p.c, dx, dy, w), [&](auto v) {
        cuda::launch(depthwise_data_grad2_kernel<k, v, T>,
                     shape(p.c, v, beside, parts, p.n, device.stream), dx, dy, w, in_pairs);
      });
    }
  });
}

template <Storage T>
void depthwise_conv_weight_grad(Cuda device, T* dw, float* partials, const T* x, const T* dy,
                                int kernel, int stride, const DepthwiseConvParams& p) {
  using namespace depthwise;
  if (p.c == 0) return;
  const int shares = depthwise_weight_shares(p);
  with_kernel(kernel, stride, [&](auto k, auto s) {
    DepthwiseConvParams in_parts = p;
    in_parts.rows = rows_of_thread(p, p.out_h, p.out_w, weight_grad_warps);
    with_strips<k, s, T>(p, word_aligned(p.c, x, dy), [&](auto whole, auto v) {
      constexpr int strip = strip_width<whole>;
      Cut cut{static_cast<int>(ceil_div(p.out_w, strip)),
              static_cast<int>(ceil_div(p.out_h, in_parts.rows)), 0, (p.pad_top - k + 1) / s};
      const std::int64_t strips = std::int64_t{p.n} * cut.parts * cut.across;
      const std::int64_t row = std::int64_t{std::max(p.w, p.out_w)} * p.c;
      constexpr std::int64_t most = std::numeric_limits<int>::max() / 2;
      check(strips <= most && row <= most, "depthwise_conv_weight_grad", "expected up to ", most,
            " strips and elements of a row, got ", strips, " and ", row);
      cut.strips = static_cast<int>(strips);
      cuda::launch(depthwise_weight_grad_kernel<k, s, whole, v, T>,
                   shape(p.c, v, weight_strips, static_cast<unsigned>(shares), 1, device.stream),
                   partials, x, dy, in_parts, cut);
    });
  });
  const std::int64_t size = std::int64_t{kernel} * kernel * p.c;
  launch_sum(device, dw, partials, 1, shares, size, 1.0f);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
