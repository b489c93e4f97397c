// Depthwise convolution and squeeze-excite where samples do not reach: the fused path of an MBConv
// block, pooled sums, errors.

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/ops/conv2d.hpp>
#include <mien/ops/depthwise_conv2d.hpp>
#include <mien/ops/squeeze_excite.hpp>

#include "support/difference.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::difference;
using mien::test::thrown;

// silu(conv * scale + shift), squeeze-excite, 1x1 projection plus residual: fused, and op by op in
// double.
TEST(DepthwiseConv2dFused, MbconvEqualsItsSteps) {
  Generator generator(13);
  for (const std::int64_t size : {3, 12}) {
    const auto x = rand<float>({2, size, size, 21}, generator, -1, 1);
    const auto depthwise = rand<float>({3, 3, 21}, generator, -0.5f, 0.5f);
    const auto project = rand<float>({1, 1, 21, 6}, generator, -0.5f, 0.5f);
    const auto scale = rand<float>({21}, generator, 0.5f, 2), shift = rand<float>({21}, generator);
    const auto w1 = rand<float>({21, 4}, generator, -1, 1), b1 = rand<float>({4}, generator);
    const auto w2 = rand<float>({4, 21}, generator, -1, 1), b2 = rand<float>({21}, generator);
    const auto residual = rand<float>({2, size, size, 6}, generator);

    Tensor<float> sums;
    const auto y =
        depthwise_conv2d_fused(x, depthwise, {.padding = 1, .activation = Activation::silu},
                               {.scale = scale, .shift = shift}, &sums);
    const auto gates = squeeze_excite_gates(sums, size * size, w1, b1, w2, b2);
    const auto out = conv2d_gated(y, gates, project, {}, {.residual = residual});

    Tensor<double> scaled = depthwise.to<double>();
    double* p = scaled.mutable_data();
    for (std::int64_t i = 0; i < scaled.numel(); ++i) p[i] *= scale(i % 21);
    const auto expected = depthwise_conv2d(x.to<double>(), scaled, shift.to<double>(),
                                           {.padding = 1, .activation = Activation::silu});
    EXPECT_EQ(difference(y, expected, 4e-6), "");
    const auto excited = squeeze_excite(expected, w1.to<double>(), b1.to<double>(), w2.to<double>(),
                                        b2.to<double>());
    Tensor<double> result = conv2d(excited, project.to<double>(), {});
    double* r = result.mutable_data();
    for (std::int64_t i = 0; i < result.numel(); ++i) r[i] += residual.data()[i];
    EXPECT_EQ(difference(out, result, 4e-6), "") << size << " pixels";
  }
}

TEST(DepthwiseConv2d, Errors) {
  const auto x = Tensor<float>::zeros({1, 5, 5, 24}), w = Tensor<float>::zeros({3, 3, 32});
  EXPECT_EQ(thrown([&] { depthwise_conv2d(x, w, {}); }),
            "[depthwise_conv2d] weight has 32 channels, input has 24");
  EXPECT_EQ(thrown([&] {
              depthwise_conv2d(x, Tensor<float>::zeros({1, 1, 3, 24}), {});
            }),
            "[depthwise_conv2d] expected a weight of shape (kh, kw, channels), got (1, 1, 3, 24)");
  EXPECT_EQ(thrown([&] {
              depthwise_conv2d_fused(x, Tensor<float>::zeros({3, 3, 24}), {},
                                     {.scale = Tensor<float>::ones({23})});
            }),
            "[depthwise_conv2d_fused] expected a scale of shape (24), got (23)");
}

TEST(SqueezeExcite, Errors) {
  const auto x = Tensor<float>::zeros({1, 2, 2, 8}), b1 = Tensor<float>::zeros({2});
  const auto b2 = Tensor<float>::zeros({8});
  EXPECT_EQ(thrown([&] {
              squeeze_excite(x, Tensor<float>::zeros({7, 2}), b1, Tensor<float>::zeros({2, 8}), b2);
            }),
            "[squeeze_excite] expected a first weight (8, reduced), got (7, 2)");
  EXPECT_EQ(thrown([&] {
              squeeze_excite(x, Tensor<float>::zeros({8, 2}), b1, Tensor<float>::zeros({8, 2}), b2);
            }),
            "[squeeze_excite] expected a second weight (2, 8), got (8, 2)");
}

// TensorFlow's rule: ceil(size / stride) outputs, the odd zero below and to the right.
TEST(SamePadding, FollowsTheImage) {
  const auto even = same_padding({1, 224, 225, 3}, 3, 2);
  EXPECT_EQ(even.top, 0);
  EXPECT_EQ(even.bottom, 1);
  EXPECT_EQ(even.left, 1);
  EXPECT_EQ(even.right, 1);
  const auto wide = same_padding({1, 7, 8, 3}, 5, 2);
  EXPECT_EQ(wide.top, 2);
  EXPECT_EQ(wide.bottom, 2);
  EXPECT_EQ(wide.left, 1);
  EXPECT_EQ(wide.right, 2);
  const auto none = same_padding({1, 7, 7, 3}, 1, 2);
  EXPECT_EQ(none.top + none.bottom + none.left + none.right, 0);
}

}  // namespace
