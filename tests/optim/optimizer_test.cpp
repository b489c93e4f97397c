#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <mien/optim/adam.hpp>
#include <mien/optim/clip_gradients.hpp>
#include <mien/optim/sam.hpp>
#include <mien/optim/sgd.hpp>

#include "optim/toy_model.hpp"
#include "support/each_isa.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using optim::Optimizer;
using test::golden;
using test::largest_difference;
using test::thrown;
using test::ToyModel;

template <class T>
using Parameters = std::vector<Tensor<T>>;

template <class T>
struct Case {
  std::string name;
  std::unique_ptr<Optimizer<T>> (*make)(const Parameters<T>&);
  std::optional<optim::SamOptions> sam = {};
  double clip = 0;
};

template <class T, class Kind, class Options>
std::unique_ptr<Optimizer<T>> made(const Parameters<T>& parameters, const Options& options) {
  return std::make_unique<Kind>(parameters, options);
}

// The cases of tests/golden/optim/make_optim.py.
template <class T>
std::vector<Case<T>> cases() {
  using P = const Parameters<T>&;
  using optim::Adam, optim::AdamW, optim::Sgd;
  constexpr auto sgd_momentum = [](P p) {
    return made<T, Sgd<T>>(p, optim::SgdOptions{.lr = 0.05, .momentum = 0.9});
  };
  constexpr auto sgd = [](P p) { return made<T, Sgd<T>>(p, optim::SgdOptions{.lr = 0.1}); };
  constexpr auto adam = [](P p) { return made<T, Adam<T>>(p, optim::AdamOptions{.lr = 0.03}); };
  return {
      {"sgd", sgd},
      {"sgd_momentum",
       [](P p) {
         return made<T, Sgd<T>>(
             p, optim::SgdOptions{.lr = 0.05, .momentum = 0.9, .weight_decay = 0.001});
       }},
      {"sgd_nesterov",
       [](P p) {
         return made<T, Sgd<T>>(p,
                                optim::SgdOptions{.lr = 0.05, .momentum = 0.8, .nesterov = true});
       }},
      {"adam", adam},
      {"adam_decay",
       [](P p) {
         return made<T, Adam<T>>(
             p,
             optim::AdamOptions{
                 .lr = 0.03, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .weight_decay = 0.01});
       }},
      {"adamw",
       [](P p) {
         return made<T, AdamW<T>>(p, optim::AdamWOptions{.lr = 0.03, .weight_decay = 0.1});
       }},
      {"clipped", sgd, {}, 0.5},
      {"sam_sgd", sgd_momentum, optim::SamOptions{}},
      {"sam_adam", adam, optim::SamOptions{}},
      {"asam_adam", adam, optim::SamOptions{.rho = 0.5, .adaptive = true}},
  };
}

constexpr int steps = 5, step_without_bias = 3;

// One step of a case.
template <class T>
void step(Optimizer<T>& optimizer, const Case<T>& c, ToyModel<T>& model, int number) {
  const auto pass = [&] { return model.backward(number != step_without_bias); };
  if (c.sam) {
    optim::Sam<T> sam(optimizer, model, *c.sam);
    Generator generator;
    sam.step(generator, pass);
    return;
  }
  optimizer.zero_grad();
  pass();
  if (c.clip > 0) optim::clip_gradient_norm(optimizer, c.clip);
  optimizer.step();
}

template <class T>
void follow_torch(double tolerance) {
  for (const auto& c : cases<T>()) {
    ToyModel<T> model;
    const auto optimizer = c.make(model.parameters());
    for (int number = 1; number <= steps; ++number) {
      step(*optimizer, c, model, number);
      for (const auto& [name, w] : {std::pair{"A", model.a}, {"b", model.b}})
        ASSERT_LE(largest_difference(w, golden().at(str(c.name, '.', number, '.', name))),
                  tolerance)
            << c.name << ", step " << number << ", " << name;
    }
  }
}

