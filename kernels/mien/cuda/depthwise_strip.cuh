#pragma once
// The parts of depthwise convolutions that go down strips of an image.

#include <mien/cuda/depthwise_conv.hpp>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// A thread has V channels of a strip of neighbouring columns and goes down its rows. It has the
// weights and the sums of all rows that are begun in registers, and meets every pixel of its strip
// once: loads it while the row before is computed, converts it, and adds it to all sums that it is
// part of. V makes an access of a thread 4 bytes; neighbouring threads have neighbouring channels.
//
// What is bound by issue slots is kept out of that loop: strips that are `Whole` (no output beside
// the image, no more than K / 2 columns of padding) test their edge columns alone, and one address
// takes one instruction. Widths that are multiples of 7 take that path.

namespace depthwise {

inline constexpr int most_threads = 128;  // of a block; three are resident at 168 registers

template <bool Whole>
inline constexpr int strip_width = Whole ? 7 : 4;

// Channels of a thread.
template <class T>
inline constexpr int channels = 4 / static_cast<int>(sizeof(T));

MIEN_DEV inline int min(int a, int b) { return a < b ? a : b; }
MIEN_DEV inline int max(int a, int b) { return a < b ? b : a; }

// The first channel of this thread; beyond c for threads that have none.
template <int V>
MIEN_DEV int first_channel() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
}

// Bytes from a pixel to the next. threadIdx.z, zero, makes it a thread's own number: see
// dev::offset.
template <class T>
MIEN_DEV unsigned pixel_bytes(int c) {
  return static_cast<unsigned>(c) * static_cast<unsigned>(sizeof(T)) + threadIdx.z;
}

// N columns of the row at `at`, as it lies in memory. Columns outside [from, to) are zero and never
// loaded; of a Whole strip only `Edge` columns at both ends can be.
template <int N, bool Whole, int Edge, int V, class T>
struct Row {
  const T* at;  // where column 0 is, or would be
  unsigned pixel;
  int from, to;
  dev::Bits<T, V> bits[N] = {};

  MIEN_DEV bool inside(int i) const {
    const bool after_first = (Whole && i >= Edge) || i >= from;
    return after_first && ((Whole && i < N - Edge) || i < to);
  }
  MIEN_DEV void load(int i) {
    if (inside(i)) bits[i] = dev::load_bits<V>(dev::offset(at, static_cast<unsigned>(i), pixel));
  }
  MIEN_DEV void load_or_zero(int i, bool row_inside) {
    bits[i] = {};
    if (row_inside) load(i);
  }
};

template <int K, int V, class T>
MIEN_DEV void load_weights(dev::Floats<V> (&weights)[K * K], const T* w, int c, bool turned) {
  MIEN_UNROLL
  for (int i = 0; i < K * K; ++i) weights[i] = dev::load<V>(w + (turned ? K * K - 1 - i : i) * c);
}

// The M sums of V channels, added up over threadIdx.y, in order, to `to` (M, c). All threads of the
// block call it, once in a kernel.
template <int M, int V>
MIEN_DEV void store_block_sums(float* to, const dev::Floats<V> (&sum)[M], int c) {
  MIEN_SHARED(float, sums, [M][most_threads * V]);
  const int row = static_cast<int>(blockDim.x) * V,
            threads = row / V * static_cast<int>(blockDim.y);
  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  MIEN_UNROLL
  for (int m = 0; m < M; ++m) MIEN_UNROLL
  for (int k = 0; k < V; ++k) sums[m][thread * V + k] = sum[m][k];
  __syncthreads();
  for (int i = thread; i < M * row; i += threads) {
    const int m = i / row, channel = static_cast<int>(blockIdx.x) * row + i % row;
    float total = 0;
    for (int y = 0; y < static_cast<int>(blockDim.y); ++y) total += sums[m][y * row + i % row];
    if (channel < c) to[m * c + channel] = total;
  }
}

// Sums of the outputs of A rows, of which sum[0] is nearest to its end.
template <int A, int W, int V>
using Sums = dev::Floats<V>[A][W];

// Column j on to the next row of outputs. In registers this is renaming: the multiply-adds that
// follow write what they read one row further down.
template <int A, int W, int V>
MIEN_DEV void next_row(Sums<A, W, V>& sum, int j, const dev::Floats<V>& start) {
  MIEN_UNROLL
  for (int a = 0; a + 1 < A; ++a) sum[a][j] = sum[a + 1][j];
  sum[A - 1][j] = start;
}

// Adds input row s of the S rows that one row of outputs is further down, and loads the row after
// it meanwhile, by load(column).
template <int K, int S, int s, int A, int W, int V, class Row, class Load>
MIEN_DEV void add_row(Sums<A, W, V>& sum, Row& in, const dev::Floats<V> (&weights)[K * K],
                      const dev::Floats<V>& start, const Load& load) {
  MIEN_UNROLL
  for (int i = 0; i < (W - 1) * S + K; ++i) {
    const dev::Floats<V> x = dev::to_floats(in.bits[i]);
    load(i);
    MIEN_UNROLL
    for (int j = 0; j < W; ++j) {
      const int v = i - j * S;
      if (v < 0 || v >= K) continue;
      if (s == 0 && v == 0) next_row<A, W, V>(sum, j, start);
      MIEN_UNROLL
      for (int a = 0; a < A; ++a) {
        const int u = K - S + s - S * a;
        if (u < 0) continue;
        MIEN_UNROLL
        for (int k = 0; k < V; ++k) sum[a][j][k] = fmaf(x[k], weights[u * K + v][k], sum[a][j][k]);
      }
    }
  }
}

}  // namespace depthwise

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
