// The protocol of ops (ops/op.hpp), by ops outside mien's namespace.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include <mien/autograd/gradcheck.hpp>
#include <mien/ops/op.hpp>

#include "support/thrown.hpp"

namespace app {

using mien::Context;
using mien::Gradients;
using mien::Inputs;
using mien::Sample;
using mien::Shape;
using mien::Tensor;

// The largest element of a vector, and a bias if there is one: state that is no tensor, an optional
// input, strided inputs.
struct Largest {
  static constexpr std::string_view name = "largest";
  static constexpr std::size_t required_inputs = 1;
  static constexpr bool accepts_strides = true;
  std::int64_t at = 0;
  bool keep_tensor = false;
  Shape answer = {};

  Shape shape(std::span<const Shape> in) const {
    mien::check(in[0].rank() == 1, name, "expected a vector, got ", in[0]);
    return answer;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    T best = in[0](0);
    for (std::int64_t i = 1; i < in[0].numel(); ++i)
      if (in[0](i) > best) best = in[0](i);
    return Tensor<T>::scalar(in[1].defined() ? best + in[1].item() : best);
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    for (std::int64_t i = 1; i < in[0].numel(); ++i)
      if (in[0](i) > in[0](at)) at = i;
    if (keep_tensor) ctx.save(in[0]);
    return reference<T>(in);
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    if (keep_tensor) ctx.saved(1);  // only saved(0) is there
    const auto dx = Tensor<T>::zeros(ctx.shape(0));
    dx.mutable_data()[at] = dy.item();
    return {dx, ctx.needs(1) ? dy.view_as({1}) : Tensor<T>()};
  }

  static std::vector<Sample<Largest>> samples() {
    return {{"vector", {}, {{Shape{7}}, {Shape{1}}}, "x[0].max() + x[1][0]"}};
  }
};

// Lacks a backward.
struct Unfinished {
  static constexpr std::string_view name = "unfinished";
  Shape shape(std::span<const Shape> in) const { return in[0]; }
  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    return in[0];
  }
  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    return in[0];
  }
  static std::vector<Sample<Unfinished>> samples() { return {}; }
};

}  // namespace app

namespace {

using app::Largest;
using mien::apply;
using mien::Tensor;
using mien::test::thrown;

static_assert(mien::TestedOperation<Largest, float> && mien::TestedOperation<Largest, double>);
static_assert(!mien::Operation<app::Unfinished, float>);
static_assert(mien::HasForward<app::Unfinished, float> &&
              !mien::HasBackward<app::Unfinished, float>);

Tensor<double> leaf(std::initializer_list<double> values) {
  auto x = Tensor<double>::from({static_cast<std::int64_t>(values.size())}, values);
  x.set_requires_grad();
  return x;
}

TEST(CustomOp, HasValueAndGradient) {
  const auto x = leaf({3, 9, -2, 4});
  auto bias = Tensor<double>::from({1}, {0.5});
  bias.set_requires_grad();
  EXPECT_EQ(apply(Largest{}, {x, bias}).item(), 9.5);
  const auto f = [](const auto& in) {
    return apply(Largest{}, std::span<const Tensor<double>>(in));
  };
  EXPECT_EQ(mien::gradcheck(f, {x, bias}), "");
  EXPECT_EQ(mien::gradcheck(f, {x, Tensor<double>()}), "");
}

TEST(CustomOp, MaySeeStrides) {
  const auto x = Tensor<double>::from({2, 3}, {1, 7, 2, 8, 3, 9});
  const auto column = x.as_strided({2}, {3}, 1);
  EXPECT_EQ(apply(Largest{}, {column, {}}).item(), 7);
}

TEST(CustomOp, IsToldOfItsMistakes) {
  const auto x = leaf({1, 2});
  EXPECT_EQ(thrown([&] {
              apply(Largest{.answer = {1}}, {x, {}});
            }),
            "[largest] forward gave shape (), its shape rule (1)");
  EXPECT_EQ(thrown([&] {
              apply(Largest{}, {Tensor<double>::ones({1, 1}), {}});
            }),
            "[largest] expected a vector, got (1, 1)");
  const auto y = apply(Largest{.keep_tensor = true}, {x, {}});
  EXPECT_EQ(thrown([&] { y.backward(); }), "[context] saved(1) of 1 saved tensors");
}

// Many graphs at once: each node has an op object of its own.
TEST(CustomOp, StateBelongsToTheNode) {
  const Largest op;
  const auto first = leaf({5, 1}), second = leaf({1, 5});
  const auto a = apply(op, {first, {}}), b = apply(op, {second, {}});
  a.backward();
  b.backward();
  EXPECT_EQ(first.grad()(0), 1);
  EXPECT_EQ(second.grad()(1), 1);
  EXPECT_EQ(op.at, 0);
}

}  // namespace
