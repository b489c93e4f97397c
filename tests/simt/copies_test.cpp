// Asynchronous copies are made when a thread waits for them, and bugs around that are found.

#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <mien/cuda/copy_async.hpp>
#include <simt/sanitizer_reports.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::simt {
namespace {

namespace dev = kernels::dev;
using test::Buffer, test::expect_report, test::Sanitizer, test::thrown;

constexpr unsigned threads = 64;

enum Bug { none, no_wait, wait_for_the_older, no_barrier, never_waits, overwritten };

// y (64) = x (2, 64), its second row from right to left.
void second_row(float* y, const float* x, int bug) {
  MIEN_SHARED(float, stages, [2][threads]);
  const unsigned i = threadIdx.x;
  for (unsigned stage = 0; stage < 2; ++stage) {
    dev::copy_async<4>(&stages[stage][i], x + threads * stage + i);
    dev::commit_copies();
  }
  if (bug == never_waits) return;
  if (bug == wait_for_the_older) dev::wait_copies<1>();
  if (bug != wait_for_the_older && bug != no_wait) dev::wait_copies<0>();
  if (bug != no_barrier) kernels::__syncthreads();
  if (bug == overwritten) dev::copy_async<4>(&stages[1][i], x + i);  // others have yet to read it
  y[i] = stages[1][threads - 1 - i];
  kernels::__syncthreads();
  dev::commit_copies();
  dev::wait_copies<0>();
}

std::vector<float> run(Bug bug, bool at_once = false) {
  const ScheduleScope scope({.copies_at_once = at_once});
  std::vector<float> values(2 * threads);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  Buffer<float> y(threads), x(values);
  cuda::launch(second_row, {.block = threads}, y.data(), x.data(), bug);
  return y.read();
}

bool any_nan(const std::vector<float>& values) {
  return std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
}

TEST(CopiesTest, BringTheirValues) {
  for (const bool at_once : {false, true}) {
    const auto y = run(none, at_once);
    for (std::size_t i = 0; i < threads; ++i)
      EXPECT_EQ(y[i], static_cast<float>(2 * threads - 1 - i));
  }
}

// A race too, between the late copies and the reads: not to be run under ThreadSanitizer.
TEST(CopiesTest, AMissingWaitLeavesNan) {
  if (MIEN_TSAN) GTEST_SKIP() << "ThreadSanitizer ends the program at the race";
  EXPECT_TRUE(any_nan(run(no_wait)));
  EXPECT_TRUE(any_nan(run(wait_for_the_older)));
}

// Nothing shows where copies are made late.
TEST(CopiesTest, AStageFilledTooEarlyShowsInCopiesAtOnce) {
  if (MIEN_TSAN) GTEST_SKIP() << "ThreadSanitizer ends the program at the race";
  EXPECT_EQ(run(overwritten), run(none));
  EXPECT_NE(run(overwritten, true), run(none));
}

TEST(CopiesTest, AMissingBarrierIsARace) {
  expect_report(Sanitizer::thread, "data race", [] { run(no_barrier); });
}

TEST(CopiesTest, AMissingBarrierLeavesNan) {
  if (MIEN_TSAN) GTEST_SKIP() << "ThreadSanitizer ends the program at the race";
  EXPECT_TRUE(any_nan(run(no_barrier)));
}

TEST(CopiesTest, AThreadWaitsForItsCopiesBeforeItEnds) {
  EXPECT_EQ(thrown([] { run(never_waits); }),
            "[simt] a thread ended with asynchronous copies that it never waited for");
}

TEST(CopiesTest, AddressesAreAligned) {
  const auto kernel = +[](const float* x) {
    MIEN_SHARED(float, four, [4]);
    dev::copy_async<16>(&four[0], x + 1);
  };
  Buffer<float> x(std::vector<float>(8));
  EXPECT_EQ(thrown([&] { cuda::launch(kernel, {}, x.data()); }),
            "[simt] an asynchronous copy of 16 bytes is not aligned to them");
}

}  // namespace
}  // namespace mien::simt
