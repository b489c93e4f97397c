// What samples cannot say of batch norm: running statistics, stability, threads, folding, errors.

#include <cmath>

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/ops/batch_norm.hpp>

#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::thrown;

// torch.nn.functional.batch_norm on this x, running mean 0.5 and -1, variance 2 and 3, momentum
// 0.25.
TEST(BatchNorm, MovesRunningStatisticsAsPyTorch) {
  const auto x = Tensor<float>::from({4, 2}, {1, 10, 2, 20, 4, 10, 5, 40});
  const auto mean = Tensor<float>::from({2}, {0.5f, -1});
  const auto var = Tensor<float>::from({2}, {2, 3});
  batch_norm<float>(x, {}, {}, {.running_mean = mean, .running_var = var, .momentum = 0.25});
  EXPECT_FLOAT_EQ(mean(0), 1.125f);
  EXPECT_FLOAT_EQ(mean(1), 4.25f);
  EXPECT_FLOAT_EQ(var(0), 0.75f * 2 + 0.25f * 10.0f / 3.0f);
  EXPECT_FLOAT_EQ(var(1), 0.75f * 3 + 0.25f * 200.0f);
}

TEST(BatchNorm, FrozenStatisticsStay) {
  Generator generator(1);
  const auto x = rand<float>({5, 3}, generator);
  const auto mean = Tensor<float>::from({3}, {1, 2, 3}), var = Tensor<float>::ones({3});
  batch_norm<float>(x, {}, {},
                    {.statistics = Statistics::running, .running_mean = mean, .running_var = var});
  EXPECT_EQ(mean(1), 2.0f);
  EXPECT_EQ(var(1), 1.0f);
}

// A sum of squares would lose every digit of this variance in float.
TEST(BatchNorm, VarianceSurvivesALargeMean) {
  constexpr std::int64_t rows = 5000, channels = 19;
  Generator generator(2);
  const auto noise = rand<float>({rows, channels}, generator, -0.5f, 0.5f);
  Tensor<float> x = noise.clone();
  float* p = x.mutable_data();
  for (std::int64_t i = 0; i < x.numel(); ++i) p[i] += 4096.0f;
  const auto var = Tensor<float>::ones({channels}), mean = Tensor<float>::zeros({channels});
  const auto y =
      batch_norm<float>(x, {}, {}, {.running_mean = mean, .running_var = var, .momentum = 1});
  for (std::int64_t j = 0; j < channels; ++j) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < rows; ++i) sum += x(i, j);
    for (std::int64_t i = 0; i < rows; ++i) squares += std::pow(x(i, j) - sum / rows, 2);
    EXPECT_NEAR(mean(j), sum / rows, 2.5e-4);  // half a unit in the last place of 4096
    EXPECT_NEAR(var(j) / (squares / (rows - 1)), 1, 1e-6) << "channel " << j;
    EXPECT_NEAR(y(7, j), (x(7, j) - sum / rows) / std::sqrt(squares / rows + 1e-5), 2e-6);
  }
}

TEST(BatchNorm, BitsDoNotDependOnThreads) {
  const auto run = [](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    Generator generator(3);
    Tensor<float> x = rand<float>({4, 33, 31, 21}, generator), gamma = rand<float>({21}, generator);
    x.set_requires_grad();
    gamma.set_requires_grad();
    const auto y = batch_norm(x, gamma, {}, {.activation = Activation::silu});
    y.backward(rand<float>(y.shape(), generator));
    set_num_threads(before);
    return std::vector<Tensor<float>>{y.detach(), x.grad(), gamma.grad()};
  };
  const auto one = run(1), three = run(3);
  for (std::size_t k = 0; k < one.size(); ++k)
    for (std::int64_t i = 0; i < one[k].numel(); ++i)
      ASSERT_EQ(one[k].data()[i], three[k].data()[i]) << "tensor " << k << ", element " << i;
}

TEST(BatchNorm, FoldsIntoScaleAndShift) {
  Generator generator(4);
  const auto x = rand<float>({7, 5}, generator, -2, 2), gamma = rand<float>({5}, generator);
  const auto beta = rand<float>({5}, generator);
  const BatchNormOptions<float> options{.statistics = Statistics::running,
                                        .running_mean = rand<float>({5}, generator),
                                        .running_var = rand<float>({5}, generator, 0.5f, 2)};
  const auto y = batch_norm(x, gamma, beta, options);
  const auto [scale, shift] = fold_batch_norm(gamma, beta, options);
  for (std::int64_t i = 0; i < 7; ++i)
    for (std::int64_t j = 0; j < 5; ++j) EXPECT_NEAR(y(i, j), x(i, j) * scale(j) + shift(j), 1e-6);
}

TEST(BatchNorm, Errors) {
  const auto x = Tensor<float>::zeros({2, 3}), four = Tensor<float>::ones({4});
  EXPECT_EQ(thrown([&] { batch_norm<float>(x, four, {}); }),
            "[batch_norm] x has 3 channels, gamma has shape (4)");
  EXPECT_EQ(thrown([&] { batch_norm<float>(x, {}, {}, {.statistics = Statistics::running}); }),
            "[batch_norm] normalising with running statistics needs them");
  EXPECT_EQ(thrown([&] {
              batch_norm<float>(Tensor<float>::zeros({1, 1, 1, 3}), {}, {});
            }),
            "[batch_norm] statistics of a batch need more than one value per channel, got x of "
            "shape (1, 1, 1, 3)");
  EXPECT_EQ(thrown([&] { batch_norm<float>(x, {}, {}, {.activation = Activation::sigmoid}); }),
            "[batch_norm] the activation may be relu or silu");
}

}  // namespace
