#include <gtest/gtest.h>
#include <mien/weights/import.hpp>
#include <mien/weights/read.hpp>

#include <cmath>
#include <string>

#include "weights/builders.hpp"
#include "weights/expect.hpp"

namespace mien::weights {
namespace {

using test::expect_error;
using test::little;

Checkpoint read(const std::string& param, const std::string& bin) {
  return read_ncnn(io::as_bytes(param), io::as_bytes(bin), "net.param", "net.bin", {});
}

void expect_equal_values(const std::vector<NamedTensor>& got,
                         const std::vector<NamedTensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const AnyTensor* other = test::find(got, name);
    ASSERT_NE(other, nullptr) << name;
    EXPECT_TRUE(test::identical(other->as<float>(), tensor.as<float>())) << name;
  }
}

TEST(Ncnn, ReadsHalfAndFloatPayloads) {
  const auto expected = io::read_safetensors(test::weights_golden("srvgg.safetensors")).tensors;
  const auto half = read_checkpoint(test::weights_golden("srvgg_half.param"));
  EXPECT_EQ(test::find(half.tensors, "body.0.weight")->dtype(), DType::f16);
  expect_equal_values(half.tensors, expected);
  expect_equal_values(read_checkpoint(test::weights_golden("srvgg_half.bin")).tensors, expected);
  expect_equal_values(read_checkpoint(test::weights_golden("srvgg_float.param")).tensors, expected);
  expect_equal_values(read_checkpoint(test::weights_golden("srvgg_float.bin")).tensors, expected);
}

TEST(Ncnn, GivesAnRrdbNetItsNames) {
  const auto model = import_file(test::weights_golden("rrdbnet.param"));
  const auto& net = std::get<RrdbNetOptions>(model.architecture);
  EXPECT_EQ(net.num_block, 1);
  EXPECT_EQ(net.num_feat, 4);
  EXPECT_EQ(net.num_grow_ch, 2);
  EXPECT_EQ(test::find(model.tensors, "conv_first.weight")->get<float>()(0, 0, 0, 1), 1.0f);
  EXPECT_EQ(test::find(model.tensors, "conv_first.bias")->get<float>()(0), 108.0f);
}

TEST(Ncnn, EqualsThePyTorchFileWithinHalfPrecision) {
  const auto data = test::data_dir();
  if (!data) GTEST_SKIP() << "MIEN_DATA is not set";
  const auto torch = import_file(*data + "/weights/realesr-animevideov3.pth");
  const auto ncnn = import_file(*data + "/weights/realesr-animevideov3-x4.param");
  ASSERT_EQ(torch.tensors.size(), 53u);
  ASSERT_EQ(ncnn.tensors.size(), 53u);
  for (std::size_t i = 0; i < torch.tensors.size(); ++i) {
    ASSERT_EQ(ncnn.tensors[i].first, torch.tensors[i].first);
    const auto x = torch.tensors[i].second.as<float>(), y = ncnn.tensors[i].second.as<float>();
    ASSERT_EQ(x.shape(), y.shape());
    for (std::int64_t k = 0; k < x.numel(); ++k)
      ASSERT_NEAR(x.data()[k], y.data()[k], 6e-8 + std::abs(x.data()[k]) / 1024)
          << torch.tensors[i].first << " at " << k;
  }
}

TEST(Ncnn, RefusesMalformedLayerFiles) {
  const std::string head = "7767517\n1 1\n";
  expect_error([] { read("7767516\n0 0\n", ""); }, {"net.param", "text form"});
  expect_error([] { read("7767517\n", ""); }, {"net.param", "number"});
  expect_error([] { read("7767517\n4000000 1\n", ""); }, {"net.param", "4000000 layers"});
  expect_error([&] { read(head, ""); }, {"net.param", "number"});
  expect_error([&] { read(head + "PReLU p 1 1 a", ""); }, {"layer p", "too few blobs"});
  expect_error([&] { read(head + "PReLU p 4000000000 1 a b", ""); }, {"layer p", "too few"});
  expect_error([&] { read(head + "PReLU p 1 1 a b 0", ""); }, {"layer p", "key=value"});
  expect_error([&] { read(head + "PReLU p 1 1 a b x=1", ""); }, {"layer p", "key=value"});
  expect_error([&] { read(head + "PReLU p 1 1 a b 0=-1", ""); }, {"layer p", "0=-1"});
  expect_error([&] { read(head + "PReLU p 1 1 a b 0=9999999999", ""); }, {"layer p", "0="});
  expect_error([&] { read(head + "LSTM l 1 1 a b 0=1", ""); }, {"layer l", "LSTM"});
}

TEST(Ncnn, RefusesPayloadsThatDisagree) {
  const auto conv = [](const std::string& values, const std::string& bin) {
    read("7767517\n1 1\nConvolution c 1 1 a b " + values + "\n", bin);
  };
  const std::string tagged = little(0, 4);
  expect_error([&] { conv("0=1 1=1 6=2", tagged + std::string(4, 'x')); },
               {"net.bin", "ends early"});
  expect_error([&] { conv("0=1 1=1 6=1", tagged + std::string(9, 'x')); },
               {"net.bin", "5 bytes are left"});
  expect_error([&] { conv("0=2 1=3 6=17", tagged); }, {"layer c", "17 weights"});
  expect_error([&] { conv("0=0 1=1 6=1", tagged); }, {"layer c"});
  expect_error([&] { conv("0=1 1=2147483647 6=1", tagged); }, {"layer c"});
  expect_error([&] { conv("0=1 1=1 6=2147483647", tagged); }, {"net.bin", "ends early"});
  expect_error([&] { conv("0=1 1=1 6=1", little(0x000d4b38, 4)); }, {"layer c", "fp32 and fp16"});
}

TEST(Ncnn, RefusesOtherNetworks) {
  const std::string conv = "Convolution c 1 1 a b 0=1 1=1 6=1\n";
  const std::string bin = little(0, 8);
  expect_error([&] { read("7767517\n2 1\n" + conv + conv, bin + bin); },
               {"net.param", "has 2 convolutions"});
  expect_error([] { read("7767517\n0 0\n", ""); }, {"net.param", "has 0 convolutions"});
}

TEST(Ncnn, NamesTheFileThatIsMissing) {
  const std::string alone = testing::TempDir() + "mien_alone.param";
  io::AtomicFile file(alone);
  file.write(io::as_bytes("7767517\n0 0\n"));
  file.commit();
  expect_error([&] { read_checkpoint(alone); }, {alone, "mien_alone.bin", "cannot be read"});
  std::remove(alone.c_str());
}

}  // namespace
}  // namespace mien::weights
