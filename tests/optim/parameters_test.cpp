#include <gtest/gtest.h>

#include <mien/optim/ema.hpp>
#include <mien/optim/parameter_groups.hpp>
#include <mien/optim/sgd.hpp>

#include "optim/toy_model.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using test::largest_difference;
using test::thrown;
using test::ToyModel;

TEST(Names, MatchPatterns) {
  using optim::matches;
  EXPECT_TRUE(matches("blocks.3.1.conv_pw.weight", "blocks.*.conv_pw.weight"));
  EXPECT_TRUE(matches("classifier.weight", "classifier.*"));
  EXPECT_TRUE(matches("a", "*"));
  EXPECT_TRUE(matches("", "*"));
  EXPECT_TRUE(matches("abcabc", "*abc"));
  EXPECT_TRUE(matches("aXbXc", "a*b*c"));
  EXPECT_FALSE(matches("classifier.weight", "classifier"));
  EXPECT_FALSE(matches("classifier", "classifier.*"));
  EXPECT_FALSE(matches("abcab", "*abc"));
  EXPECT_FALSE(matches("a", ""));
}

TEST(Freezing, IsByName) {
  ToyModel<float> model;
  EXPECT_EQ(optim::set_requires_grad(model, "*", false), 2);
  EXPECT_TRUE(optim::trained_parameters(model).empty());
  EXPECT_EQ(optim::set_requires_grad(model, "b", true), 1);
  ASSERT_EQ(optim::trained_parameters(model).size(), 1u);
  const auto a = model.a.clone();
  const auto b = model.b.clone();
  optim::Sgd<float> sgd(optim::trained_parameters(model), {.lr = 0.1});
  model.backward();
  sgd.step();
  EXPECT_EQ(largest_difference(model.a, a.to<double>()), 0);
  EXPECT_GT(largest_difference(model.b, b.to<double>()), 0);
  EXPECT_EQ(thrown([&] { optim::set_requires_grad(model, "c*", true); }),
            "[set_requires_grad] no parameter matches 'c*'");
}

TEST(DecayGroups, LeaveOutBiasesAndNorms) {
  ToyModel<float> model;
  const auto groups = optim::decay_groups(model);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].parameters.size(), 1u);
  EXPECT_EQ(groups[0].parameters[0].rank(), 2);
  EXPECT_FALSE(groups[0].weight_decay);
  EXPECT_EQ(groups[1].parameters[0].rank(), 1);
  EXPECT_EQ(groups[1].weight_decay, 0.0);
  optim::set_requires_grad(model, "a", false);
  EXPECT_EQ(optim::decay_groups(model).size(), 1u);
}

TEST(Ema, Averages) {
  ToyModel<double> model;
  const auto start = model.a.clone();
  optim::Ema<double> ema(model, {.decay = 0.75});
  model.a.copy_from(Tensor<double>::zeros(start.shape()));
  ema.update();
  ema.update();
  ema.swap();
  EXPECT_LT(largest_difference(model.a, start * Tensor<double>::scalar(0.5625)), 1e-15);
  ema.swap();
  EXPECT_EQ(max(abs(model.a)).item(), 0);
  EXPECT_EQ(ema.updates(), 2);

  ToyModel<double> other;
  optim::Ema<double> loaded(other, {.decay = 0.75});
  loaded.load_state_dict(ema.state_dict());
  EXPECT_EQ(largest_difference(other.a, start), 0);
  EXPECT_EQ(loaded.updates(), 2);
  loaded.swap();
  EXPECT_LT(largest_difference(other.a, start * Tensor<double>::scalar(0.5625)), 1e-15);
  EXPECT_EQ(thrown([&] { loaded.load_state_dict(model.state_dict()); }),
            "[ema] the saved state is not one of averages");
}

// With warm-up the decay of update t is (1 + t) / (10 + t).
TEST(Ema, WarmsUp) {
  ToyModel<double> model;
  const auto start = model.b.clone();
  optim::Ema<double> ema(model, {.decay = 0.15, .warmup = true});
  model.b.copy_from(Tensor<double>::zeros(start.shape()));
  ema.update();  // 0.1
  ema.update();  // 0.15, less than 2 / 11
  ema.swap();
  EXPECT_LT(largest_difference(model.b, start * Tensor<double>::scalar(0.015)), 1e-15);
}

// Running statistics are averaged, counters are the model's.
TEST(Ema, CoversBuffers) {
  nn::BatchNorm2d<float> norm({.channels = 2});
  optim::Ema<float> ema(norm, {.decay = 0.5});
  Generator random(1);
  norm.forward(rand<float>({8, 2}, random));
  const auto moved = norm.running_mean.to<double>();
  ema.update();
  ema.swap();
  EXPECT_LT(largest_difference(norm.running_mean, moved * Tensor<double>::scalar(0.5)), 1e-7);
}

}  // namespace
