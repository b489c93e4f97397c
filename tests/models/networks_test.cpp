// Whole networks against PyTorch, timm, torchvision and efficientnet_pytorch: the outputs in
// tests/golden/models come from the same weights, drawn by name on both sides.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include <mien/io/safetensors.hpp>
#include <mien/models/efficientnet.hpp>
#include <mien/models/rrdbnet.hpp>
#include <mien/models/srvgg.hpp>
#include <mien/nn/summary.hpp>

#include "support/data_dir.hpp"
#include "support/named_weights.hpp"

namespace mien::test {
namespace {

Tensor<float> golden(const std::string& name) {
  static const auto file = io::read_safetensors(golden_path("models/models.safetensors"));
  for (const auto& [known, tensor] : file.tensors)
    if (known == name) return tensor.as<float>();
  fail("golden", "no tensor " + name);
}

double relative_error(const Tensor<float>& got, const Tensor<float>& expected) {
  check(got.shape() == expected.shape(), "golden", "expected ", expected.shape(), ", got ",
        got.shape());
  double worst = 0, scale = 0;
  for (std::int64_t i = 0; i < got.numel(); ++i) {
    const double a = got.data()[i], b = expected.data()[i];
    worst = std::isfinite(a) ? std::max(worst, std::abs(a - b)) : INFINITY;
    scale = std::max(scale, std::abs(b));
  }
  return worst / scale;
}

template <class Network>
void fill(Network& network) {
  network.load_state_dict(named_weights(network.state_dict()));
  network.eval();
}

// Both paths: fused without gradients, op by op with them.
template <class Network>
void expect_golden(const Network& network, const Tensor<float>& x, const std::string& name) {
  const Tensor<float> expected = golden(name);
  EXPECT_LT(relative_error(network.forward(x).detach(), expected), 1e-4) << name << ", recorded";
  const NoGrad no_grad;
  EXPECT_LT(relative_error(network.forward(x), expected), 1e-4) << name << ", fused";
}

class EfficientNetSource : public testing::TestWithParam<models::Source> {};

TEST_P(EfficientNetSource, EqualsItsOrigin) {
  const nn::SkipInit skip;
  models::EfficientNet<float> network({.num_classes = 10, .source = GetParam()});
  fill(network);
  expect_golden(network, named_uniform("faces", {2, 75, 66, 3}, -1, 1),
                str("efficientnet_b0/", GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, EfficientNetSource,
                         testing::Values(models::Source::timm_tf, models::Source::timm,
                                         models::Source::torchvision, models::Source::lukemelas));

TEST(EfficientNet, CompoundScalingEqualsTimm) {
  const nn::SkipInit skip;
  const Tensor<float> parameters = golden("efficientnet/parameters");
  for (int variant = 0; variant <= 7; ++variant) {
    models::EfficientNet<float> network({.variant = variant, .num_classes = 10});
    EXPECT_EQ(static_cast<float>(network.num_parameters()), parameters(variant)) << variant;
    if (variant != 2) continue;
    fill(network);
    expect_golden(network, named_uniform("faces", {2, 75, 66, 3}, -1, 1),
                  str("efficientnet_b", variant, "/timm-tf"));
  }
}

// Table 2 of the paper: 5.3 million parameters and 0.39 billion operations for B0 with 1000
// classes.
TEST(EfficientNet, SummaryCountsParametersAndOperations) {
  models::EfficientNet<float> network({});
  const nn::Summary summary = nn::summarize<float>(network, {1, 224, 224, 3});
  EXPECT_EQ(summary.parameters, 5'288'548);
  EXPECT_EQ(summary.macs, 385'814'752);
  EXPECT_EQ(summary.rows.front().name, "conv_stem");
  EXPECT_EQ(summary.rows.front().output, (Shape{1, 112, 112, 32}));
  EXPECT_EQ(summary.rows.back().name, "classifier");
  std::int64_t parameters = 0;
  for (const auto& row : summary.rows) parameters += row.parameters;
  EXPECT_EQ(parameters, summary.parameters);
}

TEST(EfficientNet, StateDictHasTimmsKeysInOrder) {
  models::EfficientNet<float> network({.num_classes = 10});
  const nn::StateDict dict = network.state_dict();
  ASSERT_EQ(dict.size(), 360u);
  EXPECT_EQ(dict[0].first, "conv_stem.weight");
  EXPECT_EQ(dict[0].second.shape(), (Shape{32, 3, 3, 3}));
  EXPECT_EQ(dict[5].first, "bn1.num_batches_tracked");
  EXPECT_EQ(dict[6].first, "blocks.0.0.conv_dw.weight");
  EXPECT_EQ(dict[6].second.shape(), (Shape{32, 1, 3, 3}));
  EXPECT_EQ(dict[359].first, "classifier.bias");
}

TEST(EfficientNet, RefusesImagesThatAreNotNhwcRgb) {
  const nn::SkipInit skip;
  const models::EfficientNet<float> network({.num_classes = 10});
  EXPECT_THROW(network.forward(Tensor<float>::zeros({1, 3, 64, 64})), Error);
}

TEST(EfficientNet, LoadStateDictNamesWhatIsWrong) {
  models::EfficientNet<float> network({.num_classes = 10});
  nn::StateDict dict = network.state_dict();
  dict.back() = {"classifier.bias", Tensor<float>::zeros({8})};
  dict.erase(dict.begin());
  dict.emplace_back("extra", Tensor<float>::zeros({1}));
  try {
    network.load_state_dict(dict);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "[load_state_dict] 1 missing: conv_stem.weight; 1 unexpected: extra; 1 of another "
                 "shape: classifier.bias: expected (10), got (8)");
  }
  const nn::LoadReport report = network.load_state_dict(dict, false);
  EXPECT_EQ(report.missing.size(), 1u);
}

TEST(RrdbNet, EqualsPyTorch) {
  const nn::SkipInit skip;
  const Tensor<float> tile = named_uniform("tile", {1, 16, 12, 3}, 0, 1);
  for (const auto& [scale, blocks] : {std::pair{4, 23}, {2, 2}, {1, 2}}) {
    models::RrdbNet<float> network({.scale = scale, .num_block = blocks});
    fill(network);
    expect_golden(network, tile, str("rrdbnet_x", scale, '_', blocks));
  }
}

TEST(SrvggNetCompact, EqualsPyTorch) {
  const nn::SkipInit skip;
  models::SrvggNetCompact<float> network({});
  fill(network);
  expect_golden(network, named_uniform("tile", {1, 16, 12, 3}, 0, 1), "srvgg_x4_16");
}

// Changing an input pixel must not reach beyond the stated radius: tiles rely on it.
template <class Network>
void expect_radius_holds(const Network& network, std::int64_t size) {
  const NoGrad no_grad;
  const Tensor<float> x = named_uniform("tile", {1, 4, size, 3}, 0, 1);
  const Tensor<float> changed = x.clone();
  changed.mutable_data()[0] += 1;
  const Tensor<float> a = network.forward(x), b = network.forward(changed);
  std::int64_t farthest = 0;
  const std::int64_t scale = network.scale();
  for (std::int64_t j = 0; j < size * scale; ++j)
    if (a(0, 0, j, 0) != b(0, 0, j, 0)) farthest = j / scale;
  EXPECT_GT(farthest, 0);
  EXPECT_LE(farthest, network.receptive_radius());
}

TEST(SuperResolution, ReceptiveRadiusHolds) {
  const nn::SkipInit skip;
  models::SrvggNetCompact<float> compact({.num_feat = 8, .num_conv = 4});
  fill(compact);
  expect_radius_holds(compact, 16);
  for (const int scale : {4, 2, 1}) {
    models::RrdbNet<float> rrdb({.scale = scale, .num_feat = 8, .num_block = 1, .num_grow_ch = 4});
    fill(rrdb);
    expect_radius_holds(rrdb, 96);
  }
}

}  // namespace
}  // namespace mien::test
