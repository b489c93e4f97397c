#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <mien/nn/module.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/cast.hpp>
#include <mien/ops/mul.hpp>

#include "support/thrown.hpp"

namespace {

using mien::AnyTensor;
using mien::bf16;
using mien::cast;
using mien::Compute;
using mien::DType;
using mien::Shape;
using mien::Tensor;
using mien::nn::Layout;
using mien::nn::StateDict;
using mien::test::thrown;

template <class T>
class Scale : public mien::nn::Module<T> {
 public:
  explicit Scale(float value)
      : weight(Tensor<Compute<T>>::full({2}, value)), mean(Tensor<Compute<T>>::full({2}, 5)) {}
  Tensor<T> forward(const Tensor<T>& x) const {
    const Tensor<T> y = x * cast<T>(weight);
    return bias.defined() ? y + cast<T>(bias) : y;
  }
  void parts(mien::nn::Parts<T>& p) override {
    p.parameter("weight", weight).parameter("bias", bias).buffer("running_mean", mean);
    p.counter("num_batches_tracked", batches);
  }
  Tensor<Compute<T>> weight, bias, mean;  // the bias is left out: undefined
  std::int64_t batches = 0;
};

template <class T>
class Network : public mien::nn::Module<T> {
 public:
  Network() { blocks.assign({Scale<T>(3), Scale<T>(4)}); }
  Tensor<T> forward(const Tensor<T>& x) const { return blocks[1].forward(stem.forward(x)); }
  void parts(mien::nn::Parts<T>& p) override {
    p.child("stem", stem).children("blocks", blocks).parameter("head", head, Layout::linear);
  }
  Scale<T> stem{2};
  std::vector<Scale<T>> blocks;
  Tensor<Compute<T>> head = Tensor<Compute<T>>::from({2, 3}, {1, 2, 3, 4, 5, 6});
};

std::vector<std::string> names(const StateDict& dict) {
  std::vector<std::string> all;
  for (const auto& [name, value] : dict) all.push_back(name);
  return all;
}

const AnyTensor& entry(const StateDict& dict, const std::string& name) {
  for (const auto& [key, value] : dict)
    if (key == name) return value;
  throw mien::Error("no " + name);
}

TEST(Module, NamesItsPartsInOrder) {
  Network<float> net;
  EXPECT_EQ(names(net.state_dict()),
            (std::vector<std::string>{
                "stem.weight", "stem.running_mean", "stem.num_batches_tracked", "blocks.0.weight",
                "blocks.0.running_mean", "blocks.0.num_batches_tracked", "blocks.1.weight",
                "blocks.1.running_mean", "blocks.1.num_batches_tracked", "head"}));
  std::vector<std::string> parameters, modules;
  for (const auto& part : net.named_parameters()) parameters.push_back(part.name);
  EXPECT_EQ(parameters, (std::vector<std::string>{"stem.weight", "blocks.0.weight",
                                                  "blocks.1.weight", "head"}));
  for (const auto& [name, module] : net.all_parts().modules) modules.push_back(name);
  EXPECT_EQ(modules, (std::vector<std::string>{"stem", "blocks.0", "blocks.1"}));
  EXPECT_EQ(net.num_parameters(), 2 + 2 + 2 + 6);
}

TEST(Module, TrainingModeReachesAllChildren) {
  Network<float> net;
  EXPECT_TRUE(net.training() && net.stem.training() && net.blocks[1].training());
  net.eval();
  EXPECT_FALSE(net.training() || net.stem.training() || net.blocks[1].training());
  net.stem.train();
  EXPECT_FALSE(net.training());
  EXPECT_TRUE(net.stem.training());
}

TEST(Module, ParametersGetGradientsAndCanBeFrozen) {
  Network<float> net;
  net.set_requires_grad();
  net.blocks[1].set_requires_grad(false);
  const auto x = Tensor<float>::from({2}, {1, 10});
  net.forward(x).backward(Tensor<float>::ones({2}));
  EXPECT_EQ(net.stem.weight.grad()(1), 40);
  EXPECT_FALSE(net.blocks[1].weight.grad().defined());
  EXPECT_FALSE(net.head.grad().defined());
  net.zero_grad();
  EXPECT_FALSE(net.stem.weight.grad().defined());
}

TEST(Module, CopiesShareTensors) {
  Network<float> net;
  const Network<float> copy = net;
  net.stem.weight.mutable_data()[0] = 9;
  EXPECT_EQ(copy.stem.weight(0), 9);
}

TEST(StateDict, IsACopyInTorchsLayout) {
  Network<float> net;
  net.blocks[0].batches = 12;
  const StateDict dict = net.state_dict();
  const auto head = entry(dict, "head").get<float>();
  EXPECT_EQ(head.shape(), (Shape{3, 2}));
  EXPECT_EQ(head(2, 0), 3);
  EXPECT_EQ(head(0, 1), 4);
  EXPECT_EQ(entry(dict, "blocks.0.num_batches_tracked").get<std::int64_t>().item(), 12);
  net.stem.weight.mutable_data()[0] = -1;
  EXPECT_EQ(entry(dict, "stem.weight").get<float>()(0), 2);
}

TEST(StateDict, ComesBackWhole) {
  Network<float> from, into;
  from.stem.weight.mutable_data()[1] = 77;
  from.blocks[1].mean.mutable_data()[0] = -3;
  from.stem.batches = 5;
  from.head.mutable_data()[2] = 0.25f;
  const float* before = into.head.data();
  EXPECT_TRUE(into.load_state_dict(from.state_dict()).complete());
  EXPECT_EQ(into.stem.weight(1), 77);
  EXPECT_EQ(into.blocks[1].mean(0), -3);
  EXPECT_EQ(into.stem.batches, 5);
  EXPECT_EQ(into.head(0, 2), 0.25f);
  EXPECT_EQ(into.head.data(), before);  // optimizers hold these tensors
}

TEST(StateDict, ConvertsElementTypes) {
  Network<double> from;
  from.head.mutable_data()[0] = 1.0 / 3;
  Network<bf16> into;
  into.load_state_dict(from.state_dict());
  EXPECT_EQ(into.head(0, 0), 1.0f / 3);  // parameters of 16-bit networks are float
  EXPECT_EQ(entry(into.state_dict(), "head").dtype(), DType::f32);
  EXPECT_EQ(entry(into.state_dict(), "stem.running_mean").dtype(), DType::f32);
}

TEST(StateDict, StrictLoadingTellsEverythingAndChangesNothing) {
  Network<float> net;
  StateDict dict = net.state_dict();
  dict[0].second = Tensor<float>::zeros({2});         // stem.weight: fits
  dict[3].first = "blocks.0.gamma";                   // blocks.0.weight
  dict.back().second = Tensor<float>::zeros({2, 3});  // head, not transposed
  dict.erase(dict.begin() + 2);                       // a counter: may be missing
  EXPECT_EQ(thrown([&] { net.load_state_dict(dict); }),
            "[load_state_dict] 1 missing: blocks.0.weight; 1 unexpected: blocks.0.gamma; 1 of "
            "another shape: head: expected (3, 2), got (2, 3)");
  EXPECT_EQ(net.stem.weight(0), 2);
  const auto report = net.load_state_dict(dict, false);
  EXPECT_EQ(report.missing, (std::vector<std::string>{"blocks.0.weight"}));
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"blocks.0.gamma"}));
  EXPECT_EQ(report.mismatched.size(), 1u);
  EXPECT_EQ(net.stem.weight(0), 0);
  EXPECT_EQ(net.blocks[0].weight(0), 3);
}

