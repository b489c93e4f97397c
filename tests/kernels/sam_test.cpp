#include <mien/cuda/sam.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

using kernels::AdamParams;
using kernels::SgdParams;
using kernels::UpdateParams;

const auto sizes = shapes<std::int64_t>({1, 3, 4, 1023, 5002}, {3, 2051});
constexpr Tolerance rounding{2e-6, 1e-7};

// The arenas of a network with n parameters, and what backward left.
struct Arenas {
  explicit Arenas(std::int64_t n)
      : w(random_values<float>(n, -1, 1, 1)), g(random_values<float>(n, -0.5f, 0.5f, 2)) {}
  std::vector<float> w, g;
};

std::vector<double> in_double(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

double norm_reference(const Arenas& a, bool adaptive) {
  double sum = 0;
  for (std::size_t i = 0; i < a.g.size(); ++i) {
    const double value = double{a.g[i]} * (adaptive ? double{a.w[i]} : 1.0);
    sum += value * value;
  }
  return std::sqrt(sum);
}

template <class S>
class SamTest : public KernelTest {};
TYPED_TEST_SUITE(SamTest, StorageTypes);

TYPED_TEST(SamTest, PerturbsAlongTheGradient) {
  for (const std::int64_t n : sizes)
    for (const bool adaptive : {false, true}) {
      const Arenas a(n);
      const kernels::SamParams p{.n = n, .rho = 0.5f, .adaptive = adaptive};
      const double norm = norm_reference(a, adaptive);
      std::vector<double> expected;
      unsigned moved_expected = 0;
      for (std::size_t i = 0; i < a.w.size(); ++i) {
        const double w = a.w[i], direction = adaptive ? w * w * a.g[i] : double{a.g[i]};
        expected.push_back(w + 0.5 * direction / norm);
        moved_expected += static_cast<float>(TypeParam(a.w[i])) !=
                          static_cast<float>(TypeParam(static_cast<float>(expected.back())));
      }
      each_schedule([&] {
        Buffer<float> w(a.w), g(a.g), result(1), partial(kernels::sam_most_blocks);
        Buffer<unsigned> done(std::vector<unsigned>(1)), moved(std::vector<unsigned>(1));
        Buffer<TypeParam> shadow(n);
        for (int launch = 0; launch < 2; ++launch) {  // the workspace is left as it was found
          kernels::sam_norm(Cuda{}, result.data(), {partial.data(), done.data()}, g.data(),
                            adaptive ? w.data() : nullptr, n);
          EXPECT_NEAR(static_cast<double>(result.read()[0]), norm, 2e-6 * norm);
        }
        kernels::sam_perturb(Cuda{}, shadow.data(), moved.data(), w.data(), g.data(), result.data(),
                             p);
        auto tolerance = kernel_tolerance<TypeParam>;
        tolerance.absolute += 1e-6;
        EXPECT_EQ(difference(shadow.read(), expected, tolerance), "") << n << " parameters";
        EXPECT_EQ(difference(w.read(), in_double(a.w), {0, 0}), "") << "the weights stay";
        // Rounding may decide otherwise in float than in double, rarely.
        EXPECT_NEAR(moved.read()[0], moved_expected, 1 + static_cast<double>(n) / 500);
      });
    }
}

// A perturbation below half a unit in the last place of the shadow does not survive.
TEST_F(KernelTest, SamCountsWhatSurvivesRounding) {
  constexpr std::int64_t n = 1000;
  const std::vector<float> ones(n, 1.0f), gradient(n, 1.0f), norm{1.0f};
  const auto moved = [&](auto zero, float rho) {
    Buffer<float> w(ones), g(gradient), of_g(norm);
    Buffer<unsigned> count(std::vector<unsigned>(1));
    Buffer<decltype(zero)> shadow(n);
    kernels::sam_perturb(Cuda{}, shadow.data(), count.data(), w.data(), g.data(), of_g.data(),
                         {.n = n, .rho = rho});
    return count.read()[0];
  };
  each_schedule([&] {
    EXPECT_EQ(moved(bf16(), 0x1p-10f), 0u);
    EXPECT_EQ(moved(bf16(), 0x1p-7f), 1000u);
    EXPECT_EQ(moved(f16(), 0x1p-10f), 1000u);
    EXPECT_EQ(moved(0.0f, 0x1p-20f), 1000u);
  });
}

// Three steps of torch.optim.SGD, written out.
TYPED_TEST(SamTest, SgdIsThatOfPyTorch) {
  for (const std::int64_t n : sizes)
    for (const bool nesterov : {false, true}) {
      const Arenas a(n);
      const UpdateParams p{.n = n, .decay_end = n / 2, .lr = 0.1f, .weight_decay = 0.25f};
      std::vector<double> w = in_double(a.w), buffer(w.size());
      for (int step = 0; step < 3; ++step)
        for (std::size_t i = 0; i < w.size(); ++i) {
          const bool decays = static_cast<std::int64_t>(i) < p.decay_end;
          double d = a.g[i] + (decays ? 0.25 * w[i] : 0.0);
          buffer[i] = step == 0 ? d : 0.5 * buffer[i] + d;
          d = nesterov ? d + 0.5 * buffer[i] : buffer[i];
          w[i] -= double{p.lr} * d;
        }
      each_schedule([&] {
        Buffer<float> got(a.w), momentum(n), g(a.g);
        Buffer<TypeParam> shadow(n);
        for (int step = 0; step < 3; ++step)
          kernels::sgd(Cuda{}, got.data(), momentum.data(), shadow.data(), g.data(), p,
                       {.momentum = 0.5f, .nesterov = nesterov, .first_step = step == 0});
        EXPECT_EQ(difference(got.read(), w, rounding), "") << n << " parameters";
        auto tolerance = kernel_tolerance<TypeParam>;
        tolerance.absolute += 1e-6;
        EXPECT_EQ(difference(shadow.read(), w, tolerance), "");
      });
    }
}

// Three steps of torch.optim.Adam and AdamW, written out.
TYPED_TEST(SamTest, AdamIsThatOfPyTorch) {
  for (const std::int64_t n : sizes)
    for (const bool decoupled : {false, true}) {
      const Arenas a(n);
      const UpdateParams p{.n = n, .decay_end = n / 2, .lr = 0.01f, .weight_decay = 0.1f};
      const auto at_step = [&](int t) {
        return AdamParams{.correction1 = static_cast<float>(1 - std::pow(0.9, t)),
                          .correction2 = static_cast<float>(1 - std::pow(0.999, t)),
                          .decoupled = decoupled};
      };
      std::vector<double> w = in_double(a.w), m(w.size()), v(w.size());
      for (int t = 1; t <= 3; ++t)
        for (std::size_t i = 0; i < w.size(); ++i) {
          const bool decays = static_cast<std::int64_t>(i) < p.decay_end;
          double d = a.g[i];
          if (decays && !decoupled) d += 0.1 * w[i];
          if (decays && decoupled) w[i] *= 1 - 0.01 * 0.1;
          m[i] = 0.9 * m[i] + 0.1 * d;
          v[i] = 0.999 * v[i] + 0.001 * d * d;
          const double root = std::sqrt(v[i] / (1 - std::pow(0.999, t)));
          w[i] -= 0.01 / (1 - std::pow(0.9, t)) * m[i] / (root + 1e-8);
        }
      each_schedule([&] {
        Buffer<float> got(a.w), g(a.g), first(std::vector<float>(a.w.size())),
            second(std::vector<float>(a.w.size()));
        for (int t = 1; t <= 3; ++t)
          kernels::adam<TypeParam>(Cuda{}, got.data(), first.data(), second.data(), nullptr,
                                   g.data(), p, at_step(t));
        EXPECT_EQ(difference(got.read(), w, {3e-6, 3e-6}), "") << n << " parameters";
        EXPECT_EQ(difference(second.read(), v, {1e-4, 0}), "");
      });
    }
}

}  // namespace
}  // namespace mien::test
