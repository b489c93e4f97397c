#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <numeric>
#include <string>
#include <vector>

#include <simt/sanitizer.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::simt {
namespace {

using test::Buffer, test::each_schedule, test::thrown;

// The line of the kernel's call that an error names.
std::string here(int line) {
  return std::string(" (") + __FILE__ + ':' + std::to_string(line) + ')';
}

// Reverses n = blockDim.x elements by way of shared memory.
template <bool with_barrier>
void reverse_kernel(int* y, const int* x) {
  MIEN_DYN_SHARED(int, tile);
  tile[threadIdx.x] = x[threadIdx.x];
  if (with_barrier) __syncthreads();
  y[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

template <bool with_barrier>
std::vector<int> reversed() {
  constexpr int n = 256;
  std::vector<int> values(n);
  std::iota(values.begin(), values.end(), 0);
  Buffer<int> y(n), x(values);
  cuda::launch(reverse_kernel<with_barrier>, {.block = n, .dynamic_shared_bytes = n * sizeof(int)},
               y.data(), x.data());
  return y.read();
}

TEST(BarrierTest, LetsThreadsReadWhatOthersWrote) {
  each_schedule([] {
    const std::vector<int> y = reversed<true>();
    for (int i = 0; i < 256; ++i) EXPECT_EQ(y[static_cast<std::size_t>(i)], 255 - i);
  });
}

TEST(BarrierTest, AMissingOneShowsUnderEverySchedule) {
  if (MIEN_TSAN) GTEST_SKIP() << "ThreadSanitizer reports the race first: races_test.cpp";
  each_schedule([] { EXPECT_NE(reversed<false>(), reversed<true>()); });
}

TEST(BarrierTest, ManyInALoop) {
  const auto kernel = +[](int* sums) {
    MIEN_SHARED(int, value, );
    for (int round = 0; round < 100; ++round) {
      if (threadIdx.x == static_cast<unsigned>(round) % blockDim.x) value = round;
      __syncthreads();
      sums[threadIdx.x] += value;
      __syncthreads();
    }
  };
  each_schedule([&] {
    Buffer<int> sums(std::vector<int>(96));
    cuda::launch(kernel, {.block = 96}, sums.data());
    EXPECT_EQ(sums.read(), std::vector<int>(96, 4950));
  });
}

TEST(BarrierTest, DivergentOnesAreAnError) {
  static constexpr int line = __LINE__;
  const auto kernel = +[] {
    if (threadIdx.x < 20)
      __syncthreads();  // line + 3
    else
      __syncthreads();  // line + 5
  };
  each_schedule([&] {
    const std::string error = thrown([&] { cuda::launch(kernel, {.grid = {1, 3}, .block = 64}); });
    EXPECT_NE(error.find("of 64 threads cannot go on: "), std::string::npos) << error;
    EXPECT_NE(error.find("20 of 64 threads wait at __syncthreads" + here(line + 3)),
              std::string::npos)
        << error;
    EXPECT_NE(error.find("44 of 64 threads wait at __syncthreads" + here(line + 5)),
              std::string::npos)
        << error;
    EXPECT_NE(error.find("0 have returned"), std::string::npos) << error;
  });
}

TEST(BarrierTest, AnEarlyReturnIsAnError) {
  static constexpr int line = __LINE__;
  const auto kernel = +[](unsigned n) {
    if (threadIdx.x >= n) return;
    __syncthreads();  // line + 3
  };
  each_schedule([&] {
    EXPECT_EQ(thrown([&] { cuda::launch(kernel, {.block = 64}, 63); }),
              "[simt] block (0, 0, 0) of 64 threads cannot go on: 63 of 64 threads wait at "
              "__syncthreads" +
                  here(line + 3) + ", 1 have returned");
    EXPECT_EQ(thrown([&] { cuda::launch(kernel, {.block = 64}, 64); }), "nothing was thrown");
    EXPECT_EQ(thrown([&] { cuda::launch(kernel, {.block = 64}, 0); }), "nothing was thrown");
  });
}

}  // namespace
}  // namespace mien::simt
