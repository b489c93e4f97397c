#include <gtest/gtest.h>

#include <vector>

#include <mien/optim/sam.hpp>
#include <mien/optim/sgd.hpp>

#include "optim/toy_model.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using optim::SamBatchNorm;
using test::largest_difference;
using test::thrown;
using test::ToyModel;

// Batch norm, dropout and a weight.
class Noisy : public nn::Module<float> {
 public:
  Noisy() { weight.set_requires_grad(); }

  double backward(const Tensor<float>& x, Generator& generator) {
    const auto y = dropout(norm.forward(x * weight), 0.5, generator);
    masks.push_back(y.detach().clone());
    const auto loss = mean(y * y * y);
    loss.backward();
    return double{loss.item()};
  }
  void parts(nn::Parts<float>& p) override { p.parameter("weight", weight).child("norm", norm); }

  Tensor<float> weight = Tensor<float>::from({4}, {1, -2, 3, 4});
  nn::BatchNorm2d<float> norm{{.channels = 4}};
  std::vector<Tensor<float>> masks;
};

TEST(Sam, TheMasksOfBothPassesAreTheSame) {
  Noisy model;
  Generator generator(3), data(4);
  const auto x = rand<float>({8, 4}, data);
  optim::Sgd<float> sgd(model.parameters(), {.lr = 0.01});
  optim::Sam<float> sam(sgd, model);
  for (int step = 0; step < 2; ++step)
    sam.step(generator, [&] { return model.backward(x, generator); });
  ASSERT_EQ(model.masks.size(), 4u);
  const auto dropped = [&](std::size_t i) {
    std::vector<bool> zero;
    for (int k = 0; k < 32; ++k) zero.push_back(model.masks[i].data()[k] == 0);
    return zero;
  };
  EXPECT_EQ(dropped(0), dropped(1));
  EXPECT_EQ(dropped(2), dropped(3));
  EXPECT_NE(dropped(0), dropped(2));
  EXPECT_EQ(generator.offset(), 2u);
}

TEST(Sam, BatchNormOfTheSecondPass) {
  Generator data(4);
  const auto x = rand<float>({8, 4}, data);
  // Running statistics after one pass move by a tenth toward the batch's.
  const auto after = [&](SamBatchNorm mode) {
    Noisy model;
    Generator generator(3);
    optim::Sgd<float> sgd(model.parameters(), {.lr = 0.01});
    optim::Sam<float> sam(sgd, model, {.batch_norm = mode});
    sam.step(generator, [&] { return model.backward(x, generator); });
    EXPECT_EQ(model.norm.mode(), nn::NormMode::update);
    return model;
  };
  Noisy one;
  Generator generator(3);
  one.backward(x, generator);
  const auto both = after(SamBatchNorm::both), first = after(SamBatchNorm::first),
             running = after(SamBatchNorm::running);
  const auto once = one.norm.running_mean.to<double>();
  EXPECT_EQ(largest_difference(first.norm.running_mean, once), 0);
  EXPECT_EQ(largest_difference(running.norm.running_mean, once), 0);
  EXPECT_GT(largest_difference(both.norm.running_mean, once), 0.01);
  // The second pass normalises with the batch in `first` and does not in `running`.
  EXPECT_LT(largest_difference(first.masks[1], one.masks[0].to<double>()), 0.2);
  EXPECT_GT(largest_difference(running.masks[1], one.masks[0].to<double>()), 0.5);
  const auto count = [](Noisy model) {
    return model.state_dict().back().second.as<std::int64_t>().item();
  };
  EXPECT_EQ(count(both), 2);
  EXPECT_EQ(count(first), 1);
  EXPECT_EQ(count(running), 1);
}

