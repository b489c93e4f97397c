#include <mien/cuda/conv3x3.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include <kernels/conv3x3.hpp>
#include <kernels/values.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::test {
namespace {

using kernels::Conv3x3Epilogue;

template <class T>
class Conv3x3Test : public KernelTest {};
TYPED_TEST_SUITE(Conv3x3Test, StorageTypes);

// Slabs whole, in part and several, groups of 8 and blocks of 32 output channels, pixels in one
// tile and in several, and both accesses.
TYPED_TEST(Conv3x3Test, IsTheDefinition) {
  for (const Conv3x3Params& p : shapes<Conv3x3Params>(
           {plain(2, 5, 7, 3, 64), plain(1, 9, 17, 8, 3), plain(1, 1, 1, 64, 48),
            plain(1, 2, 3, 96, 32), plain(1, 3, 5, 20, 5), plain(1, 1, 19, 12, 9)},
           {plain(1, 2, 3, 96, 32), plain(1, 1, 19, 12, 9)})) {
    const auto x = random_values<TypeParam>(x_pixels(p) * p.c_in, -1, 1, 1);
    const auto w = random_weights(p, 2);
    const auto expected = convolve(x, w, p);
    each_schedule([&] {
      PackedConv3x3<TypeParam> packed(w, p);
      Buffer<TypeParam> y(y_pixels(p) * p.out_c), in(x);
      kernels::conv3x3(Cuda{}, y.data(), in.data(), packed.data(), p);
      EXPECT_EQ(difference(y.read(), expected, of_sums<TypeParam>(p)), "") << to_string(p);
    });
  }
}

TYPED_TEST(Conv3x3Test, OfAnEnlargedImage) {
  for (const Conv3x3Params& p :
       shapes<Conv3x3Params>({plain(2, 3, 5, 12, 8, true), plain(1, 2, 17, 16, 40, true)},
                             {plain(2, 3, 5, 12, 8, true)})) {
    const auto x = random_values<TypeParam>(x_pixels(p) * p.c_in, -1, 1, 3);
    const auto w = random_weights(p, 4);
    const auto expected = convolve(x, w, p);
    each_schedule([&] {
      PackedConv3x3<TypeParam> packed(w, p);
      Buffer<TypeParam> y(y_pixels(p) * p.out_c), in(x);
      kernels::conv3x3(Cuda{}, y.data(), in.data(), packed.data(), p);
      EXPECT_EQ(difference(y.read(), expected, of_sums<TypeParam>(p)), "") << to_string(p);
    });
  }
}

// The front of a pixel is read and what follows it written; the rest, NaN at first, is neither.
TYPED_TEST(Conv3x3Test, AppendsToADenseBlocksImage) {
  constexpr int all = 112, from = 64, to = 32;
  const Conv3x3Params p{1, 5, 7, from, to, all, all};
  auto image = random_values<TypeParam>(x_pixels(p) * all, -1, 1, 5);
  for (std::size_t i = 0; i < image.size(); ++i)
    if (i % all >= from) image[i] = TypeParam(std::nanf(""));
  const auto w = random_weights(p, 6);
  const auto bias = random_values<float>(to, -1, 1, 7);
  auto expected = convolve(image, w, p);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] += static_cast<double>(bias[i % to]);
    if (expected[i] < 0) expected[i] *= static_cast<double>(0.2f);
  }
  each_schedule([&] {
    PackedConv3x3<TypeParam> packed(w, p);
    Buffer<TypeParam> x(image);
    Buffer<float> b(bias);
    kernels::conv3x3(Cuda{}, x.data() + from, x.data(), packed.data(), p,
                     {.bias = b.data(), .slope = 0.2f});
    const auto got = x.read();
    std::vector<TypeParam> written;
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (i % all < from) {
        ASSERT_EQ(static_cast<float>(got[i]), static_cast<float>(image[i]));
      } else if (i % all < from + to) {
        written.push_back(got[i]);
      } else {
        ASSERT_TRUE(std::isnan(static_cast<float>(got[i])));
      }
    }
    EXPECT_EQ(difference(written, expected, of_sums<TypeParam>(p)), "");
  });
}

