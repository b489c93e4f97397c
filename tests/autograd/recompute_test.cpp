// Outputs that are computed again in backward instead of kept (Context::save, RecomputeMode).

#include <gtest/gtest.h>

#include <mien/autograd/engine.hpp>
#include <mien/ops/op.hpp>

namespace {

using namespace mien;

// y = x / 2, which it can give again.
struct Half {
  static constexpr std::string_view name = "half";
  int* again = nullptr;  // counts

  Shape shape(std::span<const Shape> in) const { return in[0]; }
  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    ctx.save(in[0]);
    return half(in[0]);
  }
  template <class T>
  Tensor<T> recompute(const Context<T>& ctx) const {
    if (again != nullptr) ++*again;
    return half(ctx.saved(0));
  }
  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    return {half(dy)};
  }

 private:
  template <class T>
  static Tensor<T> half(const Tensor<T>& x) {
    const Tensor<T> y(x.shape());
    for (std::int64_t i = 0; i < x.numel(); ++i) y.mutable_data()[i] = x.data()[i] / 2;
    return y;
  }
};

// y = x^2, whose backward reads x.
struct Square {
  static constexpr std::string_view name = "square";

  Shape shape(std::span<const Shape> in) const { return in[0]; }
  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    ctx.save(in[0]);
    return times(in[0], in[0], 1);
  }
  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    return {times(ctx.saved(0), dy, 2)};
  }

 private:
  template <class T>
  static Tensor<T> times(const Tensor<T>& a, const Tensor<T>& b, int factor) {
    const Tensor<T> y(a.shape());
    for (std::int64_t i = 0; i < a.numel(); ++i)
      y.mutable_data()[i] = factor * a.data()[i] * b.data()[i];
    return y;
  }
};

Tensor<double> leaf() {
  auto x = Tensor<double>::from({3}, {1, -4, 6});
  return x.set_requires_grad();
}
Tensor<double> half(const Tensor<double>& x, int* again = nullptr) {
  return apply(Half{again}, {x});
}
Tensor<double> square(const Tensor<double>& x) { return apply(Square{}, {x}); }

TEST(Recompute, KeepsNoOutputThatCanBeHadAgain) {
  for (const bool on : {true, false}) {
    const RecomputeMode mode(on);
    int again = 0;
    const auto x = leaf(), y = half(x, &again), z = square(y);
    EXPECT_EQ(y.owns_storage_alone(), on);
    z.backward(Tensor<double>::ones({3}));
    EXPECT_EQ(again, on ? 1 : 0);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(x.grad()(i), x(i) / 2);
  }
}

TEST(Recompute, EachReaderOfARetainedGraphComputesItOnce) {
  int again = 0;
  const auto x = leaf(), y = half(x, &again);
  const auto a = square(y), b = square(y);
  for (const auto& z : {a, b, a}) z.backward(Tensor<double>::ones({3}), true);
  EXPECT_EQ(again, 2);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(x.grad()(i), 3 * x(i) / 2);
}

TEST(Recompute, KeepsWhatWasGivenWithoutGraph) {
  const auto y = half(leaf().detach()), z = half(leaf()).detach();
  auto a = y, b = z;
  square(a.set_requires_grad()).backward(Tensor<double>::ones({3}));
  square(b.set_requires_grad()).backward(Tensor<double>::ones({3}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(a.grad()(i), 2 * y(i));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(b.grad()(i), 2 * z(i));
}

// Each call of recompute() asks the node before: of a run of such nodes, some keep their input.
TEST(Recompute, LongRunsNeedNoDeepStack) {
  const auto x = leaf();
  Tensor<double> y = x;
  for (int i = 0; i < 50'000; ++i) y = half(y);
  {
    Tensor<double> dropped = x;  // a graph that is freed without having been walked
    for (int i = 0; i < 50'000; ++i) dropped = half(dropped);
  }
  square(y).backward(Tensor<double>::ones({3}));
  EXPECT_EQ(x.grad()(0), 0);  // 2^-100000
}

TEST(Recompute, ModeIsRestored) {
  EXPECT_TRUE(recompute_enabled());
  {
    const RecomputeMode off(false);
    const RecomputeMode on(true);
    EXPECT_TRUE(recompute_enabled());
  }
  EXPECT_TRUE(recompute_enabled());
}

}  // namespace
