// Convolutions where samples do not reach: fused and gated paths, slices of wider images, weights
// that change after they were packed, errors.

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/ops/conv2d.hpp>
#include <mien/ops/linear.hpp>

#include "support/difference.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::difference;
using mien::test::thrown;

// Channels [first, first + count) of images, as a view.
Tensor<float> channels(const Tensor<float>& x, std::int64_t first, std::int64_t count) {
  return x.as_strided({x.dim(0), x.dim(1), x.dim(2), count}, x.strides(), first);
}

// act(conv * scale + shift) * out_scale + residual, one step after another, in double.
Tensor<double> step_by_step(const Tensor<float>& x, const Tensor<float>& w,
                            const Conv2dOptions& options, const FusedEpilogue<float>& e) {
  Conv2dOptions plain = options;
  plain.activation = Activation::none;
  const auto y = conv2d(x.dense().to<double>(), w.to<double>(), {}, plain);
  const Tensor<float> residual = e.residual.defined() ? e.residual.dense() : Tensor<float>();
  double* p = y.mutable_data();
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    const std::int64_t c = i % y.dim(3);
    double v = p[i] * (e.scale.defined() ? e.scale(c) : 1) + (e.shift.defined() ? e.shift(c) : 0);
    if (options.activation == Activation::prelu)
      v = v < 0 ? v * e.slopes(c) : v;
    else
      v = ops::with_activation(options.activation, options.slope, "test",
                               [&](auto op) { return op.reference(v); });
    p[i] = v * e.out_scale + (residual.defined() ? residual.data()[i] : 0);
  }
  return y;
}

class FusedConv2d : public testing::TestWithParam<std::int64_t> {};

