// Copies of the statistics of a batch, each with one bug, and the proof that checks like those of
// batch_norm_test.cpp find it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/cuda/batch_norm.cuh>
#include <support/backend.hpp>

#if defined(MIEN_SIMT)
#include <simt/sanitizer.hpp>
#endif

namespace mien::kernels {
namespace {

enum class Bug { none, last_row_again, squares_of_sums, missing_barrier, counter_left };

// Moments, or sums and sums of squares.
template <Bug bug>
MIEN_DEV void merge(norm::Moments<1>& m, const norm::Moments<1>& other) {
  if (bug == Bug::squares_of_sums)
    dev::add(m, other);
  else
    norm::merge<1>(m, other);
}

// As batch_norm_statistics_kernel for single channels, all in one block's width.
template <Bug bug>
MIEN_KERNEL(row_threads)
void broken_statistics_kernel(float* mean, float* squares, BatchNormWorkspace workspace,
                              const float* x, BatchNormParams p) {
  MIEN_SHARED(float, others, [3][row_threads]);
  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  const auto merge_block = [&](norm::Moments<1> m) {
    int step = static_cast<int>(blockDim.y) / 2;  // a power of two
    for (; step > 0; step /= 2) {
      for (int k = 0; k < 3; ++k) others[k][thread] = m[k];
      if (bug != Bug::missing_barrier) __syncthreads();
      norm::Moments<1> other = {};
      if (static_cast<int>(threadIdx.y) < step)
        for (int k = 0; k < 3; ++k) other[k] = others[k][thread + step * p.c];
      merge<bug>(m, other);
      __syncthreads();
    }
    return m;
  };
  norm::Moments<1> m = {};
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.y;
  std::int64_t row = std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
  for (; row < p.rows + (bug == Bug::last_row_again ? step : 0); row += step) {
    const std::int64_t at = row < p.rows ? row : p.rows - 1;
    const float value = x[at * p.c + threadIdx.x];
    if (bug == Bug::squares_of_sums)
      dev::add(m, {value, value * value, 1});
    else
      norm::add_row<1>(m, {value});
  }
  m = merge_block(m);

  float* const partial = workspace.partial + threadIdx.x;
  if (threadIdx.y == 0)
    for (int k = 0; k < 3; ++k) partial[(3 * static_cast<int>(blockIdx.x) + k) * p.c] = m[k];
  __syncthreads();
  if (!dev::is_last_block(workspace.blocks_done)) return;
  if (bug == Bug::counter_left && thread == 0) *workspace.blocks_done = gridDim.x;
  m = {};
  const int shares = static_cast<int>(gridDim.x), down = static_cast<int>(blockDim.y);
  for (int share = static_cast<int>(threadIdx.y); share < shares; share += down) {
    norm::Moments<1> other;
    for (int k = 0; k < 3; ++k) other[k] = partial[(3 * share + k) * p.c];
    merge<bug>(m, other);
  }
  m = merge_block(m);
  if (threadIdx.y != 0) return;
  if (bug == Bug::squares_of_sums) {
    m[0] /= m[2];
    m[1] -= m[0] * m[0] * m[2];
  }
  mean[threadIdx.x] = m[0];
  squares[threadIdx.x] = m[1];
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

using kernels::Bug;
using BrokenBatchNormTest = KernelTest;

constexpr kernels::BatchNormParams p{.rows = 300, .c = 4};  // as wide as the block

// What the checks say of the second launch with this bug, of rows around `center`; empty where they
// find nothing.
template <Bug bug>
std::string found(float center) {
  const auto values = random_values<float>(p.rows * p.c, center - 1, center + 1, 1);
  std::vector<double> mean(p.c), squares(p.c);
  for (std::size_t i = 0; i < values.size(); ++i) mean[i % p.c] += double{values[i]} / p.rows;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double from_mean = double{values[i]} - mean[i % p.c];
    squares[i % p.c] += from_mean * from_mean;
  }
  Buffer<float> x(values), partial(std::int64_t{3} * 3 * p.c);
  Buffer<unsigned> done(std::vector<unsigned>(1));
  std::string says;
  for (int launch = 0; launch < 2; ++launch) {
    Buffer<float> of_mean(p.c), of_squares(p.c);
    cuda::launch(kernels::broken_statistics_kernel<bug>, {.grid = 3, .block = {4, 32}},
                 of_mean.data(), of_squares.data(), {partial.data(), done.data()}, x.data(), p);
    says = difference(of_mean.read(), mean, {1e-5, 1e-6});
    if (says.empty()) says = difference(of_squares.read(), squares);
  }
  return says;
}

TEST_F(BrokenBatchNormTest, TheCopyItselfIsSound) {
  each_schedule([] { EXPECT_EQ(found<Bug::none>(1), ""); });
}

TEST_F(BrokenBatchNormTest, TheLastRowCountedAgainIsFound) {
  each_schedule([] { EXPECT_NE(found<Bug::last_row_again>(1), ""); });
}

TEST_F(BrokenBatchNormTest, SquaresOfSumsAreFoundByALargeMeanAlone) {
  each_schedule([] {
    EXPECT_EQ(found<Bug::squares_of_sums>(0), "");
    EXPECT_NE(found<Bug::squares_of_sums>(1000), "");
    EXPECT_EQ(found<Bug::none>(1000), "");
  });
}

TEST_F(BrokenBatchNormTest, ACounterLeftBehindIsFound) {
  each_schedule([] { EXPECT_NE(found<Bug::counter_left>(1), ""); });
}

#if defined(MIEN_SIMT)  // on a GPU it may pass by luck
TEST_F(BrokenBatchNormTest, AMissingBarrierIsFound) {
  if constexpr (MIEN_TSAN) {
    EXPECT_DEATH(found<Bug::missing_barrier>(1), "data race");
  } else {
    each_schedule([] { EXPECT_NE(found<Bug::missing_barrier>(1), ""); });
  }
}
#endif

}  // namespace
}  // namespace mien::test
