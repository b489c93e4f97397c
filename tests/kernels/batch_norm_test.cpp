#include <mien/cuda/batch_norm.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::test {
namespace {

using kernels::BatchNormChannels;
using kernels::BatchNormParams;
using kernels::BatchNormStatistics;
using kernels::BatchNormWorkspace;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Whole packs of channels, and tails of every kind; rows of one thread, of one block and of many.
std::vector<BatchNormParams> cases() {
  const auto make = [](std::int64_t rows, int c, bool silu) {
    return BatchNormParams{.rows = rows, .c = c, .eps = 1e-3f, .momentum = 0.2f, .silu = silu};
  };
  return shapes<BatchNormParams>(
      {make(2, 1, false), make(7, 8, true), make(49, 24, false), make(300, 16, true),
       make(37, 35, true), make(500, 33, false), make(23, 80, true), make(1100, 3, true)},
      {make(7, 8, true), make(300, 16, true), make(500, 33, false)});
}

std::string to_string(const BatchNormParams& p) {
  return str(p.rows, " rows of ", p.c, p.silu ? ", SiLU" : "");
}

// x around `center`, dy, and what belongs to channels.
template <class T>
struct Problem {
  BatchNormParams p;
  std::vector<T> x, dy;
  std::vector<float> gamma, beta, running_mean, running_var;

  explicit Problem(const BatchNormParams& params, float center = 0.5f)
      : p(params),
        x(random_values<T>(p.rows * p.c, center - 2, center + 2, 1)),
        dy(random_values<T>(p.rows * p.c, -1, 1, 2)),
        gamma(random_values<float>(p.c, 0.5f, 1.5f, 3)),
        beta(random_values<float>(p.c, -1, 1, 4)),
        running_mean(random_values<float>(p.c, -1, 1, 5)),
        running_var(random_values<float>(p.c, 0.5f, 2, 6)) {}

  std::vector<double> values() const { return {x.begin(), x.end()}; }
};

struct Channels {
  std::vector<double> mean, var;
};

// The definition, in two passes.
Channels moments(const std::vector<double>& x, const BatchNormParams& p) {
  const auto c = static_cast<std::size_t>(p.c);
  const auto rows = static_cast<double>(p.rows);
  Channels of{std::vector<double>(c), std::vector<double>(c)};
  for (std::size_t i = 0; i < x.size(); ++i) of.mean[i % c] += x[i] / rows;
  for (std::size_t i = 0; i < x.size(); ++i)
    of.var[i % c] += std::pow(x[i] - of.mean[i % c], 2) / rows;
  return of;
}

// y, from the batch's statistics or from `frozen` ones.
std::vector<double> forward(const std::vector<double>& x, const std::vector<double>& gamma,
                            const std::vector<double>& beta, const BatchNormParams& p,
                            const Channels* frozen = nullptr) {
  const Channels of = frozen != nullptr ? *frozen : moments(x, p);
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t k = i % gamma.size();
    const double z =
        (x[i] - of.mean[k]) / std::sqrt(of.var[k] + double{p.eps}) * gamma[k] + beta[k];
    y[i] = p.silu ? z * sigmoid(z) : z;
  }
  return y;
}

struct Gradients {
  std::vector<double> dx, dgamma, dbeta;
};

// The formulas at the head of batch_norm.hpp.
template <class T>
Gradients backward(const Problem<T>& problem, const Channels& of, bool frozen) {
  const BatchNormParams& p = problem.p;
  const auto c = static_cast<std::size_t>(p.c);
  Gradients g{std::vector<double>(problem.x.size()), std::vector<double>(c),
              std::vector<double>(c)};
  std::vector<double> hat(problem.x.size());
  for (std::size_t i = 0; i < hat.size(); ++i) {
    const std::size_t k = i % c;
    hat[i] =
        (static_cast<double>(problem.x[i]) - of.mean[k]) / std::sqrt(of.var[k] + double{p.eps});
    const double z = hat[i] * double{problem.gamma[k]} + double{problem.beta[k]}, s = sigmoid(z);
    g.dx[i] = static_cast<double>(problem.dy[i]) * (p.silu ? s * (1 + z * (1 - s)) : 1);
    g.dbeta[k] += g.dx[i];
    g.dgamma[k] += g.dx[i] * hat[i];
  }
  for (std::size_t i = 0; i < hat.size(); ++i) {
    const std::size_t k = i % c;
    const double share = frozen ? 0 : 1 / static_cast<double>(p.rows);
    g.dx[i] -= share * (g.dbeta[k] + hat[i] * g.dgamma[k]);
    g.dx[i] *= double{problem.gamma[k]} / std::sqrt(of.var[k] + double{p.eps});
  }
  return g;
}