TEST(StateDict, LongReportsAreShortened) {
  Network<float> net;
  EXPECT_EQ(thrown([&] { net.load_state_dict({}); }),
            "[load_state_dict] 7 missing: stem.weight, stem.running_mean, blocks.0.weight, "
            "blocks.0.running_mean, ...");
}

// mien's element (i, j, k, l) by layout, and where PyTorch keeps it.
TEST(Layout, LeadsToTorchAndBack) {
  const auto conv = Tensor<std::int32_t>::arange(2 * 3 * 4 * 5).view_as({2, 3, 4, 5});
  const auto conv_torch = to_torch_layout(conv, Layout::conv);
  ASSERT_EQ(conv_torch.shape(), (Shape{5, 4, 2, 3}));
  for (int o = 0; o < 5; ++o)
    for (int i = 0; i < 4; ++i)
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 3; ++x) ASSERT_EQ(conv_torch(o, i, y, x), conv(y, x, i, o));
  const auto depthwise = Tensor<std::int32_t>::arange(2 * 3 * 4).view_as({2, 3, 4});
  const auto depthwise_torch = to_torch_layout(depthwise, Layout::depthwise);
  ASSERT_EQ(depthwise_torch.shape(), (Shape{4, 1, 2, 3}));
  EXPECT_EQ(depthwise_torch(3, 0, 1, 2), depthwise(1, 2, 3));
  EXPECT_EQ(depthwise_torch(0, 0, 0, 1), depthwise(0, 1, 0));
  const auto matrix = Tensor<std::int32_t>::arange(6).view_as({2, 3});
  EXPECT_EQ(to_torch_layout(matrix, Layout::linear)(2, 1), matrix(1, 2));
  const auto pointwise_torch = to_torch_layout(matrix, Layout::pointwise);
  ASSERT_EQ(pointwise_torch.shape(), (Shape{3, 2, 1, 1}));
  EXPECT_EQ(pointwise_torch(2, 1, 0, 0), matrix(1, 2));
  const auto round_trip = [](const Tensor<std::int32_t>& x, Layout layout) {
    const auto torch = to_torch_layout(x, layout);
    EXPECT_EQ(torch.shape(), torch_shape(x.shape(), layout));
    const auto back = from_torch_layout(torch, layout);
    ASSERT_EQ(back.shape(), x.shape());
    for (std::int64_t i = 0; i < x.numel(); ++i) ASSERT_EQ(back.data()[i], x.data()[i]);
    EXPECT_NE(torch.data(), x.data());
  };
  round_trip(conv, Layout::conv);
  round_trip(depthwise, Layout::depthwise);
  round_trip(matrix, Layout::linear);
  round_trip(matrix, Layout::pointwise);
  round_trip(matrix, Layout::same);
}

}  // namespace
