// Copies of the swish kernel, each with one bug, and the proof that the checks of swish_test.cpp
// find it.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/cuda/swish.cuh>
#include <support/backend.hpp>

namespace mien::kernels {
namespace {

enum class Bug { none, tail_left_out, tail_as_a_pack, one_too_many };

template <Bug bug>
MIEN_KERNEL(pack_threads)
void broken_swish_kernel(float* y, const float* x, SwishParams p) {
  constexpr int width = pack_width<float>;
  const std::int64_t i = (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * width;
  const auto pack = [&](auto lanes, std::int64_t at) {
    auto v = dev::load<lanes>(x + at);
    for (int j = 0; j < lanes; ++j) v[j] *= dev::sigmoid(v[j]);
    dev::store(y + at, v);
  };
  constexpr dev::Width<width> whole;
  constexpr dev::Width<1> single;
  if (i + width <= p.n || (bug == Bug::tail_as_a_pack && i < p.n)) {
    pack(whole, i);
  } else if (bug != Bug::tail_left_out) {
    const std::int64_t end = p.n + (bug == Bug::one_too_many ? 1 : 0);
    for (std::int64_t j = i; j < end; ++j) {
      if (bug == Bug::one_too_many && j == p.n)
        y[j] = 0;
      else
        pack(single, j);
    }
  }
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

using kernels::Bug;
using BrokenSwishTest = KernelTest;

constexpr std::int64_t n = 1022;

// What the checks say of the kernel with this bug; empty where they find nothing.
template <Bug bug>
std::string found() {
  const auto values = random_values<float>(n, -5, 5, 1);
  std::vector<double> expected;
  for (const double v : values) expected.push_back(v / (1 + std::exp(-v)));
  Buffer<float> y(n), x(values);
  cuda::launch(kernels::broken_swish_kernel<bug>,
               kernels::packs_shape(n, kernels::pack_width<float>, nullptr), y.data(), x.data(),
               {.n = n});
  try {
    return difference(y.read(), expected);
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_F(BrokenSwishTest, TheCopyItselfIsSound) {
  each_schedule([] { EXPECT_EQ(found<Bug::none>(), ""); });
}

TEST_F(BrokenSwishTest, ATailLeftOutIsFound) {
  each_schedule([] { EXPECT_EQ(found<Bug::tail_left_out>().substr(0, 16), "element 1020 is "); });
}

// Writes out of bounds: AddressSanitizer ends the program at the first one, elsewhere the guards of
// the buffer tell.
template <Bug bug>
void expect_out_of_bounds() {
  if constexpr (MIEN_ASAN) {
    EXPECT_DEATH(found<bug>(), "heap-buffer-overflow");
  } else {
    each_schedule([] { EXPECT_EQ(found<bug>(), "[buffer] written out of bounds"); });
  }
}

TEST_F(BrokenSwishTest, ATailStoredAsAPackIsFound) { expect_out_of_bounds<Bug::tail_as_a_pack>(); }

TEST_F(BrokenSwishTest, OneElementTooManyIsFound) { expect_out_of_bounds<Bug::one_too_many>(); }

}  // namespace
}  // namespace mien::test
