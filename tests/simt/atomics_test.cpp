#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <algorithm>
#include <vector>

#include <support/backend.hpp>

namespace mien::simt {
namespace {

using test::Buffer, test::each_schedule;

template <class T>
class AtomicsTest : public testing::Test {};
using Integers = testing::Types<int, unsigned, unsigned long long>;
TYPED_TEST_SUITE(AtomicsTest, Integers);

TYPED_TEST(AtomicsTest, NothingIsLost) {
  using T = TypeParam;
  const auto kernel = +[](T* results, T* tickets) {
    const T number = static_cast<T>(blockIdx.x * blockDim.x + threadIdx.x);
    tickets[atomicAdd(&results[0], 1)] = number;
    atomicMin(&results[1], number + 3);
    atomicMax(&results[2], number);
    T seen = 0, assumed;
    do {
      assumed = seen;
      seen = atomicCAS(&results[3], assumed, assumed + number);
    } while (seen != assumed);
    atomicExch(&results[4], 77);
  };
  each_schedule([&] {
    Buffer<T> results(std::vector<T>{0, 1000, 0, 0, 0}), tickets(128);
    cuda::launch(kernel, {.grid = 2, .block = 64}, results.data(), tickets.data());
    EXPECT_EQ(results.read(), (std::vector<T>{128, 3, 127, 127 * 64, 77}));
    std::vector<T> numbers = tickets.read();
    std::sort(numbers.begin(), numbers.end());
    for (T i = 0; i < 128; ++i) EXPECT_EQ(numbers[static_cast<std::size_t>(i)], i);
  });
}

TEST(FloatAtomicsTest, AddExactSums) {
  const auto kernel = +[](float* single, double* twice) {
    atomicAdd(single, static_cast<float>(threadIdx.x));
    atomicAdd(twice, 0.5);
  };
  each_schedule([&] {
    Buffer<float> single(std::vector<float>{0.5f});
    Buffer<double> twice(std::vector<double>{0});
    cuda::launch(kernel, {.grid = 3, .block = 32}, single.data(), twice.data());
    EXPECT_EQ(single.read()[0], 1488.5f);
    EXPECT_EQ(twice.read()[0], 48.0);
  });
}

}  // namespace
}  // namespace mien::simt
