// Resizing and pixel shuffling where samples do not reach: exact doubling at any size, inverses,
// errors.

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/ops/pixel_shuffle.hpp>
#include <mien/ops/pixel_unshuffle.hpp>
#include <mien/ops/resize_bilinear.hpp>
#include <mien/ops/resize_nearest.hpp>

#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

// floor(o * 0.5f) is exact; a size as large as this would show an index computed otherwise.
TEST(ResizeNearest, DoublesExactly) {
  constexpr std::int64_t w = 40001;
  const auto x = Tensor<float>::arange(w).view_as({1, 1, w, 1});
  const auto y = resize_nearest(x, {2, 2 * w});
  for (std::int64_t i = 0; i < 2 * w; ++i) {
    ASSERT_EQ(y(0, 0, i, 0), static_cast<float>(i / 2));
    ASSERT_EQ(y(0, 1, i, 0), static_cast<float>(i / 2));
  }
}

TEST(ResizeBilinear, EqualSizeIsTheIdentity) {
  Generator generator(11);
  const auto x = rand<float>({2, 5, 7, 3}, generator);
  const auto y = resize_bilinear(x, {5, 7});
  for (std::int64_t i = 0; i < x.numel(); ++i) ASSERT_EQ(x.data()[i], y.data()[i]);
}

TEST(PixelShuffle, UnshuffleIsItsInverse) {
  Generator generator(12);
  const auto x = rand<float>({2, 3, 5, 36}, generator);
  const auto y = pixel_unshuffle(pixel_shuffle(x, 3), 3);
  ASSERT_EQ(y.shape(), x.shape());
  for (std::int64_t i = 0; i < x.numel(); ++i) ASSERT_EQ(x.data()[i], y.data()[i]);
}

TEST(Resize, Errors) {
  const auto x = Tensor<float>::zeros({1, 4, 6, 10});
  EXPECT_EQ(thrown([&] {
              resize_nearest(x, {0, 3});
            }),
            "[resize_nearest] cannot resize to 0x3 pixels");
  EXPECT_EQ(thrown([&] {
              resize_bilinear(Tensor<float>::zeros({1, 0, 4, 3}), {2, 2});
            }),
            "[resize_bilinear] expected images (n, h, w, c), got (1, 0, 4, 3)");
  EXPECT_EQ(thrown([&] { pixel_shuffle(x, 2); }),
            "[pixel_shuffle] 10 channels are no multiple of 2x2");
  EXPECT_EQ(thrown([&] { pixel_unshuffle(x, 4); }),
            "[pixel_unshuffle] an image of 4x6 pixels does not divide into blocks of 4x4");
}

}  // namespace
