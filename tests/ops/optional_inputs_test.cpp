// Inputs that may be left out, and what is mistaken for them.

#include <gtest/gtest.h>
#include <mien/ops/batch_norm.hpp>
#include <mien/ops/conv2d.hpp>
#include <mien/ops/depthwise_conv2d.hpp>
#include <mien/ops/linear.hpp>
#include <mien/ops/silu.hpp>

#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

const auto scalar = Tensor<float>::from({}, {1});
const Tensor<float> absent;

// A tensor without dimensions has the shape of one that was left out, but not its meaning: kernels
// would read a bias of so many channels from its one element.
TEST(OptionalInputs, ATensorWithoutDimensionsIsNoBias) {
  const auto x = Tensor<float>({2, 5, 5, 3}), w = Tensor<float>({3, 3, 3, 4});
  EXPECT_EQ(thrown([&] { conv2d(x, w, scalar); }), "[conv2d] input 2 has no dimensions");
  EXPECT_EQ(thrown([&] {
              depthwise_conv2d(x, Tensor<float>({3, 3, 3}), scalar);
            }),
            "[depthwise_conv2d] input 2 has no dimensions");
  EXPECT_EQ(thrown([&] {
              linear(x, Tensor<float>({3, 4}), scalar);
            }),
            "[linear] input 2 has no dimensions");
  EXPECT_EQ(thrown([&] { batch_norm(x, scalar, absent, {}); }),
            "[batch_norm] input 1 has no dimensions");
  EXPECT_EQ(thrown([&] { batch_norm(x, absent, scalar, {}); }),
            "[batch_norm] input 2 has no dimensions");
}

TEST(OptionalInputs, OthersMustBeThere) {
  EXPECT_EQ(thrown([] { silu(absent); }), "[silu] input 0 is an undefined tensor");
  EXPECT_EQ(thrown([] {
              conv2d(Tensor<float>({2, 5, 5, 3}), absent);
            }),
            "[conv2d] input 1 is an undefined tensor");
}

}  // namespace
