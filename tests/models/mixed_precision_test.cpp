// Networks of 16-bit activations: parameters and their gradients are float, and training follows
// that in float.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/loss/cross_entropy.hpp>
#include <mien/models/efficientnet.hpp>
#include <mien/ops/cast.hpp>
#include <mien/optim/adam.hpp>
#include <mien/optim/parameter_groups.hpp>
#include <mien/train/step.hpp>

namespace {

using namespace mien;

// Stripes in one of four directions, with noise.
struct Stripes {
  Tensor<float> images;
  Tensor<std::int64_t> labels;

  explicit Stripes(std::uint64_t seed) {
    constexpr std::int64_t n = 16, side = 16;
    Generator generator(seed);
    images = randn<float>({n, side, side, 3}, generator);
    labels = Tensor<std::int64_t>({n});
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t label = labels.mutable_data()[i] = i % 4;
      for (std::int64_t pixel = 0; pixel < side * side; ++pixel) {
        const std::int64_t row = pixel / side, column = pixel % side;
        const std::int64_t across[] = {row, column, row + column, row + side - column};
        for (int c = 0; c < 3; ++c)
          images.mutable_data()[(i * side * side + pixel) * 3 + c] +=
              across[label] / 2 % 2 ? 1 : -1;
      }
    }
  }
};

template <class T>
class SmallNetwork : public nn::Module<T> {
 public:
  SmallNetwork() {
    Generator generator(5);
    for (const auto& part : this->named_parameters())
      if (part.tensor->rank() > 1) nn::normal_init(*part.tensor, 0.2, generator);
  }
  Tensor<Compute<T>> forward(const Tensor<T>& x) const {
    Tensor<T> y = nn::conv_bn_act(stem, stem_norm, x, Activation::silu);
    y = nn::conv_bn_act(depthwise, depthwise_norm, y, Activation::silu);
    y = nn::conv_bn_act(project, project_norm, squeeze_excite.forward(y), Activation::silu);
    return cast<Compute<T>>(classifier.forward(reshape(global_avg_pool(y), {x.dim(0), 24})));
  }
  void parts(nn::Parts<T>& p) override {
    p.child("stem", stem).child("stem_norm", stem_norm);
    p.child("depthwise", depthwise).child("depthwise_norm", depthwise_norm);
    p.child("squeeze_excite", squeeze_excite);
    p.child("project", project).child("project_norm", project_norm);
    p.child("classifier", classifier);
  }

  nn::Conv2d<T> stem{{.in = 3, .out = 16, .kernel = 3, .padding = 1, .bias = false}};
  nn::DepthwiseConv2d<T> depthwise{{.channels = 16, .stride = 2, .padding = 1, .bias = false}};
  nn::SqueezeExcite<T> squeeze_excite{{.channels = 16, .reduced = 4}};
  nn::Conv2d<T> project{{.in = 16, .out = 24, .bias = false}};
  nn::BatchNorm2d<T> stem_norm{{.channels = 16}}, depthwise_norm{{.channels = 16}},
      project_norm{{.channels = 24}};
  nn::Linear<T> classifier{{.in = 24, .out = 4}};
};

struct Run {
  std::vector<double> losses;
  double test_loss = 0;  // of the averaged weights, on other images
};

template <class T>
Run trained(bool sam) {
  SmallNetwork<T> net;
  static_assert(std::is_same_v<decltype(net.parameters()), std::vector<Tensor<Compute<T>>>>);
  optim::Adam<Compute<T>> adam(optim::decay_groups(net), {.lr = 0.01, .weight_decay = 1e-3});
  train::Stepper<T> stepper(net, adam);
  if (sam) stepper.use_sam({.rho = 0.05});
  stepper.use_ema({.decay = 0.9});
  Generator random(1);
  Run run;
  const auto loss_of = [&](const Stripes& batch, Generator&) {
    return loss::cross_entropy(net.forward(batch.images.template to<T>()), batch.labels);
  };
  for (std::int64_t step = 0; step < 40; ++step) {
    const std::vector<Stripes> batches{Stripes(static_cast<std::uint64_t>(step))};
    run.losses.push_back(stepper.step(step, batches, random, loss_of).front().second);
  }
  const NoGrad no_grad;
  stepper.ema()->swap();
  net.eval();
  run.test_loss = static_cast<double>(loss_of(Stripes(1000), random).item());
  return run;
}