// The device's side of a problem.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(const Problem<T>& problem)
      : p_(problem.p),
        running_mean(problem.running_mean),
        running_var(problem.running_var),
        x(problem.x),
        dy(problem.dy),
        gamma(problem.gamma),
        beta(problem.beta) {}

  void statistics(bool tracked = true) {
    kernels::batch_norm_statistics(
        Cuda{},
        {mean.data(), var.data(), tracked ? running_mean.data() : nullptr,
         tracked ? running_var.data() : nullptr},
        workspace(), x.data(), p_);
  }
  BatchNormChannels batch() { return {mean.data(), var.data(), gamma.data(), beta.data()}; }
  BatchNormChannels running() {
    return {running_mean.data(), running_var.data(), gamma.data(), beta.data()};
  }
  BatchNormWorkspace workspace() { return {partial_.data(), done_.data()}; }

 private:
  BatchNormParams p_;
  Buffer<float> partial_{2 * std::int64_t{kernels::batch_norm_most_shares(p_.c)} * p_.c};
  Buffer<unsigned> done_{std::vector<unsigned>(kernels::ceil_div(p_.c, 32))};

 public:
  Buffer<float> mean{p_.c}, var{p_.c}, dgamma{p_.c}, dbeta{p_.c}, running_mean, running_var;
  Buffer<T> x, dy, y{p_.rows * p_.c};
  Buffer<float> gamma, beta;
};

std::vector<double> doubles(const std::vector<float>& from) { return {from.begin(), from.end()}; }

// Errors of sums and differences are those of their terms, of size one.
template <class T>
constexpr Tolerance near_one{kernel_tolerance<T>.relative, kernel_tolerance<T>.absolute + 3e-6};
constexpr Tolerance of_sums{1e-5, 3e-5};

template <class T>
class BatchNormTest : public KernelTest {};
TYPED_TEST_SUITE(BatchNormTest, StorageTypes);

TYPED_TEST(BatchNormTest, StatisticsAreTheDefinition) {
  for (const BatchNormParams& p : cases()) {
    const Problem<TypeParam> problem(p);
    Channels expected = moments(problem.values(), p), running = expected;
    for (std::size_t k = 0; k < running.mean.size(); ++k) {
      const double m = double{p.momentum}, rows = static_cast<double>(p.rows);
      running.mean[k] = (1 - m) * double{problem.running_mean[k]} + m * expected.mean[k];
      running.var[k] =
          (1 - m) * double{problem.running_var[k]} + m * expected.var[k] * rows / (rows - 1);
    }
    each_schedule([&] {
      OnDevice<TypeParam> run(problem);
      run.statistics();
      EXPECT_EQ(difference(run.running_mean.read(), running.mean, near_one<float>), "");
      EXPECT_EQ(difference(run.running_var.read(), running.var, near_one<float>), "");
      run.statistics(false);  // the workspace is left as it was found
      EXPECT_EQ(difference(run.mean.read(), expected.mean, near_one<float>), "") << to_string(p);
      EXPECT_EQ(difference(run.var.read(), expected.var, near_one<float>), "") << to_string(p);
      EXPECT_EQ(difference(run.running_mean.read(), running.mean, near_one<float>), "");
    });
  }
}

