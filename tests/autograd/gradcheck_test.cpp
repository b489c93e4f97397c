#include <gtest/gtest.h>

#include <vector>

#include <mien/autograd/gradcheck.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/mul.hpp>
#include <mien/ops/silu.hpp>

#include "autograd/probe_op.hpp"

namespace {

using mien::gradcheck;
using mien::Tensor;
using Inputs = std::vector<Tensor<double>>;

Tensor<double> leaf(std::initializer_list<double> values) {
  auto x = Tensor<double>::from({static_cast<std::int64_t>(values.size())}, values);
  x.set_requires_grad();
  return x;
}

TEST(Gradcheck, AcceptsRightGradients) {
  const auto a = leaf({0.5, -1.5, 2}), b = leaf({1, 0.3, -2});
  const auto c = Tensor<double>::from({3}, {2, 3, 4});
  EXPECT_EQ(
      gradcheck([](const Inputs& in) { return silu(in[0] * in[1]) * in[2] + in[0]; }, {a, b, c}),
      "");
}

// The op doubles its first operand where backward takes it once.
TEST(Gradcheck, FindsAWrongGradient) {
  const auto a = leaf({0.5, -1.5}), b = leaf({1, 0.3});
  const auto wrong = [](const Inputs& in) {
    return mien::test::probe(in[1], mien::test::probe(in[0], in[0].detach()));
  };
  const std::string text = gradcheck(wrong, {a, b});
  EXPECT_EQ(text.rfind("input 0, element 0: backward gives ", 0), 0u) << text;
}

TEST(Gradcheck, FindsAMissingGradient) {
  const auto a = leaf({0.5}), b = leaf({1});
  const std::string text =
      gradcheck([](const Inputs& in) { return in[0] * in[1].detach(); }, {a, b});
  EXPECT_EQ(text.rfind("input 1, element 0: backward gives 0, ", 0), 0u) << text;
}

TEST(Gradcheck, ReportsNan) {
  const auto a = leaf({0.5});
  const auto nan = Tensor<double>::full({1}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_NE(gradcheck([&](const Inputs& in) { return in[0] * nan; }, {a}), "");
}

TEST(Gradcheck, NeedsSomethingToCheck) {
  const auto constant = Tensor<double>::ones({2});
  EXPECT_EQ(gradcheck([](const Inputs& in) { return in[0] * in[0]; }, {constant}),
            "the output does not depend on an input that requires grad");
  auto strided = Tensor<double>::ones({2, 2}).as_strided({2, 2}, {1, 2});
  strided.set_requires_grad();
  EXPECT_EQ(gradcheck([](const Inputs& in) { return in[0] * in[0]; }, {strided}),
            "input 0 is not contiguous");
}

TEST(Gradcheck, LeavesTheInputsAsTheyWere) {
  const auto a = leaf({0.1, 1e10, -3e-5});
  const auto before = a.clone();
  gradcheck([](const Inputs& in) { return in[0] * in[0]; }, {a});
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(a(i), before(i));
}

}  // namespace
