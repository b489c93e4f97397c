// The tensors that networks are expected to have, against the state_dicts of their originals.

#include <gtest/gtest.h>
#include <mien/weights/architecture.hpp>
#include <mien/weights/sha256.hpp>

#include <cstdio>
#include <string>

#include "weights/expect.hpp"

namespace mien::weights {
namespace {

std::int64_t elements(const std::vector<ExpectedTensor>& tensors) {
  std::int64_t total = 0;
  for (const auto& tensor : tensors) total += tensor.shape.numel();
  return total;
}

TEST(Architecture, EfficientNetsHaveTimmsTensors) {
  const io::MappedFile golden(test::weights_golden("efficientnet_names.txt"));
  io::ByteReader lines(golden.bytes(), "efficientnet_names.txt");
  for (int variant = 0; variant < 8; ++variant) {
    const auto tensors = expected_tensors(EfficientNetOptions{.variant = variant});
    Sha256 hash;
    for (const auto& tensor : tensors)
      hash.update(io::as_bytes(str(tensor.name, ' ', tensor.shape, '\n')));
    EXPECT_EQ(str(tensors.size(), ' ', hash.hex()), lines.line()) << "B" << variant;
  }
  EXPECT_TRUE(lines.done());
}

TEST(Architecture, FoldedEfficientNetHasBiasesOnly) {
  const auto tensors = expected_tensors(EfficientNetOptions{.num_classes = 10}, true);
  EXPECT_EQ(tensors.size(), 2u * 81 + 2);
  EXPECT_EQ(tensors[1].name, "conv_stem.bias");
  EXPECT_EQ(tensors.back().shape, Shape{10});
}

TEST(Architecture, EfficientNetWithoutClassifier) {
  EXPECT_EQ(expected_tensors(EfficientNetOptions{.num_classes = 0}).size(), 358u);
}

// Entries and elements as Real-ESRGAN's released files have them.
TEST(Architecture, GeneratorsHaveTheReleasedSizes) {
  const auto expect = [](const Architecture& net, std::size_t entries, std::int64_t numel) {
    EXPECT_EQ(expected_tensors(net).size(), entries) << architecture_name(net);
    EXPECT_EQ(elements(expected_tensors(net)), numel) << architecture_name(net);
  };
  expect(RrdbNetOptions{}, 702, 16'697'987);               // RealESRGAN_x4plus
  expect(RrdbNetOptions{.scale = 2}, 702, 16'703'171);     // RealESRGAN_x2plus
  expect(RrdbNetOptions{.num_block = 6}, 192, 4'467'779);  // RealESRGAN_x4plus_anime_6B
  expect(SrvggOptions{}, 53, 621'424);                     // realesr-animevideov3
  expect(SrvggOptions{.num_conv = 32}, 101, 1'213'296);    // realesr-general-x4v3
}

TEST(Architecture, SourcesHaveNames) {
  for (const auto& [name, source] : models::source_names) {
    EXPECT_EQ(to_string(source), name);
    EXPECT_EQ(models::parse_source(name), source);
  }
  EXPECT_FALSE(models::parse_source("keras"));
}

TEST(Architecture, TorchvisionsLargeNetworksUseTensorFlowsBatchNorm) {
  EfficientNetOptions net;
  net.source = Source::torchvision;
  EXPECT_EQ(net.bn_eps(), 1e-5);
  EXPECT_FALSE(net.same_padding());
  net.variant = 5;
  net.source = Source::torchvision;
  EXPECT_EQ(net.bn_eps(), 1e-3);
  EXPECT_EQ(net.bn_momentum(), 0.01);
}

TEST(Sha256, StandardVectors) {
  const auto hash = [](const std::string& text) {
    Sha256 sha;
    for (std::size_t at = 0; at < text.size(); at += 7)
      sha.update(io::as_bytes(text).subspan(at, std::min<std::size_t>(7, text.size() - at)));
    return sha.hex();
  };
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace mien::weights
