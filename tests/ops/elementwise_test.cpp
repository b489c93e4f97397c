// Elementwise ops where samples do not reach: numbers as operands, special values, long rows, what
// is kept for backward.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <mien/core/index.hpp>
#include <mien/core/random.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/clamp.hpp>
#include <mien/ops/div.hpp>
#include <mien/ops/exp.hpp>
#include <mien/ops/maximum.hpp>
#include <mien/ops/minimum.hpp>
#include <mien/ops/mul.hpp>
#include <mien/ops/neg.hpp>
#include <mien/ops/prelu.hpp>
#include <mien/ops/relu.hpp>
#include <mien/ops/scale_shift.hpp>
#include <mien/ops/sub.hpp>

#include "support/thread_count.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(Numbers, OnEitherSide) {
  auto x = Tensor<float>::from({2}, {4, -8});
  x.set_requires_grad();
  const auto value_and_slope = [&](const Tensor<float>& y) {
    x.zero_grad();
    y.backward(Tensor<float>::ones({2}));
    return std::pair(y(0), x.grad()(0));
  };
  EXPECT_EQ(value_and_slope(x * 3), std::pair(12.0f, 3.0f));
  EXPECT_EQ(value_and_slope(3 * x), std::pair(12.0f, 3.0f));
  EXPECT_EQ(value_and_slope(x / 2), std::pair(2.0f, 0.5f));
  EXPECT_EQ(value_and_slope(2 / x), std::pair(0.5f, -0.125f));
  EXPECT_EQ(value_and_slope(x + 1), std::pair(5.0f, 1.0f));
  EXPECT_EQ(value_and_slope(1.5 + x), std::pair(5.5f, 1.0f));
  EXPECT_EQ(value_and_slope(x - 1), std::pair(3.0f, 1.0f));
  EXPECT_EQ(value_and_slope(1 - x), std::pair(-3.0f, -1.0f));
  EXPECT_EQ(value_and_slope(-x), std::pair(-4.0f, -1.0f));
}

TEST(Numbers, ProductKeepsTheSignOfZero) {
  EXPECT_TRUE(std::signbit((Tensor<float>::scalar(-0.0f) * 2).item()));
}

TEST(SpecialValues, NanPasses) {
  const auto a = Tensor<float>::from({4}, {nan, 1, infinity, 2});
  const auto b = Tensor<float>::from({4}, {1, nan, 3, -infinity});
  EXPECT_TRUE(std::isnan(maximum(a, b)(0)) && std::isnan(maximum(a, b)(1)));
  EXPECT_TRUE(std::isnan(minimum(a, b)(0)) && std::isnan(minimum(a, b)(1)));
  EXPECT_EQ(maximum(a, b)(2), infinity);
  EXPECT_EQ(minimum(a, b)(3), -infinity);
  EXPECT_TRUE(std::isnan(relu(a)(0)));
  EXPECT_TRUE(std::isnan(clamp(a, {.low = 0, .high = 1.5})(0)));
  EXPECT_EQ(clamp(a, {.high = 1.5})(2), 1.5f);
}

TEST(Maximum, EqualOperandsShareTheGradient) {
  auto a = Tensor<float>::from({3}, {1, 2, 3}), b = Tensor<float>::from({3}, {1, 3, 2});
  a.set_requires_grad();
  b.set_requires_grad();
  maximum(a, b).backward(Tensor<float>::ones({3}));
  minimum(a, b).backward(Tensor<float>::full({3}, 10));
  EXPECT_EQ(a.grad()(0), 5.5f);
  EXPECT_EQ(b.grad()(0), 5.5f);
  EXPECT_EQ(a.grad()(1), 10.0f);
  EXPECT_EQ(b.grad()(1), 1.0f);
}

TEST(Broadcast, LongRowsAndManyRows) {
  Generator generator(3);
  const auto check = [&](const Shape& shape_a, const Shape& shape_b) {
    const auto a = rand<float>(shape_a, generator), b = rand<float>(shape_b, generator);
    const auto y = a - b;
    const Shape steps_a = broadcast_strides(shape_a, a.strides(), y.shape());
    const Shape steps_b = broadcast_strides(shape_b, b.strides(), y.shape());
    each_index(y.shape(), [&](const Shape& at) {
      ASSERT_EQ(y.data()[offset_of(at, y.strides())],
                a.data()[offset_of(at, steps_a)] - b.data()[offset_of(at, steps_b)]);
    });
  };
  check({2, 40001}, {2, 1});
  check({40001}, {3, 1});
  check({1, 9, 1, 1000}, {7, 1, 5, 1000});
  check({9000, 3}, {3});
  check({3, 0, 2}, {2});
}

TEST(Broadcast, SameBitsOnAnyNumberOfThreads) {
  Generator generator(4);
  auto x = rand<float>({300, 7, 33}, generator), slope = rand<float>({33}, generator);
  x.set_requires_grad();
  slope.set_requires_grad();
  mien::test::expect_same_bits_on_any_number_of_threads([&] {
    slope.zero_grad();
    prelu(x - 0.5, slope).backward(x);
    return slope.grad();
  });
}

TEST(Backward, KeepsOnlyWhatItReads) {
  auto x = Tensor<float>::ones({2}), constant = Tensor<float>::ones({2});
  x.set_requires_grad();
  const auto uses = [](const Tensor<float>& t) { return t.storage()->use_count(); };
  {
    const auto y = x * constant;  // the gradient of x reads the constant alone
    EXPECT_EQ(uses(x), 1u);
    EXPECT_EQ(uses(constant), 2u);
  }
  const auto sum = x + constant, scaled = x * 2, e = exp(x), positive = relu(x);
  EXPECT_EQ(uses(x), 1u);
  EXPECT_EQ(uses(constant), 1u);
  EXPECT_EQ(uses(scaled), 1u);
  EXPECT_EQ(uses(e), 2u);
  EXPECT_EQ(uses(positive), 2u);
}

TEST(Backward, SumsHandTheirGradientOn) {
  auto a = Tensor<float>::ones({2, 3}), b = Tensor<float>::ones({3});
  a.set_requires_grad();
  b.set_requires_grad();
  const auto dy = Tensor<float>::from({2, 3}, {1, 2, 3, 4, 5, 6});
  (a + b).backward(dy);
  (a - b).backward(dy);
  EXPECT_EQ(a.grad()(1, 2), 12.0f);
  EXPECT_EQ(b.grad()(1), 0.0f);
  EXPECT_EQ(dy(0, 0), 1.0f) << "the caller's gradient stays";
}

TEST(Errors, NameTheOpAndTheShapes) {
  const auto a = Tensor<float>::zeros({2, 3}), b = Tensor<float>::zeros({4});
  EXPECT_EQ(thrown([&] { a* b; }), "[mul] shapes (2, 3) and (4) do not broadcast");
  EXPECT_EQ(thrown([&] { prelu(a, b); }),
            "[prelu] expected 1 slope or one per channel of x (2, 3), got (4)");
  EXPECT_EQ(thrown([&] { clamp(a, {.low = 2, .high = 1.5}); }), "[clamp] low 2 is above high 1.5");
}

}  // namespace