// Differences of sums of squares would lose every digit here, a mean of 10^4 deviations.
TEST_F(KernelTest, BatchNormStandsALargeMean) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  Problem<float> problem({.rows = 3000, .c = 12});
  for (float& v : problem.x) v = 1e4f + v / 2;
  const Channels expected = moments(problem.values(), problem.p);
  const auto y =
      forward(problem.values(), doubles(problem.gamma), doubles(problem.beta), problem.p);
  each_schedule([&] {
    OnDevice<float> run(problem);
    run.statistics();
    kernels::batch_norm(Cuda{}, run.y.data(), run.x.data(), run.batch(), problem.p);
    EXPECT_EQ(difference(run.mean.read(), expected.mean, {2e-7, 0}), "");
    EXPECT_EQ(difference(run.var.read(), expected.var, {3e-4, 0}), "");
    // A mean of 10^4 is rounded to a multiple of 2^-10.
    EXPECT_EQ(difference(run.y.read(), y, {1e-3, 4e-3}), "");
  });
}

TYPED_TEST(BatchNormTest, StatisticsHaveTheSameBitsUnderEverySchedule) {
  const Problem<TypeParam> problem({.rows = 900, .c = 72, .silu = true});
  std::vector<std::vector<float>> seen;
  each_schedule([&] {
    OnDevice<TypeParam> run(problem);
    run.statistics();
    kernels::batch_norm_backward(Cuda{}, run.y.data(), run.dgamma.data(), run.dbeta.data(),
                                 run.workspace(), run.x.data(), run.dy.data(), run.batch(),
                                 problem.p);
    std::vector<float> all;
    for (const auto* of : {&run.mean, &run.var, &run.dgamma, &run.dbeta})
      for (const float v : of->read()) all.push_back(v);
    seen.push_back(all);
  });
  for (const auto& all : seen) EXPECT_EQ(all, seen[0]);
}

// Shares of unlike sizes, one of them empty.
TEST_F(KernelTest, BatchNormMergesMomentsOfShares) {
  for (const int c : {7, 12, 70}) {
    const Problem<float> problem({.rows = 1200, .c = c}, 50);
    const std::vector<double> x = problem.values();
    std::vector<float> counts, means, squares;
    std::int64_t first = 0;
    for (int share = 0; share < 60; ++share) {
      const std::int64_t rows =
          std::vector<int>{1, 50, 0, 64, 3, 2}[static_cast<unsigned>(share) % 6];
      const std::vector<double> part(x.begin() + first * c, x.begin() + (first + rows) * c);
      const Channels of = moments(part, {.rows = rows, .c = c});
      counts.push_back(static_cast<float>(rows));
      for (const double m : of.mean) means.push_back(static_cast<float>(m));
      for (const double v : of.var)
        squares.push_back(static_cast<float>(v * static_cast<double>(rows)));
      first += rows;
    }
    const Channels expected = moments(x, problem.p);
    each_schedule([&] {
      OnDevice<float> run(problem);
      Buffer<float> count(counts), mean(means), sums(squares);
      kernels::batch_norm_merge(Cuda{}, {run.mean.data(), run.var.data()},
                                {60, count.data(), mean.data(), sums.data()}, problem.p);
      EXPECT_EQ(difference(run.mean.read(), expected.mean), "");
      EXPECT_EQ(difference(run.var.read(), expected.var, {5e-5, 0}), "");
    });
  }
}

TYPED_TEST(BatchNormTest, ForwardIsTheDefinition) {
  for (const BatchNormParams& p : cases()) {
    const Problem<TypeParam> problem(p);
    const Channels frozen{doubles(problem.running_mean), doubles(problem.running_var)};
    const auto values = problem.values(), gamma = doubles(problem.gamma),
               beta = doubles(problem.beta);
    const auto of_batch = forward(values, gamma, beta, p);
    const auto of_running = forward(values, gamma, beta, p, &frozen);
    const auto plain = forward(values, std::vector<double>(gamma.size(), 1),
                               std::vector<double>(gamma.size()), p, &frozen);
    each_schedule([&] {
      OnDevice<TypeParam> run(problem);
      const auto normalise = [&](const BatchNormChannels& of) {
        kernels::batch_norm(Cuda{}, run.y.data(), run.x.data(), of, p);
        return run.y.read();
      };
      EXPECT_EQ(difference(normalise(run.running()), of_running, near_one<TypeParam>), "");
      EXPECT_EQ(difference(normalise({run.running_mean.data(), run.running_var.data()}), plain,
                           near_one<TypeParam>),
                "");
      run.statistics();
      EXPECT_EQ(difference(normalise(run.batch()), of_batch, near_one<TypeParam>), "")
          << to_string(p);
    });
  }
}

