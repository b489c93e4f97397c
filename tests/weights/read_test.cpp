// What files are told to be by their first bytes.

#include <gtest/gtest.h>
#include <mien/weights/read.hpp>

#include <string>

#include "weights/builders.hpp"
#include "weights/expect.hpp"

namespace mien::weights {
namespace {

Format of(const std::string& bytes) { return sniff(io::as_bytes(bytes), "file"); }

TEST(Sniff, SupportedFormats) {
  EXPECT_EQ(of(test::torch_zip("N.", {})), Format::torch_zip);
  EXPECT_EQ(of("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), Format::torch_legacy);
  EXPECT_EQ(of(test::little(2, 8) + "{}"), Format::safetensors);
  EXPECT_EQ(of("7767517\n1 1\n"), Format::ncnn_param);
  EXPECT_EQ(of(test::little(0x01306b47, 4) + "data"), Format::ncnn_bin);
  EXPECT_EQ(of(test::proto_number(1, 8) + test::proto_bytes(7, "graph")), Format::onnx);
}

TEST(Sniff, ForeignFormatsAreNamed) {
  const auto refused = [](const std::string& bytes, std::string_view what) {
    test::expect_error([&] { read_checkpoint(io::as_bytes(bytes), "weights.bin"); },
                       {"weights.bin", what});
  };
  refused("", "is empty");
  refused("\x89HDF\r\n\x1a\n", "HDF5");
  refused(test::little(28, 4) + "TFL3", "TensorFlow Lite");
  refused("GGUF" + std::string(20, '\1'), "GGUF");
  refused("params.txt" + std::string(247, '\0') + "ustar  ", "tar archive");
  refused("\x1f\x8b\x08" + std::string(20, 'x'), "gzip");
  refused("version https://git-lfs.github.com/spec/v1", "Git LFS");
  refused("<!DOCTYPE html>", "web page");
  refused("\x93NUMPY\x01", "NumPy");
  refused("\x80\x04\x95", "pickle that torch.save() did not write");
  refused("just some text", "no weight file");
  refused("7767517\n1 1\n", "two files of an ncnn network");
}

TEST(Sniff, OtherProtobufModelsAreNotOnnx) {
  const std::string core_ml = test::proto_number(1, 4) + test::proto_bytes(2, "description");
  test::expect_error([&] { sniff(io::as_bytes(core_ml), "net.mlmodel"); }, {"Core ML"});
  test::expect_error([&] { sniff(io::as_bytes(core_ml), "net.pb"); }, {"TensorFlow"});
}

TEST(Read, FilesThatCannotBeOpenedAreNamed) {
  test::expect_error([] { read_checkpoint("/nonexistent/weights.pt"); },
                     {"/nonexistent/weights.pt", "cannot be opened"});
  test::expect_error([] { read_checkpoint("/"); }, {"not a regular file"});
}

}  // namespace
}  // namespace mien::weights
