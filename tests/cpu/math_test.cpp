// Errors of cpu/math.inl in units of the last place of the exact result, on every instruction set.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/math.hpp>

namespace mien::kernels {
enum class Function { exp, log, sigmoid, silu, tanh, reciprocal };
}

#define MIEN_KERNEL_FILE <cpu/math_probe.inl>
#include <mien/cpu/foreach_isa.inl>

namespace {

using mien::Isa;
using mien::kernels::Function;

template <Function f>
double exact(double x) {
  if constexpr (f == Function::exp) return std::exp(x);
  if constexpr (f == Function::log) return std::log(x);
  if constexpr (f == Function::sigmoid) return 1 / (1 + std::exp(-x));
  if constexpr (f == Function::silu) return x / (1 + std::exp(-x));
  if constexpr (f == Function::tanh) return std::tanh(x);
  return 1 / x;
}

template <class T, Function f>
std::vector<T> apply(const std::vector<T>& in) {
  std::vector<T> out(in.size());
  constexpr Function g = f;
  MIEN_ISA_PICK(apply<T, g>)(out.data(), in.data(), static_cast<std::int64_t>(in.size()));
  return out;
}

// Largest error over the floats between `low` and `high`, every `step`-th of them.
template <Function f>
double max_ulp(float low, float high, std::uint32_t step) {
  std::vector<float> x;
  const auto sweep = [&](float from, float to, float sign) {
    for (auto bits = std::bit_cast<std::uint32_t>(from); bits <= std::bit_cast<std::uint32_t>(to);
         bits += step)
      x.push_back(sign * std::bit_cast<float>(bits));
  };
  if (high > 0) sweep(std::max(low, 0.0f), high, 1.0f);
  if (low < 0) sweep(std::max(-high, 0.0f), -low, -1.0f);
  const std::vector<float> y = apply<float, f>(x);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double truth = exact<f>(x[i]);
    const auto rounded = static_cast<float>(truth);
    if (rounded == y[i]) continue;
    const float next = std::nextafter(std::fabs(rounded), std::numeric_limits<float>::infinity());
    const double ulp = double{next} - std::fabs(rounded);
    worst = std::max(worst, std::fabs(truth - y[i]) / ulp);
  }
  return worst;
}

class Math : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > mien::best_isa()) GTEST_SKIP() << "this machine lacks the instruction set";
  }
};

TEST_P(Math, FloatErrors) {
  const mien::IsaScope scope(GetParam());
  constexpr std::uint32_t step = 997;
  EXPECT_LE(max_ulp<Function::exp>(-104.0f, 88.7f, step), 1.0);
  EXPECT_LE(max_ulp<Function::log>(1e-45f, 3e38f, step), 1.0);
  EXPECT_LE(max_ulp<Function::sigmoid>(-87.0f, 200.0f, step), 2.5);
  EXPECT_LE(max_ulp<Function::silu>(-87.0f, 1e30f, step), 2.5);
  EXPECT_LE(max_ulp<Function::tanh>(-100.0f, 100.0f, step), 1.5);
  EXPECT_LE(max_ulp<Function::reciprocal>(1e-37f, 1e37f, step), 1.0);
}

TEST_P(Math, EdgesFollowTheCLibrary) {
  const mien::IsaScope scope(GetParam());
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {inf, -inf, nan, 0.0f, 90.0f, -110.0f};
  const auto e = apply<float, Function::exp>(x);
  EXPECT_EQ(e[0], inf);
  EXPECT_EQ(e[1], 0.0f);
  EXPECT_TRUE(std::isnan(e[2]));
  EXPECT_EQ(e[3], 1.0f);
  EXPECT_EQ(e[4], inf);
  EXPECT_EQ(e[5], 0.0f);
  const auto l = apply<float, Function::log>(x);
  EXPECT_EQ(l[0], inf);
  EXPECT_TRUE(std::isnan(l[1]));
  EXPECT_TRUE(std::isnan(l[2]));
  EXPECT_EQ(l[3], -inf);
  const auto s = apply<float, Function::sigmoid>(x);
  EXPECT_EQ(s[0], 1.0f);
  EXPECT_NEAR(s[1], 0.0f, 1e-37f);
  EXPECT_TRUE(std::isnan(s[2]));
  EXPECT_EQ(s[3], 0.5f);
  const auto u = apply<float, Function::silu>({-3e38f, 3e38f, nan, 0.0f});
  EXPECT_NEAR(u[0], 0.0f, 1e-35f);
  EXPECT_EQ(u[1], 3e38f);
  EXPECT_TRUE(std::isnan(u[2]));
  EXPECT_EQ(u[3], 0.0f);
  const auto t = apply<float, Function::tanh>(x);
  EXPECT_EQ(t[0], 1.0f);
  EXPECT_EQ(t[1], -1.0f);
  EXPECT_TRUE(std::isnan(t[2]));
  EXPECT_EQ(t[3], 0.0f);
}

TEST_P(Math, DoubleMatchesTheCLibrary) {
  const mien::IsaScope scope(GetParam());
  const std::vector<double> x = {0.5, 1.0, 2.75, 1e-300, 30.0, 700.0, 3.0};
  const auto near = [&](const std::vector<double>& y, double (*f)(double)) {
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(y[i], f(x[i]), 1e-15 * std::fabs(f(x[i])));
  };
  near(apply<double, Function::exp>(x), exact<Function::exp>);
  near(apply<double, Function::log>(x), exact<Function::log>);
  near(apply<double, Function::sigmoid>(x), exact<Function::sigmoid>);
  near(apply<double, Function::silu>(x), exact<Function::silu>);
  near(apply<double, Function::tanh>(x), exact<Function::tanh>);
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Math, testing::Values(Isa::scalar, Isa::avx2, Isa::avx512),
                         [](const auto& info) { return std::string(to_string(info.param)); });

}  // namespace
