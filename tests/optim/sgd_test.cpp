#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <mien/autograd/engine.hpp>
#include <mien/io/safetensors.hpp>
#include <mien/optim/sgd.hpp>

#include "support/data_dir.hpp"
#include "support/thrown.hpp"

namespace {

using mien::bf16;
using mien::Tensor;
using mien::optim::Sgd;
using mien::optim::SgdOptions;
using mien::test::thrown;

const std::pair<const char*, SgdOptions> cases[] = {
    {"plain", {.lr = 0.1}},
    {"momentum", {.lr = 0.05, .momentum = 0.9}},
    {"decay", {.lr = 0.1, .weight_decay = 0.01}},
    {"both", {.lr = 0.03, .momentum = 0.8, .weight_decay = 0.001}},
};

// Follows tests/golden/optim/make_sgd.py.
template <class T>
void follow_torch(double tolerance) {
  std::map<std::string, Tensor<double>> golden;
  for (const auto& [name, tensor] :
       mien::io::read_safetensors(mien::test::golden_path("optim/sgd.safetensors")).tensors)
    golden.emplace(name, tensor.template as<double>());
  for (const auto& [name, options] : cases) {
    const auto at = [&](const std::string& key) { return golden.at(mien::str(name, '.', key)); };
    auto w = at("start").template to<T>();
    w.set_requires_grad();
    Sgd<T> sgd({w}, options);
    for (int step = 1; step <= 5; ++step) {
      sgd.zero_grad();
      if (step != 3) w.backward(at(mien::str("gradient.", step)).template to<T>());
      sgd.step();
      const Tensor<double> expected = at(mien::str("weight.", step));
      for (std::int64_t i = 0; i < w.numel(); ++i)
        ASSERT_NEAR(double{w.data()[i]}, expected.data()[i], tolerance) << name << ' ' << step;
    }
  }
}

TEST(Sgd, FollowsTorchInDouble) { follow_torch<double>(1e-15); }
TEST(Sgd, FollowsTorchInFloat) { follow_torch<float>(1e-6); }

TEST(Sgd, UpdatesAllParametersThatHaveGradients) {
  auto a = Tensor<float>::from({2}, {1, 2}), b = Tensor<float>::from({}, {3});
  a.set_requires_grad();
  b.set_requires_grad();
  Sgd<float> sgd({a, b}, {.lr = 0.5});
  a.backward(Tensor<float>::from({2}, {2, 4}));
  sgd.step();
  EXPECT_EQ(a(0), 0);
  EXPECT_EQ(a(1), 0);
  EXPECT_EQ(b(), 3);
  sgd.zero_grad();
  EXPECT_FALSE(a.grad().defined());
  sgd.step();
  EXPECT_EQ(a(0), 0);
}

TEST(Sgd, LongParametersAreUpdatedToTheEnd) {
  auto w = Tensor<float>::zeros({50001});
  w.set_requires_grad();
  Sgd<float> sgd({w}, {.lr = 1, .momentum = 0.5});
  w.backward(Tensor<float>::ones({50001}));
  sgd.step();
  sgd.step();
  for (std::int64_t i = 0; i < w.numel(); ++i) ASSERT_EQ(w(i), -2.5f);
}

TEST(Sgd, HalfWeightsAreRoundedOncePerStep) {
  auto w = Tensor<bf16>::from({1}, {bf16(1.0f)});
  w.set_requires_grad();
  Sgd<bf16> sgd({w}, {.lr = 0.25});
  w.backward(Tensor<bf16>::from({1}, {bf16(0.3f)}));
  sgd.step();
  EXPECT_EQ(w(0).bits, bf16(1.0f - 0.25f * float{bf16(0.3f)}).bits);
}

TEST(Sgd, ChecksItsParameters) {
  EXPECT_EQ(thrown([] {
              Sgd<float>({Tensor<float>::ones({2, 3})}, {});
            }),
            "[sgd] a parameter of shape (2, 3) does not require a gradient");
  auto strided = Tensor<float>::ones({2, 2}).as_strided({2, 2}, {1, 2});
  strided.set_requires_grad();
  EXPECT_EQ(thrown([&] { Sgd<float>({strided}, {}); }),
            "[sgd] a parameter of shape (2, 2) is a strided view");
}

}  // namespace
