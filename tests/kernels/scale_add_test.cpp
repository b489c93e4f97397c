#include <mien/cuda/scale_add.hpp>

#include <gtest/gtest.h>

#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

template <class T>
class ScaleAddTest : public KernelTest {};
TYPED_TEST_SUITE(ScaleAddTest, StorageTypes);

template <class T>
std::vector<double> expected(const std::vector<T>& x, const std::vector<T>& residual) {
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back(static_cast<double>(0.2f) * static_cast<double>(x[i]) +
                static_cast<double>(residual[i]));
  return y;
}

// The sum may cancel: its error is that of the terms.
template <class T>
constexpr Tolerance of_sum{kernel_tolerance<T>.relative, kernel_tolerance<T>.absolute + 1e-6};

TYPED_TEST(ScaleAddTest, WithAResidualAndWithout) {
  for (const std::int64_t n :
       shapes<std::int64_t>({0, 1, 7, 8, 13, 255, 2048, 2053, 5003}, {13, 2053})) {
    const auto values = random_values<TypeParam>(n, -5, 5, 1),
               other = random_values<TypeParam>(n, -5, 5, 2);
    const std::vector<TypeParam> zeros(values.size());
    each_schedule([&] {
      Buffer<TypeParam> y(n), dx(n), x(values), residual(other);
      kernels::scale_add(Cuda{}, y.data(), x.data(), residual.data(), {n, 0.2f});
      kernels::scale_add<TypeParam>(Cuda{}, dx.data(), x.data(), nullptr, {n, 0.2f});
      EXPECT_EQ(difference(y.read(), expected(values, other), of_sum<TypeParam>), "") << n;
      EXPECT_EQ(difference(dx.read(), expected(values, zeros)), "") << n;
    });
  }
}

TYPED_TEST(ScaleAddTest, InPlaceAtAnyAddress) {
  constexpr std::int64_t n = 301;
  const auto values = random_values<TypeParam>(n, -5, 5, 3),
             other = random_values<TypeParam>(n + 1, -5, 5, 4);
  const std::vector<TypeParam> tail(other.begin() + 1, other.end());
  each_schedule([&] {
    Buffer<TypeParam> x(values), residual(other);
    kernels::scale_add(Cuda{}, residual.data() + 1, x.data(), residual.data() + 1, {n, 0.2f});
    auto got = residual.read();
    got.erase(got.begin());
    EXPECT_EQ(difference(got, expected(values, tail), of_sum<TypeParam>), "");
  });
}

}  // namespace
}  // namespace mien::test