TYPED_TEST(BatchNormTest, BackwardIsTheFormula) {
  for (const BatchNormParams& p : cases()) {
    const Problem<TypeParam> problem(p);
    const Channels frozen{doubles(problem.running_mean), doubles(problem.running_var)};
    const Gradients of_batch = backward(problem, moments(problem.values(), p), false);
    const Gradients of_running = backward(problem, frozen, true);
    each_schedule([&] {
      OnDevice<TypeParam> run(problem);
      const auto expect = [&](const Gradients& expected) {
        EXPECT_EQ(difference(run.y.read(), expected.dx, near_one<TypeParam>), "") << to_string(p);
        EXPECT_EQ(difference(run.dgamma.read(), expected.dgamma, of_sums), "") << to_string(p);
        EXPECT_EQ(difference(run.dbeta.read(), expected.dbeta, of_sums), "") << to_string(p);
      };
      kernels::batch_norm_backward_frozen(Cuda{}, run.y.data(), run.dgamma.data(), run.dbeta.data(),
                                          run.workspace(), run.x.data(), run.dy.data(),
                                          run.running(), p);
      expect(of_running);
      run.statistics(false);
      kernels::batch_norm_backward(Cuda{}, run.y.data(), run.dgamma.data(), run.dbeta.data(),
                                   run.workspace(), run.x.data(), run.dy.data(), run.batch(), p);
      expect(of_batch);
    });
  }
}

// The loss is the sum of dy y.
TEST_F(KernelTest, BatchNormGradientsAreSlopesOfTheDefinition) {
  for (const bool silu : {false, true}) {
    const Problem<float> problem({.rows = 19, .c = 5, .silu = silu});
    const auto x = problem.values(), gamma = doubles(problem.gamma), beta = doubles(problem.beta);
    const Channels running{doubles(problem.running_mean), doubles(problem.running_var)};
    const auto slopes = [&](const Channels* frozen, auto which) {
      std::vector<double> inputs[] = {x, gamma, beta}, result;
      for (double& value : inputs[which]) {
        const auto loss = [&](double step) {
          value += step;
          const auto y = forward(inputs[0], inputs[1], inputs[2], problem.p, frozen);
          value -= step;
          double sum = 0;
          for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * double{problem.dy[i]};
          return sum;
        };
        result.push_back((loss(1e-5) - loss(-1e-5)) / 2e-5);
      }
      return result;
    };
    each_schedule([&] {
      OnDevice<float> run(problem);
      run.statistics(false);
      for (const Channels* frozen : {static_cast<const Channels*>(nullptr), &running}) {
        const auto f = frozen != nullptr ? kernels::batch_norm_backward_frozen<float>
                                         : kernels::batch_norm_backward<float>;
        f(Cuda{}, run.y.data(), run.dgamma.data(), run.dbeta.data(), run.workspace(), run.x.data(),
          run.dy.data(), frozen != nullptr ? run.running() : run.batch(), problem.p);
        EXPECT_EQ(difference(run.y.read(), slopes(frozen, 0), near_one<float>), "");
        EXPECT_EQ(difference(run.dgamma.read(), slopes(frozen, 1), of_sums), "");
        EXPECT_EQ(difference(run.dbeta.read(), slopes(frozen, 2), of_sums), "");
      }
    });
  }
}

