// Both policies of mma.hpp against products in double, and against each other where both run.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include <kernels/values.hpp>
#include <mien/cuda/launch.hpp>
#include <mien/cuda/mma.hpp>
#include <support/backend.hpp>

namespace mien::kernels {
namespace {

// c (16, 8) = a (16, k) b (8, k) transposed, twice over; one warp.
template <class Mma, class T>
MIEN_KERNEL(dev::warp_size)
void product_kernel(float* c, const T* a, const T* b) {
  constexpr int k = dev::mma_k<T>;
  MIEN_SHARED(T, rows, [16][k]);
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 16 * k; i += dev::warp_size) rows[i / k][i % k] = a[i];
  __syncwarp();
  unsigned of_a[4], of_b[2];
  // Matrices: rows 0 to 7, rows 8 to 15, then both once more for the upper 16 bytes.
  Mma::load_rows(of_a, &rows[lane % 16][lane / 16 * k / 2]);
  const auto* words = reinterpret_cast<const unsigned*>(b) + lane / 4 * 8 + lane % 4;
  of_b[0] = words[0];
  of_b[1] = words[4];
  float sum[4] = {};
  for (int i = 0; i < 2; ++i) Mma::template multiply_add<T>(sum, of_a, of_b);
  for (int i = 0; i < 4; ++i) c[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = sum[i];
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

template <class T>
class MmaTest : public KernelTest {};
TYPED_TEST_SUITE(MmaTest, StorageTypes);

template <class Mma, class T>
void expect_product() {
  constexpr int k = kernels::dev::mma_k<T>;
  const auto of_a = random_values<T>(16 * k, -1, 1, 1), of_b = random_values<T>(8 * k, -1, 1, 2);
  std::vector<double> expected(16 * 8);
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t j = 0; j < 8; ++j)
      for (std::size_t m = 0; m < k; ++m)
        expected[i * 8 + j] += 2 * static_cast<double>(static_cast<float>(of_a[i * k + m])) *
                               static_cast<double>(static_cast<float>(of_b[j * k + m]));
  each_schedule([&] {
    Buffer<T> a(of_a), b(of_b);
    Buffer<float> c(16 * 8);
    cuda::launch(kernels::product_kernel<Mma, T>, {.block = kernels::dev::warp_size}, c.data(),
                 a.data(), b.data());
    EXPECT_EQ(difference(c.read(), expected, {1e-5, 1e-5}), "");
  });
}

TYPED_TEST(MmaTest, ByShuffles) { expect_product<kernels::dev::MmaShuffle, TypeParam>(); }

// Tensor cores on a GPU.
TYPED_TEST(MmaTest, ByTheDevice) { expect_product<kernels::dev::DeviceMma, TypeParam>(); }

}  // namespace
}  // namespace mien::test
