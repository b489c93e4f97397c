// The format against files of the reference implementation, and its refusals.

#include <gtest/gtest.h>
#include <mien/io/safetensors.hpp>

#include <cstdio>
#include <string>

#include "support/data_dir.hpp"

namespace mien::io {
namespace {

std::string file_of(std::string_view header, std::string_view data) {
  std::string size;
  for (int i = 0; i < 8; ++i) size += static_cast<char>(header.size() >> (8 * i));
  return size + std::string(header) + std::string(data);
}

SafetensorsFile parse(const std::string& bytes) {
  return parse_safetensors(as_bytes(bytes), "test.safetensors");
}

void expect_refused(std::string_view header, std::string_view data, std::string_view why) {
  try {
    parse(file_of(header, data));
    ADD_FAILURE() << "accepted: " << header;
  } catch (const Error& error) {
    const std::string_view text = error.what();
    EXPECT_NE(text.find("test.safetensors"), std::string_view::npos) << text;
    EXPECT_NE(text.find(why), std::string_view::npos) << text;
  }
}

const AnyTensor& find(const SafetensorsFile& file, std::string_view name) {
  for (const auto& [known, tensor] : file.tensors)
    if (known == name) return tensor;
  ADD_FAILURE() << name << " is missing";
  return file.tensors.front().second;
}

TEST(Safetensors, ReadsFileOfReferenceImplementation) {
  const auto file = read_safetensors(test::golden_path("weights/expected.safetensors"));
  EXPECT_EQ(file.tensors.size(), 20u);
  EXPECT_EQ(file.metadata.at("key"), "text with \"quotes\", \u00e9");
  EXPECT_EQ(find(file, "i64").get<std::int64_t>()(3), INT64_MIN);
  EXPECT_EQ(find(file, "i16").get<std::int32_t>()(1), -1);
  EXPECT_EQ(find(file, "i8").get<std::int32_t>()(2), 127);
  EXPECT_EQ(find(file, "u8").get<std::uint8_t>()(2), 255);
  EXPECT_EQ(find(file, "f16").get<f16>()(3), 65504.0f);
  EXPECT_EQ(find(file, "bf16").get<bf16>()(0), 1.5f);
  EXPECT_EQ(find(file, "scalar").shape(), Shape{});
  EXPECT_EQ(find(file, "empty").shape(), (Shape{0, 3}));
  EXPECT_TRUE(find(file, "bool").get<bool>()(2));
}

TEST(Safetensors, WrittenFileReadsBackInOrder) {
  SafetensorsFile file;
  file.metadata = {{"quote", "a \"b\" \\ \n \x01 \u00e9"}, {"empty", ""}};
  file.tensors.emplace_back("flag", Tensor<bool>::from({3}, {true, false, true}));
  file.tensors.emplace_back("double \"x\"", Tensor<double>::from({2, 1}, {1.0, -2.5}));
  file.tensors.emplace_back("half", Tensor<f16>::from({1}, {f16(0.5f)}));
  file.tensors.emplace_back("none", Tensor<float>(Shape{0, 2}));
  file.tensors.emplace_back("scalar", Tensor<std::int64_t>::scalar(-5));
  const std::string path = testing::TempDir() + "mien_safetensors_test";
  write_safetensors(path, file);
  const auto back = read_safetensors(path);
  std::remove(path.c_str());

  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.tensors.size(), file.tensors.size());
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    EXPECT_EQ(back.tensors[i].first, file.tensors[i].first);
    EXPECT_EQ(back.tensors[i].second.dtype(), file.tensors[i].second.dtype());
    EXPECT_EQ(back.tensors[i].second.shape(), file.tensors[i].second.shape());
  }
  EXPECT_EQ(find(back, "double \"x\"").get<double>()(1, 0), -2.5);
  EXPECT_EQ(find(back, "scalar").get<std::int64_t>().item(), -5);
  EXPECT_FALSE(find(back, "flag").get<bool>()(1));
}

TEST(Safetensors, AcceptsUnalignedDataAndPaddedHeader) {
  const auto file = parse(file_of(R"({ "a" : {"dtype":"U8","shape":[1],"data_offsets":[0,1]},
      "b":{"data_offsets":[1,5],"shape":[],"dtype":"F32"} }    )",
                                  std::string("\x07\0\0\x80\x3f", 5)));
  EXPECT_EQ(find(file, "a").get<std::uint8_t>()(0), 7);
  EXPECT_EQ(find(file, "b").get<float>().item(), 1.0f);
}

