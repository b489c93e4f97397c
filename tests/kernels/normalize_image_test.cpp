#include <mien/cuda/normalize_image.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::test {
namespace {

using kernels::NormalizeImageParams;

// Means and deviations of ImageNet, and more.
const std::vector<float> means{0.485f, 0.456f, 0.406f, 0.5f, 0.0f, -1.25f};
const std::vector<float> deviations{0.229f, 0.224f, 0.225f, 0.5f, 1.0f, 0.3f};

std::vector<std::uint8_t> random_bytes(std::int64_t n) {
  std::mt19937 generator(1);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n));
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator() >> 24);
  return bytes;
}

std::int64_t pixels(const NormalizeImageParams& p) { return std::int64_t{p.n} * p.h * p.w; }

// As torchvision computes it: three operations in float, each rounded.
template <class T>
std::vector<T> reference(const std::vector<std::uint8_t>& x,
                         const std::vector<std::uint8_t>& mirrored, const NormalizeImageParams& p) {
  std::vector<T> y;
  for (std::int64_t row = 0; row < std::int64_t{p.n} * p.h; ++row)
    for (int column = 0; column < p.w; ++column)
      for (int c = 0; c < p.out_channels; ++c) {
        const bool reversed =
            !mirrored.empty() && mirrored[static_cast<std::size_t>(row / p.h)] != 0;
        const int from = reversed ? p.w - 1 - column : column;
        const auto channel = static_cast<std::size_t>(c);
        float value = 0;
        if (c < p.c) {
          value = static_cast<float>(x[static_cast<std::size_t>((row * p.w + from) * p.c + c)]);
          value /= 255.0f;
          value -= means[channel];
          value /= deviations[channel];
        }
        y.push_back(T(value));
      }
  return y;
}

template <class T>
std::vector<T> run(const std::vector<std::uint8_t>& x, const std::vector<std::uint8_t>& mirrored,
                   const NormalizeImageParams& p, std::int64_t offset = 0,
                   std::int64_t x_offset = 0) {
  std::vector<std::uint8_t> shifted(static_cast<std::size_t>(x_offset));
  shifted.insert(shifted.end(), x.begin(), x.end());
  Buffer<std::uint8_t> in(shifted), of_image(mirrored);
  Buffer<float> mean(std::vector<float>(means.begin(), means.begin() + p.c)),
      deviation(std::vector<float>(deviations.begin(), deviations.begin() + p.c));
  Buffer<T> y(pixels(p) * p.out_channels + offset);
  kernels::normalize_image(Cuda{}, y.data() + offset, in.data() + x_offset, mean.data(),
                           deviation.data(), mirrored.empty() ? nullptr : of_image.data(), p);
  std::vector<T> out = y.read();
  out.erase(out.begin(), out.begin() + offset);
  return out;
}

template <class T>
void expect_equal(const NormalizeImageParams& p, bool mirrors, std::int64_t offset = 0,
                  std::int64_t x_offset = 0) {
  const auto x = random_bytes(pixels(p) * p.c);
  std::vector<std::uint8_t> mirrored;
  for (int i = 0; mirrors && i < p.n; ++i) mirrored.push_back(i % 2 == 0 ? 1 : 0);
  const auto expected = reference<T>(x, mirrored, p);
  each_schedule([&] {
    EXPECT_TRUE(run<T>(x, mirrored, p, offset, x_offset) == expected)
        << p.n << 'x' << p.h << 'x' << p.w << 'x' << p.c << " to " << p.out_channels
        << (mirrors ? " channels, mirrored" : " channels");
  });
}

template <class T>
class NormalizeImageTest : public KernelTest {};
TYPED_TEST_SUITE(NormalizeImageTest, StorageTypes);

// Every value of a byte in every channel.
TYPED_TEST(NormalizeImageTest, HasTheBitsOfTorchvision) {
  std::vector<std::uint8_t> x;
  for (int value = 0; value < 256; ++value)
    for (std::size_t c = 0; c < means.size(); ++c) x.push_back(static_cast<std::uint8_t>(value));
  const NormalizeImageParams p{.n = 1, .h = 16, .w = 16, .c = 6, .out_channels = 6};
  const auto expected = reference<TypeParam>(x, {}, p);
  each_schedule([&] { EXPECT_TRUE(run<TypeParam>(x, {}, p) == expected); });
}

// Whole packs and not, channels added, rows in reverse.
TYPED_TEST(NormalizeImageTest, TakesImagesOfAnySize) {
  using Shape = std::array<int, 5>;
  for (const auto& [n, h, w, c, out] : shapes<Shape>({{1, 1, 1, 1, 1},
                                                      {3, 5, 7, 3, 3},
                                                      {2, 8, 8, 3, 3},
                                                      {2, 8, 11, 3, 3},
                                                      {2, 3, 5, 3, 8},
                                                      {3, 4, 3, 4, 4},
                                                      {2, 5, 3, 1, 8},
                                                      {2, 2, 9, 6, 7},
                                                      {1, 41, 43, 3, 8}},
                                                     {{2, 8, 11, 3, 3}, {2, 21, 43, 3, 8}}))
    for (const bool mirrors : {false, true})
      expect_equal<TypeParam>({.n = n, .h = h, .w = w, .c = c, .out_channels = out}, mirrors);
}

// More packs than the threads of an image's one block.
TEST_F(KernelTest, NormalizeImageGoesThroughItsBlocksTwice) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  const NormalizeImageParams p{.n = 1056, .h = 15, .w = 18, .c = 3, .out_channels = 8};
  const auto x = random_bytes(pixels(p) * p.c);
  const std::vector<std::uint8_t> mirrored(1056, 1);
  EXPECT_TRUE(run<bf16>(x, mirrored, p) == reference<bf16>(x, mirrored, p));
}

TYPED_TEST(NormalizeImageTest, PointersNeedNoAlignmentBeyondTheTypes) {
  for (const int channels : {3, 8})
    for (const bool mirrors : {false, true})
      expect_equal<TypeParam>({.n = 2, .h = 8, .w = 8, .c = 3, .out_channels = channels}, mirrors,
                              1);
  expect_equal<TypeParam>({.n = 2, .h = 8, .w = 8, .c = 3, .out_channels = 3}, false, 0, 1);
}

TEST_F(KernelTest, NormalizeImageOfNothing) {
  EXPECT_TRUE(run<float>({}, {}, {.n = 0, .h = 4, .w = 4, .c = 3, .out_channels = 3}).empty());
  EXPECT_TRUE(run<float>({}, {}, {.n = 2, .h = 0, .w = 4, .c = 3, .out_channels = 3}).empty());
}

TEST_F(KernelTest, NormalizeImageSaysWhatItExpects) {
  const auto of = [](const NormalizeImageParams& p) {
    return thrown([&] {
      kernels::normalize_image<float>(Cuda{}, nullptr, nullptr, nullptr, nullptr, nullptr, p);
    });
  };
  EXPECT_EQ(of({.n = 1, .h = 1, .w = 1, .c = 33, .out_channels = 40}),
            "[normalize_image] expected 1 to 32 channels, got 33");
  EXPECT_EQ(of({.n = 1, .h = 1, .w = 1, .c = 3, .out_channels = 2}),
            "[normalize_image] expected 3 or more channels of y, got 2");
  EXPECT_EQ(of({.n = 1, .h = 1 << 15, .w = 1 << 15, .c = 2, .out_channels = 2}),
            "[normalize_image] expected up to 2^30 elements of an image, got 2147483648");
}

}  // namespace
}  // namespace mien::test
