// Copies of how a block sums the exponentials of its rows, each with one bug, and the proof that
// checks like those of cross_entropy_test.cpp find it.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/cuda/cross_entropy.cuh>
#include <support/backend.hpp>
#if defined(MIEN_SIMT)
#include <simt/sanitizer_reports.hpp>
#endif

namespace mien::kernels {
namespace {

enum class Bug { none, warps_not_rescaled, no_barrier_before, no_barrier_after, one_too_many };

inline constexpr int team = 512;

template <Bug bug>
MIEN_DEV losses::RowSums broken_merge(losses::RowSums sums) {
  constexpr unsigned warps = team / dev::warp_size;
  const unsigned lane = threadIdx.x % dev::warp_size;
  MIEN_SHARED(losses::RowSums, of_warp, [warps]);
  sums = losses::merge_warp(sums);
  if (lane == 0) of_warp[threadIdx.x / dev::warp_size] = sums;
  if (bug != Bug::no_barrier_before) __syncthreads();
  sums = lane < warps ? of_warp[lane] : losses::RowSums{};
  if (bug == Bug::warps_not_rescaled)
    sums.exps = dev::warp_sum(sums.exps);
  else
    sums = losses::merge_warp(sums);
  if (bug != Bug::no_barrier_after) __syncthreads();
  return sums;
}

// y = exp(z) / sum of exp(z), row by row of one block.
template <Bug bug>
MIEN_KERNEL(team)
void broken_softmax_kernel(float* y, const float* z, int rows, int classes) {
  using Part = losses::RowPart<team, 1>;
  const int lane = static_cast<int>(threadIdx.x);
  for (int row = 0; row < rows; ++row, z += classes, y += classes) {
    Part part;
    losses::RowSums sums;
    part.load(z + lane, classes - lane);
    part.add_to(sums);
    sums = broken_merge<bug>(sums);
    for (int k = 0; k < Part::packs; ++k) {
      const int c = lane + k * team;
      if (c < classes || (bug == Bug::one_too_many && c == classes))
        y[c] = dev::exp(part.values[k][0] - sums.largest) / sums.exps;
    }
  }
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

using kernels::Bug;
using BrokenCrossEntropyTest = KernelTest;

// What the checks say of the kernel with this bug; empty where they find nothing.
template <Bug bug>
std::string found() {
  constexpr int rows = 3, classes = 1501;
  auto values = random_values<float>(rows * classes, -5, 5, 1);
  const auto at = [](int row, int c) { return static_cast<std::size_t>(row * classes + c); };
  for (int c = 0; c < classes; ++c) values[at(1, c)] += static_cast<float>(c) / 32;
  std::vector<double> expected;
  for (int row = 0; row < rows; ++row) {
    double sum = 0;
    for (int c = 0; c < classes; ++c) sum += std::exp(double{values[at(row, c)]});
    for (int c = 0; c < classes; ++c)
      expected.push_back(std::exp(double{values[at(row, c)]}) / sum);
  }
  Buffer<float> y(rows * classes), z(values);
  cuda::launch(kernels::broken_softmax_kernel<bug>, {.grid = 1, .block = kernels::team}, y.data(),
               z.data(), rows, classes);
  try {
    return difference(y.read(), expected, {1e-4, 1e-30});
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_F(BrokenCrossEntropyTest, TheCopyItselfIsSound) {
  each_schedule([] { EXPECT_EQ(found<Bug::none>(), ""); });
}

TEST_F(BrokenCrossEntropyTest, SumsOfWarpsThatAreNotRescaledAreFound) {
  each_schedule([] { EXPECT_NE(found<Bug::warps_not_rescaled>(), ""); });
}

// AddressSanitizer ends the program.
TEST_F(BrokenCrossEntropyTest, OneClassTooManyIsFound) {
  if constexpr (MIEN_ASAN) {
    EXPECT_DEATH(found<Bug::one_too_many>(), "heap-buffer-overflow");
  } else {
    each_schedule([] { EXPECT_EQ(found<Bug::one_too_many>(), "[buffer] written out of bounds"); });
  }
}

#if defined(MIEN_SIMT)
// On a GPU these two may go well by chance.
TEST_F(BrokenCrossEntropyTest, SumsReadBeforeTheyAreThereAreFound) {
  if constexpr (MIEN_TSAN) {
    EXPECT_DEATH(found<Bug::no_barrier_before>(), "data race");
  } else {
    each_schedule([] { EXPECT_NE(found<Bug::no_barrier_before>(), ""); });
  }
}

// The shuffles that follow let all warps read in time, here as nearly always on a GPU.
TEST_F(BrokenCrossEntropyTest, SumsOfTheNextRowAreFound) {
  expect_report(Sanitizer::thread, "data race", [] { found<Bug::no_barrier_after>(); });
}
#endif

}  // namespace
}  // namespace mien::test
