#include <mien/weights/interpolate.hpp>

#include <gtest/gtest.h>

namespace mien::weights {
namespace {

Checkpoint checkpoint(std::initializer_list<float> weight, std::initializer_list<float> bias) {
  Checkpoint out;
  out.file = "net.pth";
  out.tensors = {{"conv.weight", Tensor<float>::from({2, 2}, weight)},
                 {"conv.bias", Tensor<float>::from({2}, bias)}};
  return out;
}

TEST(Interpolate, MixesTensorByTensor) {
  const Checkpoint a = checkpoint({1, 2, 3, 4}, {0, 8}), b = checkpoint({5, 2, -1, 0}, {4, 0});
  const Checkpoint mixed = interpolate(a, b, 0.75f);
  ASSERT_EQ(mixed.tensors.size(), 2u);
  EXPECT_EQ(mixed.tensors[1].first, "conv.bias");
  const auto weight = mixed.tensors[0].second.get<float>();
  const auto bias = mixed.tensors[1].second.get<float>();
  EXPECT_EQ(weight.shape(), Shape({2, 2}));
  EXPECT_EQ(weight(0, 0), 2);
  EXPECT_EQ(weight(0, 1), 2);
  EXPECT_EQ(weight(1, 0), 2);
  EXPECT_EQ(weight(1, 1), 3);
  EXPECT_EQ(bias(0), 1);
  EXPECT_EQ(bias(1), 6);
  EXPECT_EQ(a.tensors[0].second.get<float>()(0, 0), 1);  // the sources stay as they are
}

TEST(Interpolate, RefusesNetworksOfOtherForms) {
  const Checkpoint a = checkpoint({1, 2, 3, 4}, {0, 8});
  Checkpoint fewer = a, renamed = a, reshaped = a;
  fewer.tensors.pop_back();
  renamed.tensors[0].first = "other";
  reshaped.tensors[1].second = Tensor<float>::zeros({3});
  EXPECT_THROW(interpolate(a, fewer, 0.5f), Error);
  EXPECT_THROW(interpolate(a, renamed, 0.5f), Error);
  EXPECT_THROW(interpolate(a, reshaped, 0.5f), Error);
}

}  // namespace
}  // namespace mien::weights
