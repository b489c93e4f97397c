// Names of other projects, recognition of networks, and the native file.

#include <gtest/gtest.h>
#include <mien/weights/native.hpp>

#include <cstdio>
#include <string>

#include <mien/models/efficientnet.hpp>

#include "weights/expect.hpp"

namespace mien::weights {
namespace {

using test::expect_error;

ImportedModel imported(std::string_view name, const ImportOptions& options = {}) {
  return import_file(test::weights_golden(name), options);
}

// A checkpoint in memory with the tensors that a network needs, all zero.
Checkpoint blank(const Architecture& net, const std::string& prefix = "") {
  Checkpoint checkpoint;
  checkpoint.file = "test";
  for (const auto& tensor : expected_tensors(net)) {
    AnyTensor zeros = tensor.optional ? AnyTensor(Tensor<std::int64_t>::zeros(tensor.shape))
                                      : AnyTensor(Tensor<float>::zeros(tensor.shape));
    checkpoint.tensors.emplace_back(prefix + tensor.name, std::move(zeros));
  }
  return checkpoint;
}

AnyTensor* find(Checkpoint& checkpoint, std::string_view name) {
  for (auto& [known, tensor] : checkpoint.tensors)
    if (known == name) return &tensor;
  return nullptr;
}

// Tensor i of each file is i everywhere; the three projects list their tensors in the same order.
TEST(Import, ThreeNamingsOfEfficientNetAgree) {
  const auto timm = imported("efficientnet_timm.pt");
  const auto torchvision = imported("efficientnet_torchvision.pt");
  const auto lukemelas = imported("efficientnet_lukemelas.pt");
  ASSERT_EQ(timm.tensors.size(), 360u);
  for (std::size_t i = 0; i < timm.tensors.size(); ++i) {
    const auto& [name, tensor] = timm.tensors[i];
    ASSERT_EQ(tensor.as<double>().data()[0], static_cast<double>(i)) << name;
    ASSERT_TRUE(test::identical(tensor, torchvision.tensors[i].second)) << name;
    ASSERT_TRUE(test::identical(tensor, lukemelas.tensors[i].second)) << name;
    ASSERT_EQ(torchvision.tensors[i].first, name);
    ASSERT_EQ(lukemelas.tensors[i].first, name);
  }
  EXPECT_EQ(std::get<EfficientNetOptions>(timm.architecture).source, Source::timm_tf);
  EXPECT_EQ(std::get<EfficientNetOptions>(torchvision.architecture).source, Source::torchvision);
  EXPECT_EQ(std::get<EfficientNetOptions>(lukemelas.architecture).source, Source::lukemelas);
  EXPECT_EQ(std::get<EfficientNetOptions>(lukemelas.architecture).num_classes, 10);
  EXPECT_EQ(timm.notes.size(), 1u);  // timm's names alone do not tell the padding
  EXPECT_TRUE(torchvision.notes.empty());
}

TEST(Import, ThreeNamingsOfRrdbNetAgree) {
  const auto current = imported("rrdbnet.pt");
  test::expect_same(imported("rrdbnet_first_esrgan.pt").tensors, current.tensors);
  test::expect_same(imported("rrdbnet_bsrgan.pt").tensors, current.tensors);
  const auto& net = std::get<RrdbNetOptions>(current.architecture);
  EXPECT_EQ(net.scale, 4);
  EXPECT_EQ(net.num_block, 2);
  EXPECT_EQ(net.num_feat, 4);
  EXPECT_EQ(net.num_grow_ch, 2);
}

TEST(Import, ScalesFollowFromShapes) {
  for (const int scale : {4, 2, 1}) {
    const RrdbNetOptions net{.scale = scale, .num_feat = 8, .num_block = 1, .num_grow_ch = 4};
    const auto model = import_checkpoint(blank(net));
    EXPECT_EQ(std::get<RrdbNetOptions>(model.architecture).scale, scale);
    EXPECT_TRUE(model.complete() && model.unexpected.empty());
  }
  for (const int scale : {1, 2, 3, 4}) {
    const SrvggOptions net{.upscale = scale, .num_feat = 8, .num_conv = 3};
    const auto model = import_checkpoint(blank(net));
    EXPECT_EQ(std::get<SrvggOptions>(model.architecture).upscale, scale);
    EXPECT_EQ(std::get<SrvggOptions>(model.architecture).num_conv, 3);
    EXPECT_TRUE(model.complete() && model.unexpected.empty());
  }
}

TEST(Import, VariantsFollowFromShapes) {
  for (int variant = 0; variant < 4; ++variant) {
    const auto model =
        import_checkpoint(blank(EfficientNetOptions{.variant = variant, .num_classes = 7}));
    EXPECT_EQ(architecture_name(model.architecture), str("efficientnet_b", variant));
    EXPECT_EQ(std::get<EfficientNetOptions>(model.architecture).num_classes, 7);
    EXPECT_TRUE(model.complete() && model.unexpected.empty());
  }
  const auto features = import_checkpoint(blank(EfficientNetOptions{.num_classes = 0}));
  EXPECT_EQ(std::get<EfficientNetOptions>(features.architecture).num_classes, 0);
}

TEST(Import, WrapperPrefixesAreStripped) {
  for (const std::string prefix :
       {"module.", "_orig_mod.", "model.", "backbone.", "net.", "module._orig_mod.model."}) {
    const auto model =
        import_checkpoint(blank(RrdbNetOptions{.num_feat = 4, .num_block = 1}, prefix));
    EXPECT_TRUE(model.complete() && model.unexpected.empty()) << prefix;
  }
  expect_error([] { import_checkpoint(blank(RrdbNetOptions{.num_block = 1}, "discriminator.")); },
               {"no network that mien knows"});
}

TEST(Import, ClassifierInASequentialIsFound) {
  Checkpoint checkpoint = blank(EfficientNetOptions{.num_classes = 8});
  for (auto& [name, tensor] : checkpoint.tensors)
    if (name.starts_with("classifier.")) name.insert(std::string_view("classifier.").size(), "0.");
  const auto model = import_checkpoint(checkpoint);
  EXPECT_EQ(std::get<EfficientNetOptions>(model.architecture).num_classes, 8);
  EXPECT_TRUE(model.unexpected.empty());

  checkpoint.tensors.emplace_back("classifier.2.weight", Tensor<float>::zeros({8, 8}));
  EXPECT_EQ(import_checkpoint(checkpoint).unexpected.size(), 3u);  // two layers: not one linear
}

TEST(Import, TellsWhatIsMissingUnexpectedAndMismatched) {
  Checkpoint checkpoint = blank(SrvggOptions{.num_feat = 4, .num_conv = 2});
  std::erase_if(checkpoint.tensors,
                [](const auto& entry) { return entry.first == "body.3.weight"; });
  checkpoint.tensors.emplace_back("extra", Tensor<float>::zeros({1}));
  *find(checkpoint, "body.2.bias") = Tensor<float>::zeros({5});
  *find(checkpoint, "body.4.bias") = Tensor<std::int64_t>::zeros({4});
  const auto model = import_checkpoint(checkpoint);
  EXPECT_EQ(model.missing, std::vector<std::string>{"body.3.weight"});
  EXPECT_EQ(model.unexpected, std::vector<std::string>{"extra"});
  EXPECT_EQ(model.mismatched, (std::vector<std::string>{"body.2.bias: expected (4), got (5)",
                                                        "body.4.bias: has dtype i64"}));
  expect_error([&] { require_complete(model); },
               {"test", "srvggnet_compact", "1 tensors are missing", "body.3.weight",
                "2 have the wrong shape or type"});
}

TEST(Import, CountersMayBeMissing) {
  Checkpoint checkpoint = blank(EfficientNetOptions{});
  std::erase_if(checkpoint.tensors,
                [](const auto& entry) { return entry.first.ends_with("num_batches_tracked"); });
  EXPECT_TRUE(import_checkpoint(checkpoint).complete());
}

TEST(Import, RefusesNetworksOfUnknownShape) {
  const auto refused = [](const Architecture& net, std::string_view name, const Shape& shape,
                          std::string_view why) {
    Checkpoint checkpoint = blank(net);
    *find(checkpoint, name) = Tensor<float>::zeros(shape);
    expect_error([&] { import_checkpoint(checkpoint); }, {"test", why});
  };
  const RrdbNetOptions rrdb{.num_feat = 4, .num_block = 1};
  const SrvggOptions srvgg{.num_feat = 4, .num_conv = 1};
  refused(EfficientNetOptions{}, "conv_head.weight", {1281, 320, 1, 1}, "none of B0 to B7");
  refused(EfficientNetOptions{}, "conv_head.weight", {}, "conv_head.weight");
  refused(rrdb, "conv_first.weight", {4, 5, 3, 3}, "from 5 to 3 channels");
  refused(rrdb, "conv_last.weight", {std::int64_t{1} << 40, 0}, "conv_last.weight");
  refused(srvgg, "body.4.weight", {47, 4, 3, 3}, "times a square");
  Checkpoint other_activation = blank(srvgg);
  std::erase_if(other_activation.tensors, [](const auto& e) { return e.first == "body.1.weight"; });
  expect_error([&] { import_checkpoint(other_activation); }, {"PReLU"});
}

TEST(Import, SourceComesFromTheBestEvidence) {
  const auto source = [](const Checkpoint& checkpoint, std::optional<Source> told = {}) {
    return std::get<EfficientNetOptions>(import_checkpoint(checkpoint, {"", told}).architecture);
  };
  Checkpoint checkpoint = blank(EfficientNetOptions{}, "module.");
  EXPECT_EQ(source(checkpoint).source, Source::timm_tf);
  checkpoint.modules = {{"module.conv_stem", "Conv2d", {}},
                        {"module.bn1", "BatchNorm2d", {{"eps", 2e-5}, {"momentum", 0.3}}}};
  EXPECT_EQ(source(checkpoint).source, Source::timm);
  EXPECT_EQ(source(checkpoint).bn_eps(), 2e-5);
  EXPECT_EQ(source(checkpoint).bn_momentum(), 0.3);
  EXPECT_FALSE(source(checkpoint).same_padding());
  checkpoint.modules[0].type = "Conv2dSame";
  EXPECT_EQ(source(checkpoint).source, Source::timm_tf);
  checkpoint.metadata["source"] = "lukemelas";
  EXPECT_EQ(source(checkpoint).source, Source::lukemelas);
  EXPECT_EQ(source(checkpoint, Source::timm).source, Source::timm);
  EXPECT_EQ(source(checkpoint, Source::timm).bn_eps(), 1e-5);
  checkpoint.metadata["bn_eps"] = "-1";
  expect_error([&] { import_checkpoint(checkpoint); }, {"bn_eps", "-1", "positive"});
  checkpoint.metadata["source"] = "keras";
  expect_error([&] { import_checkpoint(checkpoint); }, {"unknown source", "keras"});
}

TEST(Import, OptionsMustFitTheFile) {
  const Checkpoint checkpoint = blank(SrvggOptions{.num_feat = 4, .num_conv = 1});
  EXPECT_NO_THROW(import_checkpoint(checkpoint, {"srvggnet_compact", {}}));
  expect_error(
      [&] {
        import_checkpoint(checkpoint, {"rrdbnet", {}});
      },
      {"holds srvggnet_compact, expected rrdbnet"});
  expect_error([&] { import_checkpoint(checkpoint, {"", Source::timm}); }, {"has no source"});
  const auto model = import_checkpoint(blank(EfficientNetOptions{}), {"efficientnet_b1", {}});
  EXPECT_FALSE(model.complete());
}

TEST(Import, RefusesTwoTensorsForOneName) {
  Checkpoint checkpoint = blank(SrvggOptions{.num_feat = 4, .num_conv = 1}, "module.");
  checkpoint.tensors.emplace_back("body.0.weight", Tensor<float>::zeros({4, 3, 3, 3}));
  expect_error([&] { import_checkpoint(checkpoint); }, {"test", "body.0.weight"});
}

class NativeFile : public testing::Test {
 protected:
  void TearDown() override { std::remove(path_.c_str()); }
  std::string path_ = testing::TempDir() + "mien_native_test.safetensors";
};

TEST_F(NativeFile, ReadsBackAsTheSameModel) {
  auto model = imported("efficientnet_lukemelas.pt");
  model.metadata["class_order"] = "a,b";
  std::get<EfficientNetOptions>(model.architecture).eps = 0.0025;
  write_native(path_, model);
  const auto back = import_file(path_);
  test::expect_same(back.tensors, model.tensors);
  EXPECT_EQ(std::get<EfficientNetOptions>(back.architecture).source, Source::lukemelas);
  EXPECT_EQ(std::get<EfficientNetOptions>(back.architecture).bn_momentum(), 0.01);
  EXPECT_EQ(std::get<EfficientNetOptions>(back.architecture).bn_eps(), 0.0025);
  EXPECT_TRUE(back.notes.empty());
  const std::map<std::string, std::string> expected = {{"format_version", "1"},
                                                       {"architecture", "efficientnet_b0"},
                                                       {"converted_from", "torch"},
                                                       {"source", "lukemelas"},
                                                       {"bn_eps", "0.0025"},
                                                       {"bn_momentum", "0.01"},
                                                       {"input_size", "224"},
                                                       {"mean", "0.485,0.456,0.406"},
                                                       {"std", "0.229,0.224,0.225"},
                                                       {"class_order", "a,b"},
                                                       {"digest", tensors_digest(model.tensors)}};
  EXPECT_EQ(back.metadata, expected);
}

TEST_F(NativeFile, KeepsScalesThatAreNoVariants) {
  ImportedModel model;
  const EfficientNetOptions small{.num_classes = 3, .width = 0.25, .depth = 0.5};
  model.architecture = small;
  for (const auto& [name, shape, optional] : expected_tensors(small))
    if (!optional) model.tensors.emplace_back(name, Tensor<float>::zeros(shape));
  write_native(path_, model);
  const auto back = import_file(path_);
  test::expect_same(back.tensors, model.tensors);
  const auto& net = std::get<EfficientNetOptions>(back.architecture);
  EXPECT_EQ(net.width, 0.25);
  EXPECT_EQ(net.depth, 0.5);
  EXPECT_EQ(net.num_classes, 3);
  EXPECT_EQ(models::EfficientNet<float>(net).num_features(), 320);
}

TEST_F(NativeFile, IsNotWrittenOfAnIncompleteModel) {
  auto model = imported("rrdbnet.pt");
  model.missing.emplace_back("conv_hr.bias");
  expect_error([&] { write_native(path_, model); }, {"conv_hr.bias"});
  EXPECT_EQ(std::fopen(path_.c_str(), "rb"), nullptr);
}

TEST(Digest, DependsOnEverythingButTheOrder) {
  const auto a = Tensor<float>::from({2}, {1, 2}), b = Tensor<float>::from({2}, {3, 4});
  const std::string digest = tensors_digest({{"a", a}, {"b", b}});
  EXPECT_EQ(tensors_digest({{"b", b}, {"a", a}}), digest);
  EXPECT_NE(tensors_digest({{"a", b}, {"b", a}}), digest);
  EXPECT_NE(tensors_digest({{"a", a}, {"c", b}}), digest);
  EXPECT_NE(tensors_digest({{"a", a}, {"b", b.view_as({1, 2})}}), digest);
  EXPECT_NE(tensors_digest({{"a", a}, {"b", b.to<bf16>()}}), digest);
  EXPECT_EQ(digest.size(), 7u + 64u);
}

TEST(FloatDtype, ConvertsFloatsAndRefusesOverflow) {
  const auto x = Tensor<float>::from({3}, {1.0f, 1.0f / 3, 70000.0f});
  EXPECT_EQ(with_float_dtype(x, DType::bf16, "x").dtype(), DType::bf16);
  EXPECT_EQ(with_float_dtype(x, DType::bf16, "x").get<bf16>()(0), 1.0f);
  expect_error([&] { with_float_dtype(x, DType::f16, "tensor x"); },
               {"tensor x", "70000", "does not fit f16"});
  const auto infinite = Tensor<float>::from({1}, {INFINITY});
  EXPECT_EQ(with_float_dtype(infinite, DType::f16, "x").get<f16>()(0), INFINITY);
  const AnyTensor counter = Tensor<std::int64_t>::scalar(3);
  EXPECT_EQ(with_float_dtype(counter, DType::bf16, "x").dtype(), DType::i64);
}

TEST(RealData, PickledTimmModule) {
  const auto data = test::data_dir();
  if (!data) GTEST_SKIP() << "MIEN_DATA is not set";
  const auto model = import_file(*data + "/weights/enet_b0_va_mtl_standin.pt");
  EXPECT_EQ(model.tensors.size(), 360u);
  EXPECT_TRUE(model.unexpected.empty());
  EXPECT_TRUE(model.notes.empty());
  const auto& net = std::get<EfficientNetOptions>(model.architecture);
  EXPECT_EQ(architecture_name(net), "efficientnet_b0");
  EXPECT_EQ(net.source, Source::timm_tf);
  EXPECT_EQ(net.num_classes, 10);
  EXPECT_EQ(net.bn_eps(), 1e-3);
  EXPECT_TRUE(net.same_padding());
}

TEST(RealData, RealEsrganCheckpoint) {
  const auto data = test::data_dir();
  if (!data) GTEST_SKIP() << "MIEN_DATA is not set";
  const auto model = import_file(*data + "/weights/realesr-animevideov3.pth");
  const auto& net = std::get<SrvggOptions>(model.architecture);
  EXPECT_EQ(net.num_conv, 16);
  EXPECT_EQ(net.num_feat, 64);
  EXPECT_EQ(net.upscale, 4);
  EXPECT_EQ(model.metadata.at("wrapper"), "params");
  EXPECT_TRUE(model.unexpected.empty());
}

}  // namespace
}  // namespace mien::weights