class Optimizers : public test::EachIsa {};
TEST_P(Optimizers, FollowTorchInDouble) { follow_torch<double>(1e-13); }
TEST_P(Optimizers, FollowTorchInFloat) { follow_torch<float>(2e-5); }
INSTANTIATE_TEST_SUITE_P(EveryIsa, Optimizers, test::every_isa, test::isa_name);

TEST(Optimizer, AResumedRunEndsInTheSameBits) {
  for (const auto& c : cases<float>()) {
    ToyModel<float> model, resumed;
    const auto whole = c.make(model.parameters());
    for (int number = 1; number <= 3; ++number) step(*whole, c, model, number);
    const auto weights = model.state_dict();
    const auto state = whole->state_dict();
    for (int number = 4; number <= 6; ++number) step(*whole, c, model, number);

    resumed.load_state_dict(weights);
    const auto rest = c.make(resumed.parameters());
    rest->load_state_dict(state);
    for (int number = 4; number <= 6; ++number) step(*rest, c, resumed, number);
    EXPECT_EQ(largest_difference(resumed.a, model.a.to<double>()), 0) << c.name;
    EXPECT_EQ(largest_difference(resumed.b, model.b.to<double>()), 0) << c.name;
  }
}

TEST(Optimizer, TheNumberOfThreadsDoesNotMatter) {
  const auto trained = [](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    Generator random(5);
    auto w = rand<float>({100003}, random, -1, 1);
    w.set_requires_grad();
    optim::Adam<float> adam({w}, {.lr = 0.1});
    for (int i = 0; i < 3; ++i) {
      adam.zero_grad();
      w.backward(rand<float>(w.shape(), random, -1, 1));
      optim::clip_gradient_norm(adam, 1.0);
      adam.step();
    }
    set_num_threads(before);
    return w.to<double>();
  };
  const auto one = trained(1), four = trained(4);
  EXPECT_EQ(largest_difference(one, four), 0);
  EXPECT_NE(one(100002), 0);
}

TEST(Optimizer, GroupsHaveTheirOwnRateAndDecay) {
  auto a = Tensor<float>::from({2}, {1, 2}), b = Tensor<float>::from({2}, {3, 4});
  a.set_requires_grad();
  b.set_requires_grad();
  optim::Sgd<float> sgd(
      {{.parameters = {a}, .lr_scale = 0.5}, {.parameters = {b}, .weight_decay = 0}},
      {.lr = 0.5, .weight_decay = 0.25});
  a.backward(Tensor<float>::ones({2}));
  b.backward(Tensor<float>::ones({2}));
  sgd.step();
  EXPECT_EQ(a(0), 1 - 0.25f * (1 + 0.25f));
  EXPECT_EQ(b(1), 4 - 0.5f);
  sgd.set_lr(0);
  sgd.step();
  EXPECT_EQ(b(1), 4 - 0.5f);
}

TEST(Optimizer, GradientsAccumulateUntilTheyAreForgotten) {
  auto w = Tensor<float>::from({2}, {0, 0});
  w.set_requires_grad();
  w.backward(Tensor<float>::ones({2}));  // from before the optimizer
  optim::Sgd<float> sgd(Parameters<float>{w}, {.lr = 1});
  w.backward(Tensor<float>::ones({2}));
  sgd.step();
  EXPECT_EQ(w(1), -2);
  sgd.zero_grad();
  EXPECT_FALSE(w.grad().defined());
  sgd.step();
  EXPECT_EQ(w(1), -2);
  w.backward(Tensor<float>::ones({2}));
  sgd.step();
  EXPECT_EQ(w(1), -3);
}

// What was packed from the weights before a step must not be used after it.
TEST(Optimizer, StepsReachWhatWasDerivedFromTheWeights) {
  nn::Linear<float> layer({.in = 3, .out = 5, .bias = false});
  Generator random(1);
  const auto x = rand<float>({4, 3}, random);
  optim::Sgd<float> sgd(layer.parameters(), {.lr = 1});
  layer.forward(x);
  layer.weight.backward(layer.weight.detach().clone());  // w - 1 w = 0
  sgd.step();
  EXPECT_EQ(max(abs(layer.forward(x))).item(), 0);
}

