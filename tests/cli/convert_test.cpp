// mien-convert as a user meets it.

#include <cli/programs.hpp>

#include <gtest/gtest.h>
#include <mien/weights/read.hpp>
#include <support/data_dir.hpp>

#include <string>
#include <vector>

namespace mien::test {
namespace {

class ConvertProgram : public testing::Test {
 protected:
  ProcessResult run(const std::vector<std::string>& arguments) {
    return run_program("convert", arguments);
  }
  // One line on stderr that has `part`, nothing on stdout.
  void expect_failure(const std::vector<std::string>& arguments, std::string_view part) {
    const ProcessResult done = run(arguments);
    EXPECT_NE(done.exit_code, 0) << part;
    EXPECT_EQ(done.out, "");
    EXPECT_NE(done.err.find(part), std::string::npos) << done.err;
  }

  static std::string golden(std::string_view name) {
    return golden_path("weights/" + std::string(name));
  }

  TemporaryFolder folder_;
  std::string out_ = folder_ / "out.safetensors";
};

TEST_F(ConvertProgram, ListsTensors) {
  const ProcessResult done = run({"--list", golden("wrapped.pt")});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.out,
            "conv.weight  f32   (4, 6)\n"
            "1 tensors, 24 elements, 96 bytes (torch)\n");
}

TEST_F(ConvertProgram, ChecksAFile) {
  const ProcessResult done = run({"--check", golden("rrdbnet_bsrgan.pt")});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  for (const std::string_view line :
       {"architecture  rrdbnet\n", "scale         4\n", "blocks        2\n",
        "features      4, growth 2\n", "tensors       72\n", "parameters    6,503\n",
        "missing       0\n", "unexpected    0\n", "mismatched    0\n", "digest        sha256:"})
    EXPECT_NE(done.out.find(line), std::string::npos) << line << "is not in\n" << done.out;
}

TEST_F(ConvertProgram, CheckTellsWhatIsWrong) {
  auto file = io::read_safetensors(write_upscaler(folder_ / "net.safetensors"));
  file.tensors.pop_back();
  file.tensors.emplace_back("extra", Tensor<float>::zeros({1}));
  io::write_safetensors(folder_ / "net.safetensors", file);
  const ProcessResult done = run({"--check", folder_ / "net.safetensors"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_NE(done.out.find("missing       1\n"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("unexpected    1\n  extra\n"), std::string::npos) << done.out;
}

TEST_F(ConvertProgram, CheckNoticesChangedTensors) {
  EXPECT_EQ(run({golden("rrdbnet.pt"), out_}).exit_code, 0);
  EXPECT_EQ(run({"--check", out_}).exit_code, 0);
  auto file = io::read_safetensors(out_);
  file.tensors[0].second.bytes()[0] ^= std::byte{1};
  io::write_safetensors(out_, file);
  const ProcessResult done = run({"--check", out_});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_NE(done.out.find("the tensors were changed"), std::string::npos) << done.out;
}

TEST_F(ConvertProgram, ConvertsElementTypes) {
  for (const auto& [name, dtype] : {std::pair("f32", DType::f32), std::pair("bf16", DType::bf16),
                                    std::pair("f16", DType::f16)}) {
    const ProcessResult done = run({golden("rrdbnet.pt"), out_, "--dtype", name});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    for (const auto& [tensor_name, tensor] : io::read_safetensors(out_).tensors)
      EXPECT_EQ(tensor.dtype(), dtype) << tensor_name;
  }
}

TEST_F(ConvertProgram, SourceAndClassOrderGoIntoTheFile) {
  const ProcessResult done = run({golden("efficientnet_timm.pt"), out_, "--source", "timm",
                                  "--arch", "efficientnet_b0", "--class-order", "no,yes"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.err, "");
  const auto metadata = io::read_safetensors(out_).metadata;
  EXPECT_EQ(metadata.at("source"), "timm");
  EXPECT_EQ(metadata.at("bn_eps"), "1e-05");
  EXPECT_EQ(metadata.at("class_order"), "no,yes");
}

TEST_F(ConvertProgram, AssumptionsAreTold) {
  const ProcessResult done = run({golden("efficientnet_timm.pt"), out_});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_NE(done.err.find("source timm-tf is assumed"), std::string::npos) << done.err;
}

TEST_F(ConvertProgram, RefusalsNameTheFile) {
  const std::string net = golden("rrdbnet.pt");
  expect_failure({net}, "OUT is required");
  expect_failure({}, "IN is required");
  expect_failure({"--list", net, out_}, "OUT cannot be given");
  expect_failure({"--list", "--check", net}, "excludes");
  expect_failure({net, out_, "--dtype", "i8"}, "i8");
  expect_failure({net, out_, "--source", "timm"}, "has no source");
  expect_failure({net, out_, "--arch", "efficientnet_b0"}, "holds rrdbnet");
  expect_failure({net, out_, "--class-order", "a,b"}, "has no 2 classes");
  expect_failure({golden("make_weights.py"), out_}, "make_weights.py] is no weight file");
  expect_failure({golden("wrapped.pt"), out_}, "no network that mien knows");
  expect_failure({"--check", folder_ / "absent.pt"}, "absent.pt] cannot be opened");
  expect_failure({net, folder_ / "absent/out.safetensors"}, "out.safetensors] cannot be written");
  EXPECT_TRUE(files_in(folder_.path().string()).empty());
}

}  // namespace
}  // namespace mien::test