TEST(Sam, ClimbsByRhoAlongTheGradient) {
  ToyModel<double> model;
  const auto before = model.a.to<double>().clone();
  optim::Sgd<double> sgd(model.parameters(), {.lr = 0});
  optim::Sam<double> sam(sgd, model, {.rho = 0.25});
  model.backward();
  sam.climb();
  double square = 0;
  for (const auto& [w, name] : {std::pair{model.a, "start.A"}, {model.b, "start.b"}})
    for (std::int64_t i = 0; i < w.numel(); ++i) {
      const double moved = w.data()[i] - test::golden().at(name).data()[i];
      EXPECT_NEAR(moved, 0.25 * w.grad().data()[i] / sam.norm(), 1e-14);
      square += moved * moved;
    }
  EXPECT_NEAR(std::sqrt(square), 0.25, 1e-12);
  EXPECT_EQ(thrown([&] { sam.climb(); }), "[sam] climb() without descend() after the climb before");
  sam.descend();
  EXPECT_EQ(largest_difference(model.a, before), 0);
  EXPECT_EQ(thrown([&] { sam.descend(); }), "[sam] descend() without climb()");
  EXPECT_EQ(thrown([&] { optim::Sam<double>(sgd, model, {.rho = -1}); }),
            "[sam] expected a rho of at least 0, got -1");
}

// 2^20 weights near 0.05 whose gradients are alike: rho 0.05 moves each by 0.05 / 2^10, a fifth of
// a step of bf16 there (2^-12), so a fifth of them would move in bf16.
TEST(Sam, CountsTheWeightsThatWouldMoveInSixteenBits) {
  class Many : public nn::Module<bf16> {
   public:
    void parts(nn::Parts<bf16>& p) override { p.parameter("weight", weight); }
    Tensor<float> weight;
  } model;
  Generator generator(6);
  model.weight = rand<float>({1 << 20}, generator, 0.04f, 0.06f);
  model.set_requires_grad();
  optim::Sgd<float> sgd(model.parameters(), {.lr = 0});
  optim::Sam<bf16> sam(sgd, model, {.rho = 0.05});
  EXPECT_EQ(thrown([&] { sam.surviving_share<bf16>(); }),
            "[sam] surviving_share() without climb()");
  sum(model.weight).backward();
  sam.climb();
  EXPECT_NEAR(sam.surviving_share<bf16>(), 0.2, 0.005);
  EXPECT_EQ(sam.surviving_share<float>(), 1);
  sam.descend();
}

TEST(Sam, AFailureLeavesTheWeightsAsTheyWere) {
  ToyModel<double> model;
  const auto a = model.a.clone(), b = model.b.clone();
  optim::Sgd<double> sgd(model.parameters(), {.lr = 0.1});
  optim::Sam<double> sam(sgd, model);
  Generator generator;
  const auto pass = [&] { return model.backward(); };
  const auto nothing = [](double, double) {};
  const auto failing = [&](double) {
    EXPECT_GT(largest_difference(model.a, a), 0);
    fail("test", "no");
  };
  EXPECT_EQ(thrown([&] { sam.step(generator, pass, nothing, failing); }), "[test] no");
  EXPECT_EQ(largest_difference(model.a, a), 0);
  EXPECT_EQ(largest_difference(model.b, b), 0);
  sam.step(generator, pass);
  EXPECT_GT(largest_difference(model.a, a), 0);
}

// A parameter that only one of the passes gives a gradient.
TEST(Sam, ParametersMayLackGradientsInAPass) {
  for (const bool in_first : {true, false}) {
    ToyModel<double> model;
    const auto start = model.b.clone();
    optim::Sgd<double> sgd(model.parameters(), {.lr = 0.01});
    optim::Sam<double> sam(sgd, model);
    Generator generator;
    bool first = true;
    sam.step(generator, [&] { return model.backward(std::exchange(first, false) == in_first); });
    if (in_first)
      EXPECT_EQ(largest_difference(model.b, start), 0);
    else
      EXPECT_EQ(largest_difference(model.b + model.b.grad() * Tensor<double>::scalar(0.01), start),
                0);
  }
}

}  // namespace