TEST(Optimizer, KeepsItsParametersAliveAndTogether) {
  Tensor<float> a;
  {
    ToyModel<float> model;
    optim::Sgd<float> sgd(model.parameters(), {.lr = 1});
    EXPECT_EQ(model.a.data(), sgd.arena().weights());
    EXPECT_EQ(model.b.data(), sgd.arena().weights() + 48);  // 35 elements, aligned to 16
    EXPECT_EQ(largest_difference(model.a, golden().at("start.A").to<float>().to<double>()), 0);
    a = model.a;
  }
  EXPECT_EQ(largest_difference(a, golden().at("start.A").to<float>().to<double>()), 0);
}

TEST(Optimizer, TellsWhatIsWrong) {
  auto w = Tensor<float>::ones({2, 3});
  const auto sgd_of = [](const Parameters<float>& parameters) {
    return thrown([&] { optim::Sgd<float>(parameters, {.lr = 1}); });
  };
  EXPECT_EQ(sgd_of({}), "[optim] no parameters");
  EXPECT_EQ(sgd_of({w}), "[optim] parameter 0 of shape (2, 3) does not require a gradient");
  w.set_requires_grad();
  EXPECT_EQ(sgd_of({w, w}), "[optim] parameter 1 of shape (2, 3) was given twice");
  auto view = w.as_strided({2}, {1});
  view.set_requires_grad();
  EXPECT_EQ(sgd_of({view}), "[optim] parameter 0 of shape (2) is a view of another tensor");
  EXPECT_EQ(thrown([&] { optim::Sgd<float>(Parameters<float>{w}, {.lr = -1}); }),
            "[optim] a learning rate of -1");
  EXPECT_EQ(thrown([&] { optim::Sgd<float>(Parameters<float>{w}, {.nesterov = true}); }),
            "[sgd] nesterov needs momentum");
  EXPECT_EQ(thrown([&] { optim::Adam<float>(Parameters<float>{w}, {.beta2 = 1}); }),
            "[adam] expected betas in [0, 1), got 1");
  EXPECT_EQ(thrown([&] { optim::AdamW<float>(Parameters<float>{w}, {.weight_decay = -1}); }),
            "[optim] a weight decay of -1");

  optim::Adam<float> first(Parameters<float>{w}, {}), second(Parameters<float>{w}, {});
  w.backward(w.detach());
  EXPECT_EQ(thrown([&] { first.step(); }),
            "[optim] parameter 0 of shape (2, 3) belongs to another optimizer since");
  second.step();

  auto other = Tensor<float>::ones({3});
  other.set_requires_grad();
  optim::Adam<float> third(Parameters<float>{other}, {});
  EXPECT_EQ(thrown([&] { third.load_state_dict(second.state_dict()); }),
            "[adam] the saved state is of other parameters");
  EXPECT_EQ(thrown([&] { third.load_state_dict({}); }),
            "[adam] the saved state has 0 entries, expected 5");
}

TEST(ClipGradientNorm, LeavesShortAndInfiniteGradientsAlone) {
  auto w = Tensor<float>::from({2}, {0, 0});
  w.set_requires_grad();
  optim::Sgd<float> sgd(Parameters<float>{w}, {.lr = 1});
  w.backward(Tensor<float>::from({2}, {3, 4}));
  EXPECT_EQ(optim::clip_gradient_norm(sgd, 6), 5);
  EXPECT_EQ(w.grad()(0), 3);
  EXPECT_EQ(optim::clip_gradient_norm(sgd, 1), 5);
  EXPECT_NEAR(double{w.grad()(0)}, 0.6, 1e-6);
  sgd.zero_grad();
  w.backward(Tensor<float>::from({2}, {3, INFINITY}));
  EXPECT_EQ(optim::clip_gradient_norm(sgd, 1), INFINITY);
  EXPECT_EQ(w.grad()(0), 3);
  EXPECT_EQ(thrown([&] { optim::clip_gradient_norm(sgd, 0); }),
            "[clip_gradient_norm] expected a positive length, got 0");
}

}  // namespace
