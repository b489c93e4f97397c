#include <gtest/gtest.h>
#include <zlib.h>
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
using test::proto_bytes;
using test::proto_number;

// The content of a .gz file.
std::string unpacked(const std::string& path) {
  std::string out;
  gzFile file = ::gzopen(path.c_str(), "rb");
  std::string part(1 << 16, '\0');
  for (int got; (got = ::gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0;)
    out.append(part, 0, static_cast<std::size_t>(got));
  ::gzclose(file);
  return out;
}

Checkpoint read(const std::string& model) { return read_onnx(io::as_bytes(model), "net.onnx", {}); }

std::string tensor(std::string_view name, const std::vector<std::uint64_t>& dims,
                   std::uint64_t type, const std::string& rest) {
  std::string message;
  for (const auto dim : dims) message += proto_number(1, dim);
  return message + proto_number(2, type) + proto_bytes(8, name) + rest;
}
std::string raw(std::string_view bytes) { return proto_bytes(9, bytes); }

std::string node(std::string_view type, const std::vector<std::string>& inputs,
                 std::string_view output, const std::string& rest = "") {
  std::string message;
  for (const auto& input : inputs) message += proto_bytes(1, input);
  return proto_bytes(1, message + proto_bytes(2, output) + proto_bytes(4, type) + rest);
}

// A model whose graph has `nodes` and the initializers `tensors`.
std::string model(const std::string& nodes, const std::vector<std::string>& tensors) {
  std::string graph = nodes;
  for (const auto& message : tensors) graph += proto_bytes(5, message);
  return proto_number(1, 8) + proto_bytes(7, graph);
}

// A graph that keeps its batch norm, and so its names.
std::string kept(const std::vector<std::string>& tensors, const std::string& more = "") {
  return model(more + node("BatchNormalization", {"x", "w"}, "y"), tensors);
}

TEST(Onnx, EfficientNetFromTheExporter) {
  const std::string bytes = unpacked(test::weights_golden("efficientnet.onnx.gz"));
  EXPECT_EQ(sniff(io::as_bytes(bytes), "net.onnx"), Format::onnx);
  const Checkpoint checkpoint = read(bytes);
  EXPECT_EQ(checkpoint.metadata.at("folded_bn"), "true");
  EXPECT_EQ(checkpoint.metadata.at("padding"), "same");
  EXPECT_EQ(checkpoint.metadata.at("input_size"), "224");

  const auto expected =
      io::read_safetensors(test::weights_golden("efficientnet_onnx.safetensors")).tensors;
  ASSERT_EQ(checkpoint.tensors.size(), expected.size());
  for (const auto& [name, value] : expected) {
    const AnyTensor* found = test::find(checkpoint.tensors, name);
    ASSERT_NE(found, nullptr) << name;
    const auto got = found->as<float>();
    const float want = value.get<float>().item();
    for (std::int64_t i = 0; i < got.numel(); ++i)
      ASSERT_NEAR(got.data()[i], want, 1e-5 * std::abs(want)) << name << " at " << i;
  }
}

TEST(Onnx, FoldedBatchNormIsRestoredForTheModel) {
  const std::string bytes = unpacked(test::weights_golden("efficientnet.onnx.gz"));
  const Checkpoint checkpoint = read(bytes);
  const ImportedModel imported = import_checkpoint(checkpoint);
  require_complete(imported);
  const auto& net = std::get<EfficientNetOptions>(imported.architecture);
  EXPECT_EQ(net.source, Source::timm_tf);
  EXPECT_EQ(net.num_classes, 10);
  EXPECT_TRUE(imported.folded_bn);
  // (x - mean) / sqrt(var + eps) * weight + bias is x + bias.
  const auto value = [&](std::string_view name) {
    return test::find(imported.tensors, name)->as<float>()(0);
  };
  EXPECT_NEAR(value("bn1.weight") / std::sqrt(value("bn1.running_var") + net.bn_eps()), 1, 1e-7);
  EXPECT_EQ(value("bn1.running_mean"), 0);
  EXPECT_EQ(value("bn1.bias"), test::find(checkpoint.tensors, "conv_stem.bias")->as<float>()(0));
  EXPECT_EQ(value("blocks.0.0.se.conv_reduce.bias"),
            test::find(checkpoint.tensors, "blocks.0.0.se.conv_reduce.bias")->as<float>()(0));
}

TEST(Onnx, ReadsEveryWayToStoreElements) {
  const auto first = [](const std::string& message) {
    return read(kept({message})).tensors.at(0).second;
  };
  const std::string one = little(0x3f800000, 4);
  EXPECT_EQ(first(tensor("w", {1}, 1, raw(one))).get<float>()(0), 1.0f);
  EXPECT_EQ(first(tensor("w", {1}, 1, proto_bytes(4, one))).get<float>()(0), 1.0f);
  EXPECT_EQ(first(tensor("w", {2}, 7, proto_number(7, 5) + proto_number(7, ~0ull)))
                .get<std::int64_t>()(1),
            -1);
  EXPECT_EQ(first(tensor("w", {2}, 6, proto_bytes(5, "\x05\x06"))).get<std::int32_t>()(1), 6);
  EXPECT_EQ(first(tensor("w", {1}, 10, proto_number(5, 0x3c00))).get<f16>()(0), 1.0f);
  EXPECT_EQ(first(tensor("w", {1}, 16, raw(little(0x3f80, 2)))).get<bf16>()(0), 1.0f);
  EXPECT_EQ(
      first(tensor("w", {1}, 11, proto_bytes(10, little(0x3ff0000000000000, 8)))).get<double>()(0),
      1.0);
  EXPECT_EQ(first(tensor("w", {}, 9, raw("\x01"))).shape(), Shape{});
}

TEST(Onnx, ResolvesIdentityAndConstantNodes) {
  const std::string value =
      proto_bytes(5, proto_bytes(1, "value") + proto_bytes(5, tensor("", {1}, 2, raw("\x07"))));
  const auto checkpoint =
      read(kept({}, node("Constant", {}, "c", value) + node("Identity", {"c"}, "b") +
                        node("Identity", {"b"}, "w")));
  EXPECT_EQ(checkpoint.tensors.at(0).second.get<std::uint8_t>()(0), 7);
  EXPECT_EQ(checkpoint.tensors.at(0).first, "c");
  expect_error([] { read(kept({}, node("Identity", {"v"}, "w") + node("Identity", {"w"}, "v"))); },
               {"net.onnx", "circle"});
}

TEST(Onnx, RefusesTensorsThatDisagree) {
  const auto refused = [](const std::string& message, std::string_view why) {
    expect_error([&] { read(kept({message})); }, {"net.onnx: tensor w", why});
  };
  refused(tensor("w", {2}, 1, raw("abcd")), "takes 8 bytes, there are 4");
  refused(tensor("w", {1u << 30, 1u << 30, 1u << 30}, 1, raw("abcd")), "overflows");
  refused(tensor("w", {~0ull}, 1, raw("abcd")), "a dimension of");
  refused(tensor("w", {1, 1, 1, 1, 1, 1, 1}, 1, raw("abcd")), "7 dimensions");
  refused(tensor("w", {1}, 14, raw("abcdefgh")), "element type 14");
  refused(tensor("w", {1}, 1, raw("abcd") + proto_number(14, 1)), "file of its own");
  expect_error(
      [] {
        read(kept({tensor("w", {}, 2, raw("a")), tensor("w", {}, 2, raw("a"))}));
      },
      {"net.onnx", "two tensors are named w"});
}

TEST(Onnx, RefusesOtherGraphs) {
  expect_error([] { read(""); }, {"net.onnx", "no graph"});
  expect_error([] { read(model("", {}) + proto_bytes(7, "")); }, {"more than one graph"});
  expect_error([] { read(model("", {})); }, {"0 convolutions"});
  expect_error([] { read(model(node("Conv", {"x", "w"}, "y"), {})); }, {"1 convolutions"});
}

TEST(Onnx, RefusesDamagedMessages) {
  const std::string good = kept({tensor("w", {1}, 1, raw("abcd"))});
  EXPECT_EQ(read(good).tensors.size(), 1u);
  expect_error([&] { read(good.substr(0, good.size() - 1)); }, {"net.onnx", "ends early"});
  expect_error([] { read(std::string(11, '\xff')); }, {"net.onnx", "without end"});
  expect_error([] { read("\x0b"); }, {"net.onnx", "wire type 3"});
  expect_error([] { read(std::string(1, '\0')); }, {"net.onnx", "field 0"});
}

}  // namespace
}  // namespace mien::weights