TEST(Safetensors, BooleansBecomeZeroOrOne) {
  const auto file =
      parse(file_of(R"({"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", "\x02\xff"));
  EXPECT_EQ(static_cast<int>(find(file, "a").bytes()[0]), 1);
  EXPECT_EQ(static_cast<int>(find(file, "a").bytes()[1]), 1);
}

TEST(Safetensors, DecodesEscapes) {
  const auto file = parse(
      file_of(R"({"\u00e9\n\ud83d\ude00":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", ""));
  EXPECT_EQ(file.tensors[0].first, "\u00e9\n\U0001F600");
}

TEST(Safetensors, RefusesRangesThatDisagree) {
  const auto one = [](std::string_view rest) {
    return R"({"a":{"dtype":"F32",)" + std::string(rest) + "}}";
  };
  expect_refused(one(R"("shape":[2],"data_offsets":[0,4])"), "abcd", "tensor a");
  expect_refused(one(R"("shape":[1],"data_offsets":[4,0])"), "abcd", "disagrees");
  expect_refused(one(R"("shape":[1],"data_offsets":[0,4])"), "abc", "the file has 3");
  expect_refused(one(R"("shape":[1],"data_offsets":[0,4])"), "abcde", "the file has 5");
  expect_refused(one(R"("shape":[1],"data_offsets":[1,5])"), "abcde", "expected 0");
  expect_refused(one(R"("shape":[4611686018427387904,4],"data_offsets":[0,0])"), "", "disagrees");
  expect_refused(one(R"("shape":[18446744073709551616],"data_offsets":[0,0])"), "", "integer");
  expect_refused(one(R"("shape":[-1],"data_offsets":[0,4])"), "abcd", "integer");
  expect_refused(one(R"("shape":[1,1,1,1,1,1,1],"data_offsets":[0,4])"), "abcd", "dimensions");
  expect_refused(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                 R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                 "abc", "tensor b");
}

TEST(Safetensors, RefusesMalformedHeaders) {
  expect_refused("", "", "'{'");
  expect_refused("[]", "", "'{'");
  expect_refused("{", "", "expected");
  expect_refused("{}x", "", "after the JSON");
  expect_refused("{,}", "", "expected");
  expect_refused(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},})", "", "expected");
  expect_refused(R"({"a":{"dtype":"F8_E5M2","shape":[],"data_offsets":[0,1]}})", "a", "F8_E5M2");
  expect_refused(R"({"a":{"dtype":"F32","shape":[0]}})", "", "missing");
  expect_refused(R"({"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})", "",
                 "twice");
  expect_refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":1}})", "",
                 "unknown field");
  expect_refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                 R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                 "", "twice");
  expect_refused(R"({"__metadata__":{"k":1}})", "", "expected");
  expect_refused("{\"\xff\":1}", "", "UTF-8");
  expect_refused(R"({"\ud800":1})", "", "UTF-8");
  expect_refused(R"({"\ud800\u0041":1})", "", "surrogate");
  expect_refused("{\"a\nb\":1}", "", "control");
  expect_refused(R"({"\x":1})", "", "escape");
}

TEST(Safetensors, RefusesHeadersThatAreTooLong) {
  EXPECT_THROW(parse("short"), Error);
  EXPECT_THROW(parse(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)), Error);
  EXPECT_THROW(parse(std::string("\x03\0\0\0\0\0\0\0{}", 10)), Error);
}

TEST(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const std::string path = testing::TempDir() + "mien_safetensors_refused";
  const AnyTensor tensor = Tensor<float>::zeros({1});
  EXPECT_THROW(write_safetensors(path, {{{"a", tensor}, {"a", tensor}}, {}}), Error);
  EXPECT_THROW(write_safetensors(path, {{{"__metadata__", tensor}}, {}}), Error);
  EXPECT_THROW(write_safetensors(path, {{{"\xff", tensor}}, {}}), Error);
  EXPECT_THROW(write_safetensors(path, {{{"a", AnyTensor()}}, {}}), Error);
  EXPECT_EQ(std::fopen(path.c_str(), "rb"), nullptr);
}

}  // namespace
}  // namespace mien::io
