#include <mien/cuda/swish.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

// Less than one pack, whole packs, a tail of each length up to a pack's, and beyond one block.
const auto sizes = shapes<std::int64_t>(
    {0, 1, 2, 7, 8, 9, 13, 31, 32, 255, 1024, 2047, 2048, 2053, 5003}, {13, 2053});

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
std::vector<double> swish_reference(const std::vector<T>& x) {
  std::vector<double> y;
  for (const T value : x) {
    const double v = static_cast<double>(value);
    y.push_back(v * sigmoid(v));
  }
  return y;
}

template <class T>
std::vector<double> swish_backward_reference(const std::vector<T>& x, const std::vector<T>& dy) {
  std::vector<double> dx;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = static_cast<double>(x[i]), s = sigmoid(v);
    dx.push_back(static_cast<double>(dy[i]) * s * (1 + v * (1 - s)));
  }
  return dx;
}

// 1 + x (1 - s) cancels near x = -1.28: the error there is that of one, not of the small result.
template <class T>
constexpr Tolerance backward_tolerance{kernel_tolerance<T>.relative,
                                       kernel_tolerance<T>.absolute + 1e-6};

template <class T>
class SwishTest : public KernelTest {};
TYPED_TEST_SUITE(SwishTest, StorageTypes);

TYPED_TEST(SwishTest, ForwardIsTheFormula) {
  for (const std::int64_t n : sizes) {
    const auto values = random_values<TypeParam>(n, -20, 20, 1);
    each_schedule([&] {
      Buffer<TypeParam> y(n), x(values);
      kernels::swish(Cuda{}, y.data(), x.data(), {.n = n});
      EXPECT_EQ(difference(y.read(), swish_reference(values)), "") << n << " elements";
    });
  }
}

TYPED_TEST(SwishTest, BackwardIsTheDerivative) {
  for (const std::int64_t n : sizes) {
    const auto values = random_values<TypeParam>(n, -20, 20, 2);
    const auto gradient = random_values<TypeParam>(n, -1, 1, 3);
    each_schedule([&] {
      Buffer<TypeParam> dx(n), x(values), dy(gradient);
      kernels::swish_backward(Cuda{}, dx.data(), x.data(), dy.data(), {.n = n});
      EXPECT_EQ(difference(dx.read(), swish_backward_reference(values, gradient),
                           backward_tolerance<TypeParam>),
                "")
          << n << " elements";
    });
  }
}

TYPED_TEST(SwishTest, PointersNeedNoAlignmentBeyondTheTypes) {
  constexpr std::int64_t n = 700, offset = 1;
  const auto values = random_values<TypeParam>(n + offset, -5, 5, 4);
  const std::vector<TypeParam> tail(values.begin() + offset, values.end());
  each_schedule([&] {
    Buffer<TypeParam> x(values), y(n), dx(n);
    kernels::swish(Cuda{}, y.data(), x.data() + offset, {.n = n});
    EXPECT_EQ(difference(y.read(), swish_reference(tail)), "");
    kernels::swish_backward(Cuda{}, dx.data(), y.data(), x.data() + offset, {.n = n});
    EXPECT_EQ(difference(dx.read(), swish_backward_reference(y.read(), tail),
                         backward_tolerance<TypeParam>),
              "");
  });
}

TYPED_TEST(SwishTest, WorksInPlace) {
  constexpr std::int64_t n = 300;
  const auto values = random_values<TypeParam>(n, -5, 5, 5);
  const auto gradient = random_values<TypeParam>(n, -1, 1, 6);
  each_schedule([&] {
    Buffer<TypeParam> x(values), dy(gradient);
    kernels::swish_backward(Cuda{}, dy.data(), x.data(), dy.data(), {.n = n});
    kernels::swish(Cuda{}, x.data(), x.data(), {.n = n});
    EXPECT_EQ(difference(x.read(), swish_reference(values)), "");
    EXPECT_EQ(difference(dy.read(), swish_backward_reference(values, gradient),
                         backward_tolerance<TypeParam>),
              "");
  });
}

TYPED_TEST(SwishTest, InfinitiesNansAndZeros) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<TypeParam> values{TypeParam(std::nanf("")), TypeParam(infinity),
                                      TypeParam(0.0f),          TypeParam(-0.0f),
                                      TypeParam(-500.0f),       TypeParam(500.0f)};
  each_schedule([&] {
    Buffer<TypeParam> y(std::ssize(values)), x(values);
    kernels::swish(Cuda{}, y.data(), x.data(), {.n = std::ssize(values)});
    const std::vector<TypeParam> got = y.read();
    EXPECT_TRUE(std::isnan(static_cast<float>(got[0])));
    EXPECT_EQ(static_cast<float>(got[1]), infinity);
    EXPECT_EQ(static_cast<float>(got[2]), 0.0f);
    EXPECT_TRUE(std::signbit(static_cast<float>(got[3])));
    EXPECT_NEAR(static_cast<float>(got[4]), 0.0f, 1e-30f);
    EXPECT_EQ(static_cast<float>(got[5]), 500.0f);
  });
}

}  // namespace
}  // namespace mien::test
