#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include <mien/io/safetensors.hpp>

#include "support/data_dir.hpp"
#include "support/reference_training.hpp"

namespace {

using namespace mien;

using Golden = std::map<std::string, Tensor<double>>;

const Golden& golden() {
  static const Golden tensors = [] {
    Golden all;
    for (const auto& [name, tensor] :
         io::read_safetensors(test::golden_path("training/training.safetensors")).tensors)
      all.emplace(name, tensor.as<double>());
    return all;
  }();
  return tensors;
}

// The elements that make_training.py keeps of a tensor.
double element(const Tensor<double>& x, std::int64_t i, std::int64_t samples) {
  return x.data()[i * x.numel() / samples];
}

// Each op is tested in every instruction set; whole runs, which take long, in the best one.
class Training : public testing::Test {
 protected:
  void SetUp() override {
    if (active_isa() != best_isa()) GTEST_SKIP() << "only in this machine's best instruction set";
  }
};
class DoubleTraining : public Training, public testing::WithParamInterface<const char*> {};

TEST_P(DoubleTraining, FollowsTorch) {
  const std::string which = GetParam();
  const auto run = test::reference_training<double>(which, 64);
  const auto& losses = golden().at(which + ".losses");
  ASSERT_EQ(static_cast<std::int64_t>(run.losses.size()), losses.numel());
  for (std::size_t i = 0; i < run.losses.size(); ++i)
    EXPECT_NEAR(run.losses[i], losses.data()[i], 1e-8) << "step " << i;
  for (const auto& [name, value] : run.final) {
    const auto& expected = golden().at(which + ".final." + name);
    for (std::int64_t i = 0; i < expected.numel(); ++i)
      ASSERT_NEAR(element(value, i, expected.numel()), expected.data()[i], 1e-8) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, DoubleTraining,
                         testing::Values("adam", "sam_both", "sam_first", "sam_running"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(Training, FollowsTorchInFloat) {
  const auto run = test::reference_training<float>("sam_both", 64);
  const auto& losses = golden().at("sam_both.losses");
  // Against PyTorch in double: what rounding does grows from step to step.
  for (std::size_t i = 0; i < run.losses.size(); ++i)
    EXPECT_NEAR(run.losses[i], losses.data()[i], i < 10 ? 1e-3 : 5e-3) << "step " << i;
  int without = 0;
  for (const auto& [name, gradient] : run.gradients) {
    const auto& expected = golden().at("gradient." + name);
    const double scale = golden().at("scale." + name).item();
    // The shift of a block's last batch norm has no influence, as the next one removes the mean:
    // its gradient is rounding alone.
    if (scale < 1e-12) {
      EXPECT_TRUE(name.ends_with("bn3.bias") || name == "blocks.0.0.bn2.bias") << name;
      ++without;
      continue;
    }
    for (std::int64_t i = 0; i < expected.numel(); ++i)
      ASSERT_NEAR(element(gradient, i, expected.numel()), expected.data()[i], 1e-4 * scale) << name;
  }
  EXPECT_EQ(without, 16);
}

// Images and labels are random: what is rounded grows from step to step, but leans to no side.
TEST_F(Training, FollowsTorchInBf16) {
  const auto run = test::reference_training<bf16>("sam_both", 64);
  const auto& losses = golden().at("sam_both.losses");
  double difference = 0;
  for (std::size_t i = 0; i < run.losses.size(); ++i)
    difference += run.losses[i] - losses.data()[i];
  EXPECT_NEAR(run.losses[0], losses.data()[0], 0.05);
  EXPECT_NEAR(difference / static_cast<double>(run.losses.size()), 0, 0.1);
}

}  // namespace
