// The variants of the convolution's kernel one by one: tall tiles, which the launcher takes for
// large images alone, and both policies of mma.hpp against each other.

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include <kernels/conv3x3.hpp>
#include <kernels/values.hpp>
#include <mien/cuda/conv3x3.cuh>
#include <support/backend.hpp>

namespace mien::test {
namespace {

namespace conv = kernels::conv;

template <class T>
class Conv3x3VariantTest : public KernelTest {};
TYPED_TEST_SUITE(Conv3x3VariantTest, StorageTypes);

// Two tiles side by side.
template <class Mma, int K, int R, class T>
std::vector<T> result(const std::vector<T>& x, const std::vector<float>& w,
                      const Conv3x3Params& p) {
  PackedConv3x3<T> packed(w, p);
  Buffer<T> y(y_pixels(p) * p.out_c), in(x);
  conv::launch<Mma, K, R, 4, T>(Cuda{}, y.data(), in.data(), packed.data(), p, {});
  return y.read();
}

TYPED_TEST(Conv3x3VariantTest, TallTiles) {
  constexpr int rows = conv::tall<TypeParam>;
  for (const bool upsample : {false, true}) {
    const auto p = plain(1, rows + 1, 18, 8, 24, upsample);
    const auto x = random_values<TypeParam>(x_pixels(p) * p.c_in, -1, 1, 1);
    const auto w = random_weights(p, 2);
    const auto expected = convolve(x, w, p);
    each_schedule([&] {
      const auto y = upsample ? result<kernels::dev::DeviceMma, 2, rows>(x, w, p)
                              : result<kernels::dev::DeviceMma, 3, rows>(x, w, p);
      EXPECT_EQ(difference(y, expected, of_sums<TypeParam>(p)), "") << to_string(p);
    });
  }
}

TYPED_TEST(Conv3x3VariantTest, ByShuffles) {
  const auto p = plain(1, 2, 3, 24, 16);
  const auto x = random_values<TypeParam>(x_pixels(p) * p.c_in, -1, 1, 3);
  const auto w = random_weights(p, 4);
  const auto y = result<kernels::dev::MmaShuffle, 3, conv::low>(x, w, p);
  EXPECT_EQ(difference(y, convolve(x, w, p), of_sums<TypeParam>(p)), "");
}

}  // namespace
}  // namespace mien::test
