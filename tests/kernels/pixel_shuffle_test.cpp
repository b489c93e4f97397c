#include <mien/cuda/pixel_shuffle.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::test {
namespace {

using kernels::PixelShuffleParams;

// Rows in packs of 16 bytes, of 8 and by element; several pieces of a row; factors and numbers of
// channels without tiles.
const auto cases = shapes<PixelShuffleParams>(
    {
        {2, 2, 70, 3, 4},   // SRVGG's last step
        {1, 3, 5, 3, 4},    //
        {1, 1, 9, 1, 4},    //
        {2, 3, 152, 3, 2},  // RRDBNet's first
        {1, 2, 31, 5, 2},   // odd rows
        {1, 2, 10, 64, 2},  //
        {1, 2, 3, 300, 2},  // many channels
        {1, 4, 3, 2, 3},    //
        {1, 3, 4, 5, 1},    //
        {1, 1, 1, 1, 7},    //
    },
    {{1, 2, 70, 3, 4}, {1, 2, 152, 3, 2}, {1, 2, 31, 5, 2}, {1, 2, 3, 300, 2}, {1, 4, 3, 2, 3}});

std::string to_string(const PixelShuffleParams& p) {
  return str(p.n, 'x', p.h, 'x', p.w, 'x', p.c, " by ", p.factor);
}

std::int64_t base_size(const PixelShuffleParams& p) { return std::int64_t{p.n} * p.h * p.w * p.c; }
std::int64_t size(const PixelShuffleParams& p) { return base_size(p) * p.factor * p.factor; }

// Calls f(element of the large image, of the small one, of the base).
template <class F>
void each_element(const PixelShuffleParams& p, const F& f) {
  const int r = p.factor;
  std::size_t large = 0;
  for (int row = 0; row < p.n * p.h * r; ++row)
    for (int column = 0; column < p.w * r; ++column)
      for (int k = 0; k < p.c; ++k, ++large) {
        const int pixel = row / r * p.w + column / r;
        f(large, static_cast<std::size_t>(((pixel * p.c + k) * r + row % r) * r + column % r),
          static_cast<std::size_t>(pixel * p.c + k));
      }
}

template <class T>
class PixelShuffleTest : public KernelTest {};
TYPED_TEST_SUITE(PixelShuffleTest, StorageTypes);

TYPED_TEST(PixelShuffleTest, MovesAndAdds) {
  for (const PixelShuffleParams& p : cases) {
    const auto x = random_values<TypeParam>(size(p), -1, 1, 1);
    const auto base = random_values<TypeParam>(base_size(p), -1, 1, 2);
    std::vector<double> moved(x.size()), sum(x.size());
    each_element(p, [&](std::size_t large, std::size_t small, std::size_t pixel) {
      moved[large] = static_cast<double>(x[small]);
      sum[large] = moved[large] + static_cast<double>(base[pixel]);
    });
    each_schedule([&] {
      Buffer<TypeParam> small(x), add(base), large(size(p)), with_base(size(p));
      kernels::pixel_shuffle<TypeParam>(Cuda{}, large.data(), small.data(), nullptr, p);
      kernels::pixel_shuffle<TypeParam>(Cuda{}, with_base.data(), small.data(), add.data(), p);
      EXPECT_EQ(difference(large.read(), moved, {0, 0}), "") << to_string(p);
      EXPECT_EQ(difference(with_base.read(), sum, {kernel_tolerance<TypeParam>.relative, 1e-7}), "")
          << to_string(p);
    });
  }
}

TYPED_TEST(PixelShuffleTest, UnshuffleMovesBack) {
  for (const PixelShuffleParams& p : cases) {
    const auto x = random_values<TypeParam>(size(p), -1, 1, 3);
    std::vector<double> expected(x.size());
    each_element(p, [&](std::size_t large, std::size_t small, std::size_t) {
      expected[small] = static_cast<double>(x[large]);
    });
    each_schedule([&] {
      Buffer<TypeParam> large(x), small(size(p));
      kernels::pixel_unshuffle(Cuda{}, small.data(), large.data(), p);
      EXPECT_EQ(difference(small.read(), expected, {0, 0}), "") << to_string(p);
    });
  }
}

TYPED_TEST(PixelShuffleTest, PointersNeedNoAlignmentBeyondTheTypes) {
  const PixelShuffleParams p{1, 2, 8, 3, 4};
  auto x = random_values<TypeParam>(size(p) + 1, -1, 1, 4);
  each_schedule([&] {
    Buffer<TypeParam> small(x), large(size(p) + 1), back(size(p) + 1);
    kernels::pixel_shuffle<TypeParam>(Cuda{}, large.data() + 1, small.data() + 1, nullptr, p);
    kernels::pixel_unshuffle<TypeParam>(Cuda{}, back.data() + 1, large.data() + 1, p);
    const auto got = back.read();
    EXPECT_EQ(difference(std::vector<TypeParam>(got.begin() + 1, got.end()),
                         std::vector<double>(x.begin() + 1, x.end()), {0, 0}),
              "");
  });
}

TEST_F(KernelTest, PixelShuffleOfNothingAndByNothing) {
  PixelShuffleParams p{0, 4, 4, 3, 2};
  kernels::pixel_shuffle<float>(Cuda{}, nullptr, nullptr, nullptr, p);
  kernels::pixel_unshuffle<float>(Cuda{}, nullptr, nullptr, p);
  p.factor = 0;
  EXPECT_EQ(thrown([&] { kernels::pixel_unshuffle<float>(Cuda{}, nullptr, nullptr, p); }),
            "[pixel_unshuffle] expected a factor of at least 1, got 0");
}

}  // namespace
}  // namespace mien::test