// y = 0.2 (0.2 v + dense) + outer with v of PReLU, the dense block's input being a slice and the
// outer residual y itself.
TYPED_TEST(Conv3x3Test, EpilogueInTheOrderOfADenseBlock) {
  for (const int stride : {48, 41}) {  // in packs, element by element
    const Conv3x3Params p{1, 3, 6, 16, 40, 16, stride};
    const auto pixels = x_pixels(p);
    const auto x = random_values<TypeParam>(pixels * p.c_in, -1, 1, 8),
               dense = random_values<TypeParam>(pixels * 64, -1, 1, 9),
               outer = random_values<TypeParam>(pixels * stride, -1, 1, 10);
    const auto w = random_weights(p, 11);
    const auto bias = random_values<float>(p.out_c, -1, 1, 12),
               slopes = random_values<float>(p.out_c, -0.5f, 0.5f, 13);
    const auto sums = convolve(x, w, p);
    std::vector<double> expected(outer.begin(), outer.end());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::size_t c = i % 40, pixel = i / 40,
                        at = pixel * static_cast<std::size_t>(stride) + c;
      double v = sums[i] + static_cast<double>(bias[c]);
      if (v < 0) v *= static_cast<double>(slopes[c]);
      v = static_cast<double>(0.2f) * v + static_cast<double>(dense[pixel * 64 + 8 + c]);
      expected[at] += static_cast<double>(0.2f) * v;
    }
    each_schedule([&] {
      PackedConv3x3<TypeParam> packed(w, p);
      Buffer<TypeParam> y(outer), in(x), inner(dense);
      Buffer<float> b(bias), s(slopes);
      kernels::conv3x3(Cuda{}, y.data(), in.data(), packed.data(), p,
                       {.bias = b.data(),
                        .slopes = s.data(),
                        .residual = {inner.data() + 8, 64, 0.2f},
                        .outer_residual = {y.data(), stride, 0.2f}});
      EXPECT_EQ(difference(y.read(), expected, of_sums<TypeParam>(p)), "") << to_string(p);
    });
  }
}

TYPED_TEST(Conv3x3Test, PointersNeedNoAlignmentBeyondTheTypes) {
  const Conv3x3Params p{1, 2, 3, 8, 8, 9, 9};
  const auto x = random_values<TypeParam>(x_pixels(p) * 9 + 1, -1, 1, 14);
  const auto w = random_weights(p, 15);
  const auto expected = convolve(std::vector<TypeParam>(x.begin() + 1, x.end()), w, p);
  each_schedule([&] {
    PackedConv3x3<TypeParam> packed(w, p);
    Buffer<TypeParam> y(y_pixels(p) * 9 + 1), in(x);
    kernels::conv3x3(Cuda{}, y.data() + 1, in.data() + 1, packed.data(), p);
    const auto got = y.read();
    std::vector<TypeParam> written;
    for (std::size_t i = 0; i < got.size() - 1; ++i)
      if (i % 9 < 8) written.push_back(got[i + 1]);
    EXPECT_EQ(difference(written, expected, of_sums<TypeParam>(p)), "");
  });
}

TEST_F(KernelTest, Conv3x3OfNoPixelsDoesNothing) {
  const Conv3x3Params p = plain(0, 5, 7, 3, 4);
  kernels::conv3x3<float>(Cuda{}, nullptr, nullptr, nullptr, p);
}

TEST_F(KernelTest, Conv3x3SaysWhatItExpects) {
  Conv3x3Params p = plain(1, 2, 2, 64, 32);
  const auto message = [&](const float* packed, const Conv3x3Epilogue<float>& e) {
    return thrown([&] { kernels::conv3x3<float>(Cuda{}, nullptr, nullptr, packed, p, e); });
  };
  Conv3x3Epilogue<float> e;
  p.x_stride = 63;
  EXPECT_EQ(message(nullptr, e), "[conv3x3] expected pixels of x of 64 channels or more, got 63");
  p.x_stride = 64;
  p.y_stride = 31;
  EXPECT_EQ(message(nullptr, e), "[conv3x3] expected pixels of y of 32 channels or more, got 31");
  p.y_stride = 32;
  alignas(16) const float some[2] = {};
  EXPECT_EQ(message(some + 1, e), "[conv3x3] expected packed weights aligned to 16 bytes");
  e.residual.x = some;
  EXPECT_EQ(message(nullptr, e),
            "[conv3x3] expected pixels of a residual of 32 channels or more, got 0");
  p.c_in = 0;
  EXPECT_EQ(message(nullptr, e), "[conv3x3] expected channels to read and to write, got 0 and 32");
}

}  // namespace
}  // namespace mien::test
