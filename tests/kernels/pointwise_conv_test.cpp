#include <mien/cuda/pointwise_conv.hpp>

#include <gtest/gtest.h>

#include <kernels/pointwise_conv.hpp>

namespace mien::test {
namespace {

using pointwise::Case, pointwise::Data, pointwise::PointwiseConvParams;

template <class T>
class PointwiseConvTest : public KernelTest {};
TYPED_TEST_SUITE(PointwiseConvTest, StorageTypes);

template <class T>
void expect_reference(const Case& c) {
  pointwise::expect_reference<T>(
      c, [](auto... arguments) { kernels::pointwise_conv<T>(Cuda{}, arguments...); });
}

TYPED_TEST(PointwiseConvTest, IsTheProduct) {
  for (const Case& c : shapes<Case>({{{1, 1, 1, 1}},
                                     {{35, 7, 24, 40}},
                                     {{17, 17, 100, 6}},
                                     {{40, 40, 13, 33}},
                                     {{5, 5, 136, 2}}},
                                    {{{35, 7, 24, 40}}, {{17, 17, 100, 6}}, {{40, 40, 13, 33}}}))
    expect_reference<TypeParam>(c);
}

TYPED_TEST(PointwiseConvTest, Epilogues) {
  const PointwiseConvParams even{26, 13, 40, 24}, odd{26, 13, 37, 11};
  for (const PointwiseConvParams& p : {even, odd}) {
    expect_reference<TypeParam>({.p = p, .scaled = true});
    expect_reference<TypeParam>({.p = p, .shifted = true, .silu = true});
    expect_reference<TypeParam>({p, true, true, false, true});
  }
}

// The residual is read where y is written.
TEST_F(KernelTest, PointwiseConvAddsToItsOwnInput) {
  const Case c{{9, 9, 8, 8}, false, false, false, true};
  const Data<float> d(c.p);
  each_schedule([&] {
    Buffer<float> y(d.residual), x(d.x), w(d.w);
    kernels::pointwise_conv(Cuda{}, y.data(), x.data(), w.data(), c.p, {.residual = y.data()});
    EXPECT_EQ(difference(y.read(), reference(c, d), {1e-5, 1e-5}), "");
  });
}

TEST_F(KernelTest, PointwiseConvNamesTooManyChannels) {
  try {
    kernels::pointwise_conv<float>(Cuda{}, nullptr, nullptr, nullptr, {1, 1, 5'000'000, 8});
    FAIL() << "offsets of 32 bits";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("got 5000000 to 8"), std::string::npos) << e.what();
  }
}

// Pointers that are aligned to their elements alone.
TEST_F(KernelTest, PointwiseConvTakesAnyAlignment) {
  const Case c{{9, 9, 16, 8}};
  Data<bf16> d(c.p);
  const auto expected = reference(c, d);
  d.x.insert(d.x.begin(), bf16(0));
  each_schedule([&] {
    Buffer<bf16> y(9 * 8), x(d.x), w(d.w);
    kernels::pointwise_conv(Cuda{}, y.data(), x.data() + 1, w.data(), c.p);
    EXPECT_EQ(difference(y.read(), expected, {0x1.1p-8, 1e-5}), "");
  });
}

}  // namespace
}  // namespace mien::test
