#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/cuda/copy_async.hpp>
#include <mien/cuda/launch.hpp>
#include <support/backend.hpp>

namespace mien::kernels {
namespace {

// y (2, 64) = the rows of x (2, 64) from right to left, zeros for what is not among the `valid`
// first elements; through two stages of shared memory.
MIEN_KERNEL(64)
void turn_kernel(float* y, const float* x, int valid) {
  MIEN_SHARED(float, stages, [2][64]);
  const int i = static_cast<int>(threadIdx.x);
  for (int stage = 0; stage < 2; ++stage) {
    dev::copy_async<4>(&stages[stage][i], x + 64 * stage + i, 64 * stage + i < valid);
    dev::commit_copies();
  }
  dev::wait_copies<1>();
  __syncthreads();
  y[i] = stages[0][63 - i];
  dev::wait_copies<0>();
  __syncthreads();
  y[64 + i] = stages[1][63 - i];
}

template <int Bytes>
MIEN_KERNEL(1)
void copy_kernel(unsigned char* y, const unsigned char* x, bool there) {
  MIEN_SHARED(unsigned char, bytes, [16]);
  dev::copy_async<Bytes>(&bytes[0], x, there);
  dev::commit_copies();
  dev::wait_copies<0>();
  for (int i = 0; i < Bytes; ++i) y[i] = bytes[i];
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

using CopyAsyncTest = KernelTest;

TEST_F(CopyAsyncTest, BringsValuesAndZerosBeyondTheEnd) {
  const auto values = random_values<float>(128, 1, 2, 1);
  for (const int valid : {128, 70, 0}) {
    std::vector<double> expected;
    for (int i = 0; i < 128; ++i) {
      const int from = i / 64 * 64 + 63 - i % 64;
      expected.push_back(from < valid ? double{values[static_cast<std::size_t>(from)]} : 0);
    }
    each_schedule([&] {
      Buffer<float> y(128), x(values);
      cuda::launch(kernels::turn_kernel, {.block = 64}, y.data(), x.data(), valid);
      EXPECT_EQ(difference(y.read(), expected, {0, 0}), "");
    });
  }
}

template <int Bytes>
void expect_bytes() {
  std::vector<unsigned char> from;
  for (int i = 0; i < Bytes; ++i) from.push_back(static_cast<unsigned char>(7 * i + 1));
  for (const bool there : {true, false}) {
    Buffer<unsigned char> y(std::int64_t{Bytes}), x(from);
    cuda::launch(kernels::copy_kernel<Bytes>, {}, y.data(), x.data(), there);
    EXPECT_EQ(y.read(), there ? from : std::vector<unsigned char>(Bytes, 0));
  }
}

TEST_F(CopyAsyncTest, TakesFourEightAndSixteenBytes) {
  expect_bytes<4>();
  expect_bytes<8>();
  expect_bytes<16>();
}

}  // namespace
}  // namespace mien::test