template <class T>
class MixedPrecision : public testing::Test {};
using SixteenBits = testing::Types<bf16, f16>;
TYPED_TEST_SUITE(MixedPrecision, SixteenBits);

TYPED_TEST(MixedPrecision, TrainingFollowsFloat) {
  for (const bool sam : {false, true}) {
    const Run wide = trained<float>(sam), got = trained<TypeParam>(sam);
    EXPECT_GT(wide.losses.front(), 1.2);
    EXPECT_LT(wide.losses.back(), 0.3);
    double worst = 0;
    for (std::size_t i = 0; i < wide.losses.size(); ++i)
      worst = std::max(worst, std::abs(got.losses[i] - wide.losses[i]));
    EXPECT_LT(worst, 0.1) << (sam ? "SAM" : "Adam");
    EXPECT_NEAR(got.test_loss, wide.test_loss, 0.05);
  }
}

template <class T>
models::EfficientNet<T> efficientnet() {
  models::EfficientNet<T> net({.num_classes = 10, .drop_path = 0, .dropout = 0, .width = 0.25});
  Generator generator(3);
  net.initialize(generator);
  return net;
}

template <class T>
std::vector<Tensor<Compute<T>>> gradients(models::EfficientNet<T>& net) {
  Generator generator(4), unused;
  const auto x = rand<float>({4, 64, 64, 3}, generator, -2.0f, 2.0f).template to<T>();
  const auto labels = Tensor<std::int64_t>::from({4}, {1, 3, 5, 7});
  net.zero_grad();
  loss::cross_entropy(cast<Compute<T>>(net.forward(x, unused)), labels).backward();
  std::vector<Tensor<Compute<T>>> all;
  for (const auto& w : net.parameters()) all.push_back(w.grad().clone());
  return all;
}

double dot(const Tensor<float>& a, const Tensor<float>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) sum += double{a.data()[i]} * double{b.data()[i]};
  return sum;
}

// All gradients as one vector: the direction of a step.
TEST(MixedPrecision, GradientsOfEfficientNetPointWhereTheyDoInFloat) {
  auto net = efficientnet<bf16>();
  auto wide = efficientnet<float>();
  wide.load_state_dict(net.state_dict());
  const auto a = gradients(net), b = gradients(wide);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += dot(a[i], b[i]);
    aa += dot(a[i], a[i]);
    bb += dot(b[i], b[i]);
  }
  EXPECT_GT(ab / std::sqrt(aa * bb), 0.95);
  EXPECT_NEAR(std::sqrt(aa / bb), 1, 0.15);
}

// The fused path sees the same float parameters.
TEST(MixedPrecision, EvaluationEqualsItsFusedPath) {
  auto net = efficientnet<bf16>();
  net.eval();
  Generator generator(4), unused;
  const auto x = rand<float>({2, 64, 64, 3}, generator, -2.0f, 2.0f).to<bf16>();
  const auto recorded = net.forward(x, unused).to<float>();
  const NoGrad no_grad;
  const auto fused = net.forward(x, unused).to<float>();
  for (std::int64_t i = 0; i < fused.numel(); ++i)
    EXPECT_NEAR(fused.data()[i], recorded.data()[i], 0.05) << i;
}

// What backward computes again has the bits that forward had, and is more than half of what there
// is to keep.
TEST(Recompute, EfficientNetTrainsInHalfTheMemoryWithTheSameBits) {
  auto net = efficientnet<float>();
  std::vector<std::vector<Tensor<float>>> results;
  std::vector<double> peaks;
  for (const bool on : {false, true}) {
    const RecomputeMode mode(on);
    const nn::NormModeScope<float> keep(net, nn::NormMode::keep);
    net.zero_grad();
    const std::size_t before = memory_stats().in_use;
    reset_peak_memory();
    auto all = gradients(net);
    peaks.push_back(static_cast<double>(memory_stats().peak - before));
    results.push_back(std::move(all));
  }
  EXPECT_LT(peaks[1], 0.6 * peaks[0]);
  for (std::size_t i = 0; i < results[0].size(); ++i)
    EXPECT_EQ(std::memcmp(results[0][i].data(), results[1][i].data(),
                          static_cast<std::size_t>(results[0][i].numel()) * sizeof(float)),
              0)
        << i;
}

}  // namespace