TEST_P(FusedConv2d, EqualsItsSteps) {
  const std::int64_t out = GetParam();
  Generator generator(6);
  const auto x = rand<float>({2, 9, 11, 13}, generator, -1, 1);
  const auto residual = rand<float>({2, 9, 11, out}, generator, -1, 1);
  const FusedEpilogue<float> e{.scale = rand<float>({out}, generator, 0.5f, 2),
                               .shift = rand<float>({out}, generator, -1, 1),
                               .slopes = rand<float>({out}, generator, 0.1f, 0.3f),
                               .out_scale = 0.2,
                               .residual = residual};
  for (const std::int64_t kernel : {1, 3}) {
    const auto w = rand<float>({kernel, kernel, 13, out}, generator, -0.2f, 0.2f);
    for (const auto activation : {Activation::none, Activation::relu, Activation::silu,
                                  Activation::leaky_relu, Activation::prelu, Activation::sigmoid}) {
      const Conv2dOptions options{.padding = kernel / 2, .activation = activation, .slope = 0.2};
      EXPECT_EQ(difference(conv2d_fused(x, w, options, e), step_by_step(x, w, options, e), 4e-6),
                "")
          << "kernel " << kernel << ", activation " << static_cast<int>(activation);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Channels, FusedConv2d, testing::Values(1, 8, 33, 64));

// The dense block of RRDBNet: each convolution appends its channels to the image that it reads.
TEST(Conv2dInto, AppendsToTheImageThatItReads) {
  Generator generator(7);
  const auto x = rand<float>({2, 6, 7, 8}, generator, -1, 1);
  const auto w1 = rand<float>({3, 3, 8, 4}, generator, -0.3f, 0.3f);
  const auto w2 = rand<float>({3, 3, 12, 8}, generator, -0.3f, 0.3f);
  const Conv2dOptions options{.padding = 1, .activation = Activation::leaky_relu, .slope = 0.2};
  const auto first = step_by_step(x, w1, options, {}).to<float>();

  auto block = Tensor<float>::zeros({2, 6, 7, 12});
  for (std::int64_t pixel = 0; pixel < 2 * 6 * 7; ++pixel)
    std::copy_n(x.data() + pixel * 8, 8, block.mutable_data() + pixel * 12);
  conv2d_into(channels(block, 8, 4), channels(block, 0, 8), w1, options);
  EXPECT_EQ(difference(channels(block, 8, 4).dense(), first.to<double>(), 4e-6), "");
  EXPECT_EQ(difference(channels(block, 0, 8).dense(), x.to<double>(), 0), "")
      << "input overwritten";

  const FusedEpilogue<float> e{.out_scale = 0.2, .residual = channels(block, 0, 8)};
  EXPECT_EQ(difference(conv2d_fused(block, w2, {.padding = 1}, e),
                       step_by_step(block, w2, {.padding = 1}, e), 4e-6),
            "");
}

// Large images scale the weights, small ones themselves.
TEST(Conv2dGated, EqualsTheConvolutionOfTheProduct) {
  Generator generator(8);
  for (const std::int64_t size : {2, 9}) {
    const auto x = rand<float>({3, size, size, 20}, generator, -1, 1);
    const auto gates = rand<float>({3, 20}, generator);
    const auto w = rand<float>({1, 1, 20, 24}, generator, -0.3f, 0.3f);
    const FusedEpilogue<float> e{.shift = rand<float>({24}, generator),
                                 .residual = rand<float>({3, size, size, 24}, generator)};
    Tensor<float> product = x.clone();
    float* p = product.mutable_data();
    for (std::int64_t i = 0; i < product.numel(); ++i)
      p[i] *= gates(i / (size * size * 20), i % 20);
    EXPECT_EQ(difference(conv2d_gated(x, gates, w, {}, e), step_by_step(product, w, {}, e), 4e-6),
              "")
        << size << " pixels";
  }
}

TEST(PackedWeights, FollowTheWeights) {
  const NoGrad no_grad;
  Generator generator(9);
  const auto x = rand<float>({1, 4, 4, 3}, generator), w = rand<float>({3, 3, 3, 5}, generator);
  const auto before = conv2d(x, w, {}), again = conv2d(x, w, {});
  EXPECT_EQ(before(0, 0, 0, 0), again(0, 0, 0, 0));
  w.mutable_data()[0] += 1;
  EXPECT_NEAR(conv2d(x, w, {})(0, 0, 0, 0), before(0, 0, 0, 0) + x(0, 0, 0, 0), 1e-5);
}

// Two layers that share a storage, and one weight under two groupings, are packed apart.
TEST(PackedWeights, TellLayoutsApart) {
  const NoGrad no_grad;
  Generator generator(10);
  const auto storage = rand<float>({2, 1, 1, 4, 6}, generator);
  const auto first = storage.as_strided({1, 1, 4, 6}, {24, 24, 6, 1});
  const auto second = storage.as_strided({1, 1, 4, 6}, {24, 24, 6, 1}, 24);
  const auto x = rand<float>({1, 1, 1, 4}, generator), wide = rand<float>({1, 1, 1, 8}, generator);
  for (const auto& w : {first, second, first}) {
    float sum = 0;
    for (std::int64_t i = 0; i < 4; ++i) sum += x.data()[i] * w(0, 0, i, 5);
    EXPECT_NEAR(conv2d(x, w, {})(0, 0, 0, 5), sum, 1e-6);
    EXPECT_NEAR(linear(x, w.view_as({4, 6}))(0, 0, 0, 5), sum, 1e-6);
  }
  float grouped = 0;
  for (std::int64_t i = 0; i < 4; ++i) grouped += wide.data()[4 + i] * first(0, 0, i, 5);
  EXPECT_NEAR(conv2d(wide, first, {}, {.groups = 2})(0, 0, 0, 5), grouped, 1e-6);
}

TEST(Conv2d, Errors) {
  const auto x = Tensor<float>::zeros({1, 5, 5, 24}), w = Tensor<float>::zeros({3, 3, 32, 8});
  EXPECT_EQ(thrown([&] { conv2d(x, w, {}); }),
            "[conv2d] weight has 32 input channels, input has 24");
  EXPECT_EQ(thrown([&] {
              conv2d(x, Tensor<float>::zeros({3, 3, 8, 8}), {}, {.groups = 3});
            }),
            "[conv2d] 8 output channels do not divide into 3 groups");
  EXPECT_EQ(thrown([&] {
              conv2d(x, Tensor<float>::zeros({7, 7, 24, 8}), {});
            }),
            "[conv2d] a window of 7 pixels is larger than the padded image's 5");
  const auto fitting = Tensor<float>::zeros({3, 3, 24, 8}), bias = Tensor<float>::zeros({9});
  EXPECT_EQ(thrown([&] { conv2d(x, fitting, bias); }),
            "[conv2d] weight has 8 output channels, bias has shape (9)");
  EXPECT_EQ(thrown([&] { conv2d_into(x, x, fitting, {.padding = 1}); }),
            "[conv2d_into] expected an output of shape (1, 5, 5, 8), got (1, 5, 5, 24)");
  auto learned = fitting.clone();
  learned.set_requires_grad();
  EXPECT_EQ(thrown([&] { conv2d_fused(x, learned, {}); }),
            "[conv2d_into] keeps nothing for backward; call it under NoGrad");
  EXPECT_EQ(thrown([&] {
              linear(Tensor<float>::zeros({2, 5}), Tensor<float>::zeros({4, 3}));
            }),
            "[linear] weight has 4 input features, input has 5");
}

}  // namespace
