// Files of torch.save() against the tensors that PyTorch says they hold
// (golden/weights/make_weights.py), and files that PyTorch would not write.

#include <gtest/gtest.h>
#include <mien/weights/read.hpp>

#include <string>

#include "weights/builders.hpp"
#include "weights/expect.hpp"

namespace mien::weights {
namespace {

using test::expect_error;
using test::PickleBuilder;
using Op = PickleBuilder::Op;
using TensorCall = PickleBuilder::TensorCall;

Checkpoint golden(std::string_view name) { return read_checkpoint(test::weights_golden(name)); }

std::vector<NamedTensor> expected(std::string_view name) {
  return io::read_safetensors(test::weights_golden(name)).tensors;
}

// {"w": tensor} over one storage of four floats 1, 2, 3, 4.
Checkpoint with_tensor(const TensorCall& call, const Limits& limits = {}) {
  const float values[] = {1, 2, 3, 4};
  const std::string storage(reinterpret_cast<const char*>(values), sizeof(values));
  const std::string pickle =
      PickleBuilder().op(Op::empty_dict).text("w").tensor(call).op(Op::setitem).stop();
  return read_checkpoint(io::as_bytes(test::torch_zip(pickle, {storage})), "test.pt", limits);
}

Checkpoint of_pickle(const std::string& pickle, const Limits& limits = {}) {
  return read_checkpoint(io::as_bytes(test::torch_zip(pickle, {std::string(16, '\0')})), "test.pt",
                         limits);
}

class TorchGolden : public testing::TestWithParam<const char*> {};

TEST_P(TorchGolden, HoldsWhatPyTorchSays) {
  const Checkpoint checkpoint = golden(GetParam());
  EXPECT_TRUE(checkpoint.modules.empty());
  test::expect_same(checkpoint.tensors, expected("expected.safetensors"));
  EXPECT_EQ(checkpoint.tensors.front().first, "f32");  // file order
  EXPECT_EQ(checkpoint.tensors.back().first, "one");
}

INSTANTIATE_TEST_SUITE_P(, TorchGolden,
                         testing::Values("state_dict.pt", "protocol4.pt", "deflated.pt",
                                         "legacy.pt"));

TEST(Torch, SwapsBigEndianFiles) {
  const Checkpoint checkpoint = golden("big_endian.pt");
  ASSERT_EQ(checkpoint.tensors.size(), 3u);
  for (const auto& [name, tensor] : checkpoint.tensors)
    EXPECT_TRUE(test::identical(tensor, *test::find(expected("expected.safetensors"), name)))
        << name;
}

TEST(Torch, UnwrapsCheckpointsAndPrefersAveragedWeights) {
  const auto f32 = test::find(expected("expected.safetensors"), "f32")->get<float>();
  for (const auto& [file, path] :
       {std::pair("wrapped.pt", "params_ema"), std::pair("wrapped_twice.pt", "model.state_dict")}) {
    const Checkpoint checkpoint = golden(file);
    EXPECT_EQ(checkpoint.metadata.at("wrapper"), path);
    ASSERT_EQ(checkpoint.tensors.size(), 1u);
    EXPECT_EQ(checkpoint.tensors[0].first, "conv.weight");
    EXPECT_EQ(checkpoint.tensors[0].second.get<float>()(1, 2), f32(1, 2) + 1);
  }
}

class TorchModule : public testing::TestWithParam<const char*> {};

TEST_P(TorchModule, WalksAWholePickledModule) {
  const Checkpoint checkpoint = golden(GetParam());
  const auto state_dict = expected("module.safetensors");
  test::expect_same(checkpoint.tensors, state_dict);
  EXPECT_EQ(test::find(checkpoint.tensors, "scratch"), nullptr);  // not persistent
  EXPECT_NE(test::find(checkpoint.tensors, "alias.weight"), nullptr);

  ASSERT_FALSE(checkpoint.modules.empty());
  EXPECT_EQ(checkpoint.modules[0].path, "");
  EXPECT_EQ(checkpoint.modules[0].type, "EfficientNet");
  EXPECT_EQ(checkpoint.modules[1].path, "conv_stem");
  EXPECT_EQ(checkpoint.modules[1].type, "Conv2dSame");
  EXPECT_EQ(checkpoint.modules[2].path, "bn1");
  EXPECT_EQ(checkpoint.modules[2].numbers.at("eps"), 0.001);
}

INSTANTIATE_TEST_SUITE_P(, TorchModule, testing::Values("module.pt", "module_legacy.pt"));

TEST(Torch, ReadsTorchScript) {
  const Checkpoint checkpoint = golden("torchscript.pt");
  EXPECT_EQ(checkpoint.format, "torchscript");
  test::expect_same(checkpoint.tensors, expected("torchscript.safetensors"));
}

TEST(Torch, TensorsAreWindowsOnStorages) {
  const auto tensor = [](const TensorCall& call) {
    return with_tensor(call).tensors[0].second.get<float>();
  };
  EXPECT_EQ(tensor({.offset = 1, .sizes = {2}, .strides = {2}})(1), 4.0f);
  EXPECT_EQ(tensor({.sizes = {3, 2}, .strides = {1, 0}})(2, 1), 3.0f);
  EXPECT_EQ(tensor({.sizes = {}, .strides = {}}).item(), 1.0f);
  EXPECT_EQ(tensor({.sizes = {1, 4}, .strides = {INT64_MAX, 1}})(0, 3), 4.0f);
  EXPECT_EQ(tensor({.sizes = {0, 7}, .strides = {1, 1}}).numel(), 0);
  EXPECT_EQ(tensor({.function = "_rebuild_tensor"})(3), 4.0f);
}

TEST(Torch, RefusesWindowsOutsideTheStorage) {
  const auto refused = [](const TensorCall& call, std::string_view why) {
    expect_error([&] { with_tensor(call); }, {"test.pt", "tensor w", why});
  };
  refused({.sizes = {5}}, "beyond its storage");
  refused({.offset = 1}, "beyond its storage");
  refused({.offset = -1}, "offset -1");
  refused({.sizes = {2}, .strides = {4}}, "beyond its storage");
  refused({.sizes = {2}, .strides = {-1}}, "negative");
  refused({.sizes = {-4}}, "negative");
  refused({.sizes = {2, 2}}, "strides");
  refused({.numel = 5}, "should have 5 elements");
  refused({.numel = INT64_MAX}, "should have");
  refused({.numel = -1}, "-1 elements");
  refused({.offset = INT64_MAX, .sizes = {2}}, "overflow");
  refused({.sizes = {INT64_MAX, 3}, .strides = {1, 1}}, "overflow");
  refused({.sizes = {3, 3}, .strides = {INT64_MAX, INT64_MAX}}, "overflow");
  refused({.sizes = {0, INT64_MAX, 3}, .strides = {1, 1, 1}}, "overflow");
  refused({.sizes = {1, 1, 1, 1, 1, 1, 1}, .strides = {1, 1, 1, 1, 1, 1, 1}}, "7 dimensions");
  expect_error([] { with_tensor({.key = "9"}); }, {"test.pt", "entry archive/data/9", "missing"});
}

TEST(Torch, RefusesTensorsFarLargerThanTheFile) {
  const TensorCall giant = {.sizes = {1 << 20, 1 << 20}, .strides = {0, 0}};
  expect_error([&] { with_tensor(giant); }, {"tensor w", "asks for 4398046511104 bytes"});
  Limits limits;
  limits.memory_floor = 1000;
  limits.memory_ratio = 0;
  const TensorCall small = {.sizes = {200}, .strides = {0}};
  EXPECT_EQ(with_tensor({.sizes = {2}, .strides = {0}}, limits).tensors.size(), 1u);
  expect_error([&] { with_tensor(small, {.memory_floor = 799, .memory_ratio = 0}); },
               {"tensor w", "asks for 800 bytes"});
}

TEST(Torch, RefusesOtherKindsOfTensors) {
  for (const std::string function :
       {"_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_meta_tensor_no_storage"})
    expect_error([&] { with_tensor({.function = function}); }, {"tensor w", function});
  for (const std::string storage : {"ComplexFloatStorage", "QInt8Storage", "NoStorage"})
    expect_error([&] { with_tensor({.storage = storage}); }, {"tensor w", storage});
}

TEST(Torch, ParametersMayBeWrappedInParameters) {
  PickleBuilder pickle;
  pickle.op(Op::empty_dict).text("w");
  for (int i = 0; i < 3; ++i) pickle.global("torch._utils", "_rebuild_parameter");
  pickle.tensor({});
  for (int i = 0; i < 3; ++i) pickle.op(Op::newtrue).op(Op::none).op(Op::tuple3).op(Op::reduce);
  EXPECT_EQ(of_pickle(pickle.op(Op::setitem).stop()).tensors.size(), 1u);
}

TEST(Torch, FilesWithoutTensorsAreNamedSo) {
  expect_error([] { of_pickle(PickleBuilder().text("hello").stop()); },
               {"test.pt", "holds no tensors", "a string"});
  const std::string exploit =
      PickleBuilder().global("posix", "system").text("exit 1").op(Op::tuple1).op(Op::reduce).stop();
  expect_error([&] { of_pickle(exploit); }, {"test.pt", "holds no tensors"});
}

// A module whose _modules dict contains, under "m", what `child` appends.
PickleBuilder module_around(PickleBuilder pickle, void (*child)(PickleBuilder&)) {
  pickle.global("x", "Module").op(Op::empty_tuple).op(Op::newobj).put(1);
  pickle.op(Op::empty_dict).text("_modules").op(Op::empty_dict).text("m");
  child(pickle);
  return pickle.op(Op::setitem).op(Op::setitem).op(Op::build);
}

TEST(Torch, RefusesModulesThatContainThemselves) {
  const auto pickle = module_around({}, [](PickleBuilder& p) { p.get(1); }).stop();
  expect_error([&] { of_pickle(pickle); }, {"test.pt", "nested"});
}

TEST(Torch, RefusesModulesThatMultiplyWithoutEnd) {
  // Every module contains the one before twice: 2^40 paths in a few hundred bytes.
  PickleBuilder pickle;
  pickle.op(Op::none).put(0);
  for (int i = 0; i < 40; ++i) {
    pickle.global("x", "Module").op(Op::empty_tuple).op(Op::newobj);
    pickle.op(Op::empty_dict).text("_modules").op(Op::empty_dict).op(Op::mark);
    pickle.text("a").get(0).text("b").get(0).op(Op::setitems).op(Op::setitem).op(Op::build).put(0);
  }
  expect_error([&] { of_pickle(pickle.stop()); }, {"test.pt", "more than 100000 modules"});
}

TEST(Torch, RefusesDictsThatWrapThemselves) {
  const std::string pickle =
      PickleBuilder().op(Op::empty_dict).put(1).text("model").get(1).op(Op::setitem).stop();
  expect_error([&] { of_pickle(pickle); }, {"test.pt", "nested"});
}

TEST(Torch, RefusesBadNames) {
  const auto named = [](const std::string& name) {
    return PickleBuilder().op(Op::empty_dict).text(name).tensor({}).op(Op::setitem).stop();
  };
  expect_error([&] { of_pickle(named("")); }, {"test.pt", "name"});
  expect_error([&] { of_pickle(named("\xff")); }, {"test.pt", "UTF-8"});
  expect_error([&] { of_pickle(named(std::string(2000, 'a'))); }, {"test.pt", "2001 bytes"});
  const std::string twice = PickleBuilder()
                                .op(Op::empty_dict)
                                .op(Op::mark)
                                .text("w")
                                .tensor({})
                                .text("w")
                                .tensor({})
                                .op(Op::setitems)
                                .stop();
  expect_error([&] { of_pickle(twice); }, {"test.pt", "two tensors are named w"});
}

TEST(Torch, RefusesArchivesWithoutOrWithTwoPickles) {
  const auto read = [](const test::ZipBuilder& zip) {
    read_checkpoint(io::as_bytes(zip.finish()), "test.pt");
  };
  expect_error(
      [&] {
        read(test::ZipBuilder().add({"weights.npy", ""}));
      },
      {"test.pt", "without data.pkl"});
  expect_error(
      [&] {
        read(test::ZipBuilder().add({"a/data.pkl", "N."}).add({"data.pkl", "N."}));
      },
      {"test.pt", "more than one data.pkl"});
}

TEST(Torch, RefusesLegacyFilesThatAreCutOff) {
  const io::MappedFile file(test::weights_golden("legacy.pt"));
  const Bytes bytes = file.bytes();
  for (const std::size_t missing : {std::size_t{1}, std::size_t{500}, bytes.size() - 40})
    expect_error([&] { read_checkpoint(bytes.first(bytes.size() - missing), "test.pth"); },
                 {"test.pth"});
}

}  // namespace
}  // namespace mien::weights