// So many channels that they leave the rows to a few blocks, whose threads load several times.
TEST_F(KernelTest, BatchNormOfManyRowsAThread) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  const Problem<f16> problem({.rows = 52, .c = 17025});
  const Channels of = moments(problem.values(), problem.p);
  OnDevice<f16> run(problem);
  run.statistics(false);
  EXPECT_EQ(difference(run.mean.read(), of.mean, near_one<float>), "");
  EXPECT_EQ(difference(run.var.read(), of.var, near_one<float>), "");
  kernels::batch_norm(Cuda{}, run.y.data(), run.x.data(), run.batch(), problem.p);
  EXPECT_EQ(difference(run.y.read(),
                       forward(problem.values(), doubles(problem.gamma), doubles(problem.beta),
                               problem.p, &of),
                       near_one<f16>),
            "");
}

TEST_F(KernelTest, BatchNormBackwardOfManyRowsAThread) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  const Problem<f16> problem({.rows = 20, .c = 8513});
  const Channels frozen{doubles(problem.running_mean), doubles(problem.running_var)};
  const Gradients expected = backward(problem, frozen, true);
  OnDevice<f16> run(problem);
  kernels::batch_norm_backward_frozen(Cuda{}, run.y.data(), run.dgamma.data(), run.dbeta.data(),
                                      run.workspace(), run.x.data(), run.dy.data(), run.running(),
                                      problem.p);
  EXPECT_EQ(difference(run.y.read(), expected.dx, near_one<f16>), "");
  EXPECT_EQ(difference(run.dgamma.read(), expected.dgamma, of_sums), "");
  EXPECT_EQ(difference(run.dbeta.read(), expected.dbeta, of_sums), "");
}

TYPED_TEST(BatchNormTest, AnyAlignmentAndInPlace) {
  const BatchNormParams p{.rows = 40, .c = 16, .silu = true};
  const Problem<TypeParam> problem(p);
  const Channels frozen{doubles(problem.running_mean), doubles(problem.running_var)};
  const auto y =
      forward(problem.values(), doubles(problem.gamma), doubles(problem.beta), p, &frozen);
  const Gradients g = backward(problem, frozen, true);
  const auto shifted = [](auto values) {
    values.insert(values.begin(), values[0]);
    return values;
  };
  each_schedule([&] {
    OnDevice<TypeParam> run(problem);
    Buffer<float> gamma(shifted(problem.gamma));
    const BatchNormChannels of{run.running_mean.data(), run.running_var.data(), gamma.data() + 1,
                               run.beta.data()};
    Buffer<TypeParam> x(shifted(problem.x)), dy(shifted(problem.dy));
    kernels::batch_norm_backward_frozen(Cuda{}, dy.data() + 1, run.dgamma.data(), run.dbeta.data(),
                                        run.workspace(), x.data() + 1, dy.data() + 1, of, p);
    kernels::batch_norm(Cuda{}, x.data() + 1, x.data() + 1, of, p);
    kernels::batch_norm(Cuda{}, run.x.data(), run.x.data(), of, p);
    const auto rest = [](const std::vector<TypeParam>& all) {
      return std::vector<TypeParam>(all.begin() + 1, all.end());
    };
    EXPECT_EQ(difference(rest(dy.read()), g.dx, near_one<TypeParam>), "");
    EXPECT_EQ(difference(rest(x.read()), y, near_one<TypeParam>), "");
    EXPECT_EQ(difference(run.x.read(), y, near_one<TypeParam>), "");
  });
}

TEST_F(KernelTest, BatchNormOfNothing) {
  const BatchNormParams empty{.rows = 0, .c = 4}, one{.rows = 1, .c = 4};
  kernels::batch_norm<float>(Cuda{}, nullptr, nullptr, {}, empty);
  const std::string expected =
      "[batch_norm] expected two rows or more for the statistics of a batch, got 1";
  EXPECT_EQ(thrown([&] { kernels::batch_norm_statistics<float>(Cuda{}, {}, {}, nullptr, one); }),
            expected);
  EXPECT_EQ(thrown([&] { kernels::batch_norm_merge(Cuda{}, {}, {}, one); }), expected);
  EXPECT_EQ(thrown([&] {
              kernels::batch_norm_backward<float>(Cuda{}, nullptr, nullptr, nullptr, {}, nullptr,
                                                  nullptr, {}, one);
            }),
            expected);
}

}  // namespace
}  // namespace mien::test
