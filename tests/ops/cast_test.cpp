#include <gtest/gtest.h>
#include <mien/autograd/engine.hpp>
#include <mien/ops/cast.hpp>
#include <mien/ops/mul.hpp>
#include <mien/ops/permute.hpp>

#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

TEST(Cast, ConvertsValues) {
  const auto x = Tensor<float>::from({2, 2}, {1.75f, -2.5f, 0, 300});
  EXPECT_EQ(cast<std::int64_t>(x)(0, 1), -2);
  EXPECT_EQ(cast<bool>(x)(1, 0), false);
  EXPECT_EQ(cast<double>(cast<bf16>(x))(1, 1), 300.0);
  EXPECT_EQ(cast<float>(Tensor<std::uint8_t>::full({1}, 255))(0), 255.0f);
  EXPECT_EQ(cast<double>(transpose(x))(0, 1), 0.0);
  EXPECT_EQ(cast<float>(x).storage(), x.storage());
}

TEST(Cast, GradientComesBackInTheTypeOfTheInput) {
  auto x = Tensor<float>::from({2}, {3, 5}), scale = Tensor<float>::from({2}, {2, 4});
  x.set_requires_grad();
  const Tensor<bf16> low = cast<bf16>(x) * cast<bf16>(scale);
  const Tensor<double> y = cast<double>(low) * cast<double>(x);
  y.backward(Tensor<double>::ones({2}));
  EXPECT_EQ(x.grad()(0), 2 * 2 * 3.0f);
  EXPECT_EQ(x.grad()(1), 2 * 4 * 5.0f);
}

TEST(Cast, RecordsOnlyWhereGradientsFlow) {
  auto x = Tensor<float>::ones({2});
  EXPECT_FALSE(cast<double>(x).requires_grad());
  x.set_requires_grad();
  EXPECT_TRUE(cast<double>(x).requires_grad());
  EXPECT_FALSE(cast<std::int32_t>(x).requires_grad());
  const NoGrad no_grad;
  EXPECT_FALSE(cast<double>(x).requires_grad());
}

TEST(Cast, SecondWalkNeedsARetainedGraph) {
  auto x = Tensor<float>::ones({});
  x.set_requires_grad();
  const auto y = cast<double>(x);
  y.backward({}, /*retain_graph=*/true);
  y.backward();
  EXPECT_EQ(x.grad().item(), 2.0f);
  EXPECT_EQ(thrown([&] { y.backward(); }),
            "[backward] the graph of 'cast' was freed by an earlier backward(); pass retain_graph "
            "to walk it twice");
}

}  // namespace
