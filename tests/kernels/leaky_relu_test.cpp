#include <mien/cuda/leaky_relu.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

const auto sizes = shapes<std::int64_t>({0, 1, 7, 8, 13, 255, 2048, 2053, 5003}, {13, 2053});
constexpr float slope = 0.2f;

template <class T>
class LeakyReluTest : public KernelTest {};
TYPED_TEST_SUITE(LeakyReluTest, StorageTypes);

// `g` where x > 0, else the slope's share of it.
template <class T>
std::vector<double> expected(const std::vector<T>& x, const std::vector<T>& g) {
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back(static_cast<double>(g[i]) *
                (static_cast<float>(x[i]) > 0 ? 1 : static_cast<double>(slope)));
  return y;
}

TYPED_TEST(LeakyReluTest, ForwardAndBackward) {
  for (const std::int64_t n : sizes) {
    const auto values = random_values<TypeParam>(n, -5, 5, 1);
    const auto gradient = random_values<TypeParam>(n, -1, 1, 2);
    each_schedule([&] {
      Buffer<TypeParam> y(n), dx(n), x(values), dy(gradient);
      kernels::leaky_relu(Cuda{}, y.data(), x.data(), {n, slope});
      kernels::leaky_relu_backward(Cuda{}, dx.data(), x.data(), dy.data(), {n, slope});
      EXPECT_EQ(difference(y.read(), expected(values, values)), "") << n << " elements";
      EXPECT_EQ(difference(dx.read(), expected(values, gradient)), "") << n << " elements";
    });
  }
}

// Unaligned, in place, and from y in the place of x.
TYPED_TEST(LeakyReluTest, InPlaceAtAnyAddress) {
  constexpr std::int64_t n = 301;
  const auto values = random_values<TypeParam>(n + 1, -5, 5, 3);
  const auto gradient = random_values<TypeParam>(n, -1, 1, 4);
  const std::vector<TypeParam> tail(values.begin() + 1, values.end());
  each_schedule([&] {
    Buffer<TypeParam> x(values), dy(gradient);
    kernels::leaky_relu(Cuda{}, x.data() + 1, x.data() + 1, {n, slope});
    kernels::leaky_relu_backward(Cuda{}, dy.data(), x.data() + 1, dy.data(), {n, slope});
    auto got = x.read();
    got.erase(got.begin());
    EXPECT_EQ(difference(got, expected(tail, tail)), "");
    EXPECT_EQ(difference(dy.read(), expected(tail, gradient)), "");
  });
}

}  // namespace
}  // namespace mien::test
