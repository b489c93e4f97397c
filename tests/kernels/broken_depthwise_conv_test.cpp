// Copies of the depthwise convolution (3 x 3, stride 1, pooled sums), each with one bug, and the
// proof that the checks of depthwise_conv_test.cpp find it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/cuda/depthwise_conv.cuh>
#include <support/backend.hpp>
#if defined(MIEN_SIMT)
#include <simt/sanitizer.hpp>
#endif

namespace mien::kernels {
namespace {

enum class Bug {
  none,
  no_barrier,       // between the threads' pooled sums and their total
  tail_as_strip,    // columns beside the image are stored, onto the next row
  tail_left_out,    // the last strip, where it is not whole
  wide_halo,        // the first and the last column of the image count as padding
  row_kept,         // the sums of a finished row go on
  skipped_warm_up,  // a part begins at its own first row, without those that its windows reach up
                    // to
};

constexpr int threads_x = 32, threads_y = 4;

// The second row of threads adds up: the last one neither in order nor in reverse.
template <Bug bug>
MIEN_DEV void store_pooled(float* to, float sum, int c) {
  MIEN_SHARED(float, sums, [threads_y][threads_x]);
  sums[threadIdx.y][threadIdx.x] = sum;
  if constexpr (bug != Bug::no_barrier) __syncthreads();
  const int channel = static_cast<int>(threadIdx.x);
  if (threadIdx.y != 1 || channel >= c) return;
  float total = 0;
  for (int y = 0; y < threads_y; ++y) total += sums[y][channel];
  to[channel] = total;
}

// Grid: (1, parts of the rows); block (threads_x, threads_y): up to 32 channels, 16 columns.
template <Bug bug>
MIEN_KERNEL(threads_x* threads_y)
void broken_depthwise_kernel(float* y, float* pooled, const float* x, const float* w,
                             DepthwiseConvParams p) {
  using namespace depthwise;
  constexpr int K = 3, W = strip_width<false>, N = W + K - 1;
  const int channel = static_cast<int>(threadIdx.x), column = static_cast<int>(threadIdx.y) * W;
  const int first = static_cast<int>(blockIdx.y) * p.rows, last = min(first + p.rows, p.out_h);
  const bool whole = column + W <= p.out_w;
  float sum_of_thread = 0;
  if (channel < p.c && column < p.out_w && (whole || bug != Bug::tail_left_out)) {
    dev::Floats<1> weights[K * K];
    load_weights<K, 1>(weights, w + channel, p.c, false);
    const int left = column - p.pad_left, wide = bug == Bug::wide_halo ? 1 : 0;
    int i = bug == Bug::skipped_warm_up ? first : first - (K - 1), row = i - p.pad_top + K - 1;
    Row<N, false, 0, 1, float> in{.at = x + (row * p.w + left) * p.c + channel,
                                  .pixel = pixel_bytes<float>(p.c),
                                  .from = -left + wide,
                                  .to = p.w - left - wide};
    for (int j = 0; j < N; ++j) in.load_or_zero(j, row >= 0 && row < p.h);
    Sums<K, W, 1> sum = {};
    for (; i < last; ++i) {
      in.at += p.w * p.c;
      ++row;
      const bool inside = row >= 0 && row < p.h;
      add_row<K, 1, 0, K, W, 1>(sum, in, weights, {}, [&](int j) { in.load_or_zero(j, inside); });
      for (int j = 0; j < W && i >= first; ++j) {
        if (column + j >= p.out_w && bug != Bug::tail_as_strip) continue;
        y[(i * p.out_w + column + j) * p.c + channel] = sum[0][j][0];
        sum_of_thread += sum[0][j][0];
        if (bug == Bug::row_kept) sum[1][j][0] += sum[0][j][0];
      }
    }
  }
  store_pooled<bug>(pooled + blockIdx.y * static_cast<unsigned>(p.c), sum_of_thread, p.c);
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

using kernels::Bug;
using BrokenDepthwiseConvTest = KernelTest;

// 9 rows in parts of 4; 14 columns: three whole strips and half a one.
constexpr kernels::DepthwiseConvParams p{1, 9, 14, 3, 9, 14, 1, 1, 4};
constexpr int parts = 3;

// What the checks say of the kernel with this bug; empty where they find nothing.
template <Bug bug>
std::string found() {
  const auto x = random_values<float>(p.h * p.w * p.c, -1, 1, 1),
             w = random_values<float>(9 * p.c, -0.5f, 0.5f, 2);
  std::vector<double> expected, expected_pooled(static_cast<std::size_t>(parts * p.c));
  const auto at = [](const std::vector<float>& values, int i) {
    return static_cast<double>(values[static_cast<std::size_t>(i)]);
  };
  for (int i = 0; i < p.out_h; ++i)
    for (int j = 0; j < p.out_w; ++j)
      for (int k = 0; k < p.c; ++k) {
        double sum = 0;
        for (int u = 0; u < 3; ++u)
          for (int v = 0; v < 3; ++v) {
            const int row = i - 1 + u, column = j - 1 + v;
            if (row >= 0 && row < p.h && column >= 0 && column < p.w)
              sum += at(x, (row * p.w + column) * p.c + k) * at(w, (u * 3 + v) * p.c + k);
          }
        expected.push_back(sum);
        expected_pooled[static_cast<std::size_t>(i / p.rows * p.c + k)] += sum;
      }
  Buffer<float> y(std::ssize(expected)), pooled(std::ssize(expected_pooled)), in(x), weights(w);
  cuda::launch(
      kernels::broken_depthwise_kernel<bug>,
      {.grid = {1, parts}, .block = {kernels::threads_x, kernels::threads_y}, .stream = nullptr},
      y.data(), pooled.data(), in.data(), weights.data(), p);
  try {
    const std::string wrong = difference(y.read(), expected);
    return wrong.empty() ? difference(pooled.read(), expected_pooled) : wrong;
  } catch (const Error& error) {
    return error.what();
  }
}

template <Bug bug>
void expect_found() {
  each_schedule([] { EXPECT_NE(found<bug>(), ""); });
}

TEST_F(BrokenDepthwiseConvTest, TheCopyItselfIsSound) {
  each_schedule([] { EXPECT_EQ(found<Bug::none>(), ""); });
}

TEST_F(BrokenDepthwiseConvTest, ATailLeftOutIsFound) { expect_found<Bug::tail_left_out>(); }

TEST_F(BrokenDepthwiseConvTest, AHaloOffByOneIsFound) { expect_found<Bug::wide_halo>(); }

TEST_F(BrokenDepthwiseConvTest, ASumThatGoesOnIsFound) { expect_found<Bug::row_kept>(); }

TEST_F(BrokenDepthwiseConvTest, APartWithoutRowsAboveIsFound) {
  expect_found<Bug::skipped_warm_up>();
}

#if defined(MIEN_SIMT)
// Its last columns go onto the next row, and behind the last row out of bounds.
TEST_F(BrokenDepthwiseConvTest, ATailStoredAsAStripIsFound) {
  if constexpr (MIEN_ASAN) {
    EXPECT_DEATH(found<Bug::tail_as_strip>(), "heap-buffer-overflow");
  } else if constexpr (MIEN_TSAN) {
    EXPECT_DEATH(found<Bug::tail_as_strip>(), "data race");
  } else {
    expect_found<Bug::tail_as_strip>();
  }
}

// On a GPU it may go well by chance.
TEST_F(BrokenDepthwiseConvTest, AMissingBarrierIsFound) {
  if constexpr (MIEN_TSAN) {
    EXPECT_DEATH(found<Bug::no_barrier>(), "data race");
  } else {
    expect_found<Bug::no_barrier>();
  }
}
#endif

}  // namespace
}  // namespace mien::test
