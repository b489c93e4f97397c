#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <simt/sanitizer.hpp>
#include <simt/schedule.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::simt {
namespace {

using test::each_schedule, test::thrown;

void nothing() {}

std::string refusal(const cuda::LaunchShape& shape) {
  return thrown([&] { cuda::launch(nothing, shape); });
}

TEST(LaunchTest, EveryThreadKnowsItsPlace) {
  constexpr dim3 grid(3, 2, 2), block(5, 3, 2);
  const auto kernel = +[](int* visits) {
    EXPECT_EQ(gridDim.y, 2u);
    EXPECT_EQ(blockDim.x, 5u);
    const unsigned b = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    const unsigned t = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    ++visits[b * blockDim.x * blockDim.y * blockDim.z + t];
  };
  each_schedule([&] {
    std::vector<int> visits(360);
    cuda::launch(kernel, {.grid = grid, .block = block}, visits.data());
    EXPECT_EQ(visits, std::vector<int>(360, 1));
  });
}

// Numbers of block * 4 + thread in the order in which they ran.
std::vector<int> order_of(const Schedule& schedule) {
  const auto kernel = +[](std::vector<int>* order) {
    const sanitizer::Quiet quiet;  // unordered threads append to one array, one at a time
    order->push_back(static_cast<int>(blockIdx.x * 4 + threadIdx.x));
  };
  const ScheduleScope scope(schedule);
  std::vector<int> order;
  cuda::launch(kernel, {.grid = 4, .block = 4}, &order);
  return order;
}

TEST(LaunchTest, SchedulesOrderBlocksAndThreads) {
  std::vector<int> counted(16);
  std::iota(counted.begin(), counted.end(), 0);
  using Order = Schedule::Order;
  EXPECT_EQ(order_of({.order = Order::forward}), counted);
  EXPECT_EQ(order_of({.order = Order::reverse}),
            std::vector<int>(counted.rbegin(), counted.rend()));

  const std::vector<int> shuffled = order_of({.order = Order::random, .seed = 1});
  EXPECT_NE(shuffled, counted);
  EXPECT_TRUE(std::is_permutation(shuffled.begin(), shuffled.end(), counted.begin()));
  EXPECT_EQ(shuffled, order_of({.order = Order::random, .seed = 1}));
  EXPECT_NE(shuffled, order_of({.order = Order::random, .seed = 2}));
}

TEST(LaunchTest, ArgumentsAreConvertedAsInACall) {
  const auto kernel = +[](double* out, float scale, std::int64_t n) {
    out[0] = scale;
    out[1] = static_cast<double>(n);
  };
  double out[2] = {};
  cuda::launch(kernel, {}, out, 3, 4u);
  EXPECT_EQ(out[0], 3);
  EXPECT_EQ(out[1], 4);
}

TEST(LaunchTest, SizesWithinTheLimitsOfAGpu) {
  EXPECT_EQ(refusal({.grid = 1, .block = 1024}), "nothing was thrown");
  EXPECT_EQ(refusal({.grid = 1, .block = {1, 1, 64}}), "nothing was thrown");
  EXPECT_EQ(refusal({.grid = {1, MIEN_TSAN ? 1 : 65535}, .block = 1}), "nothing was thrown");
  EXPECT_EQ(refusal({.grid = 1, .block = 1025}),
            "[launch] a block of 1025x1x1 threads, expected 1 to 1024");
  EXPECT_EQ(refusal({.grid = 1, .block = 0}),
            "[launch] a block of 0x1x1 threads, expected 1 to 1024");
  EXPECT_EQ(refusal({.grid = 1, .block = {1, 1, 65}}),
            "[launch] a block of 1x1x65 threads, at most 64 along z");
  EXPECT_EQ(refusal({.grid = 0, .block = 1}),
            "[launch] a grid of 0x1x1 blocks, expected one or more");
  EXPECT_EQ(refusal({.grid = 0x80000000u, .block = 1}),
            "[launch] a grid of 2147483648x1x1 blocks, at most 2147483647 along x");
  EXPECT_EQ(refusal({.grid = {1, 65536}, .block = 1}),
            "[launch] a grid of 1x65536x1 blocks, at most 65535 along y and z");
  EXPECT_EQ(refusal({.grid = {1, 1, 65536}, .block = 1}),
            "[launch] a grid of 1x1x65536 blocks, at most 65535 along y and z");
}

TEST(LaunchTest, WhatAThreadThrowsReachesTheHost) {
  const auto kernel = +[] {
    if (threadIdx.x == 5) throw std::runtime_error("thread 5");
    __syncthreads();
  };
  each_schedule([&] {
    EXPECT_THROW(cuda::launch(kernel, {.grid = 2, .block = 64}), std::runtime_error);
    EXPECT_EQ(refusal({}), "nothing was thrown");  // and the executor is ready again
  });
}

TEST(LaunchTest, ThreadsThatWaitAreUnwoundAfterAnError) {
  struct Counted {
    int* count;
    ~Counted() {
      const sanitizer::Quiet quiet;
      ++*count;
    }
  };
  static int unwound;
  const auto kernel = +[] {
    const Counted counted{&unwound};
    if (threadIdx.x == 31) throw std::runtime_error("thread 31");
    __syncthreads();
  };
  unwound = 0;
  EXPECT_THROW(cuda::launch(kernel, {.block = 32}), std::runtime_error);
  EXPECT_EQ(unwound, 32);
}

TEST(LaunchTest, KernelsLaunchNoKernels) {
  const auto kernel = +[] { cuda::launch(nothing, {}); };
  EXPECT_EQ(thrown([&] { cuda::launch(kernel, {}); }), "[launch] a kernel launches another one");
}

TEST(LaunchTest, DeviceFunctionsBelongInKernels) {
  EXPECT_EQ(thrown([] { __syncthreads(); }),
            "[simt] a function of CUDA threads called outside of a kernel");
}

}  // namespace
}  // namespace mien::simt
