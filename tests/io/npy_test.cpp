// Arrays as NumPy saves them (tests/golden/npy/make_npy.py), and refusals.

#include <gtest/gtest.h>
#include <mien/io/npy.hpp>

#include "support/data_dir.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

namespace mien::io {
namespace {

NpyArray golden(const std::string& name) {
  return read_npy(test::golden_path("npy/" + name + ".npy"));
}

template <class T>
std::vector<T> values(const NpyArray& array) {
  const Tensor<T> tensor = array.numbers.get<T>();
  return {tensor.data(), tensor.data() + tensor.numel()};
}

// A file of this dict and these elements.
std::string file_of(const std::string& header, const std::string& data, char major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes +=
      {major, '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  if (major > 1) bytes += std::string(2, '\0');
  return bytes + header + data;
}

std::string dict(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

std::string error_of(const std::string& bytes) {
  return test::thrown([&] { parse_npy(as_bytes(bytes), "t.npy"); });
}

TEST(Npy, Numbers) {
  const NpyArray floats = golden("f4");
  EXPECT_EQ(floats.shape, (Shape{2, 3}));
  EXPECT_EQ(values<float>(floats), (std::vector<float>{1.5f, -2.25f, 0.1f, 3e38f, -0.f, 1e-40f}));
  EXPECT_EQ(golden("f8").shape, Shape{});
  EXPECT_EQ(values<double>(golden("f8")), std::vector<double>{0.0634921});
  EXPECT_EQ(values<std::int32_t>(golden("i4")), (std::vector<std::int32_t>{INT32_MIN, 7}));
  EXPECT_EQ(values<std::int64_t>(golden("i8")), std::vector<std::int64_t>{6});
  EXPECT_EQ(golden("u1").shape, (Shape{1, 2, 3}));
  EXPECT_EQ(values<std::uint8_t>(golden("u1")),
            (std::vector<std::uint8_t>{250, 251, 252, 253, 254, 255}));
  const NpyArray bools = golden("b1");
  EXPECT_EQ(bools.shape, Shape{3});
  EXPECT_FALSE(bools.numbers.get<bool>()(1));
  EXPECT_TRUE(bools.numbers.get<bool>()(2));
  EXPECT_EQ(golden("empty").shape, (Shape{0, 3}));
  EXPECT_EQ(golden("empty").numbers.numel(), 0);
}

TEST(Npy, Versions) {
  EXPECT_EQ(values<double>(golden("version_2")), (std::vector<double>{2, 0.5}));
  EXPECT_EQ(values<double>(golden("version_3")), (std::vector<double>{3, 0.5}));
}

TEST(Npy, Texts) {
  const NpyArray texts = golden("texts");
  EXPECT_EQ(texts.shape, (Shape{2, 2}));
  EXPECT_FALSE(texts.numbers.defined());
  EXPECT_EQ(texts.texts, (std::vector<std::string>{"", "a", "Fröhlich 😀", "bc"}));
  EXPECT_EQ(golden("text").texts, std::vector<std::string>{"0.0634921"});
}

TEST(Npy, OneNumber) {
  const auto number = [](const std::string& name) {
    return read_npy_number(test::golden_path("npy/" + name + ".npy"));
  };
  EXPECT_EQ(number("f8"), 0.0634921);
  EXPECT_EQ(number("text"), 0.0634921);
  EXPECT_EQ(number("i8"), 6);
  EXPECT_NE(test::thrown([&] { number("i4"); }).find("expected one number, got shape (2)"),
            std::string::npos);
  const test::TemporaryFolder folder;
  const std::string text = folder.write("x.npy", file_of(dict("<U1", "()"), {"x\0\0\0", 4}));
  EXPECT_EQ(test::thrown([&] { read_npy_number(text); }),
            "[" + text + "] expected a number, got 'x'");
  const std::string nan = folder.write("n.npy", file_of(dict("<f4", "()"), {"\0\0\xc0\x7f", 4}));
  EXPECT_NE(test::thrown([&] { read_npy_number(nan); }).find("expected a finite number"),
            std::string::npos);
}

TEST(Npy, RefusesWhatNumpyWritesButMienDoesNotRead) {
  const auto error = [](const std::string& name) { return test::thrown([&] { golden(name); }); };
  EXPECT_NE(error("fortran").find("fortran.npy] is in Fortran order, expected C order"),
            std::string::npos);
  EXPECT_NE(error("big_endian").find("element type '>f8' is not supported, expected <f4"),
            std::string::npos);
  EXPECT_NE(error("structured").find("a text in quotes expected at offset"), std::string::npos);
}

TEST(Npy, HeaderInAnyOrder) {
  const std::string bytes =
      file_of("{\"shape\":(2,),'fortran_order':False,'descr':'|u1'}", "\x01\x02");
  EXPECT_EQ(values<std::uint8_t>(parse_npy(as_bytes(bytes), "t.npy")),
            (std::vector<std::uint8_t>{1, 2}));
}

TEST(Npy, RefusesDamagedFiles) {
  const std::string whole = file_of(dict("<f4", "(2,)"), "12345678");
  EXPECT_EQ(error_of(whole), "nothing was thrown");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(error_of(whole.substr(0, size)).starts_with("[t.npy] ")) << size;
  EXPECT_EQ(error_of(whole + "9"), "[t.npy] 2 elements of 4 bytes expected, got 9 bytes");
  EXPECT_EQ(error_of(file_of(dict("|u1", "()"), "1", 4)),
            "[t.npy] version 4.0 of the .npy format, expected 1.0 to 3.0");
  EXPECT_EQ(error_of(file_of(std::string(10'001, ' '), "")),
            "[t.npy] a header of 10001 bytes, expected at most 10000");
}

TEST(Npy, RefusesHostileHeaders) {
  const auto expect_refused = [](const std::string& header, std::string_view why) {
    const std::string error = error_of(file_of(header, "12345678"));
    EXPECT_NE(error.find(why), std::string::npos) << header << "\n" << error;
    EXPECT_TRUE(error.starts_with("[t.npy] ")) << error;
    EXPECT_LT(error.size(), 250u);
  };
  expect_refused(dict("|u1", "(4611686018427387904, 4)"), "too many elements");
  expect_refused(dict("|u1", "(0, 4611686018427387904, 4)"), "too many elements");
  expect_refused(dict("<f8", "(2305843009213693952,)"), "elements of 8 bytes expected");
  expect_refused(dict("<f4", "(99999999999999999999,)"), "a size expected");
  expect_refused(dict("<f4", "(-2,)"), "a size expected");
  expect_refused(dict("<f4", "(2)"), "expected a tuple");
  expect_refused(dict("<f4", "(1, 1, 1, 1, 1, 1, 2)"), "at most 6 dimensions");
  expect_refused(dict("<f4", "(2,"), "a size expected");
  expect_refused(dict("<U0", "(1000000000000,)"), "expected texts of 1 to");
  expect_refused(dict("<U", "(2,)"), "expected texts of 1 to");
  expect_refused(dict("<U4611686018427387905", "(2,)"), "expected texts of 1 to");
  expect_refused(dict("<U3", "(2,)"), "2 texts of 12 bytes expected, got 8 bytes");
  expect_refused(dict("<U1", "(2,)"), "is no Unicode character");  // "1234" as a code
  expect_refused(dict("|O", "(2,)"), "is not supported");
  expect_refused(dict(std::string(9000, '\x1b'), "(2,)"), "'????");
  expect_refused("{'descr': '<f4', 'shape': (2,)}", "expected descr, fortran_order and shape");
  expect_refused("{'descr': '<f4', 'descr': '<f4'}", "unknown or doubled key");
  expect_refused("{'magic': 1}", "unknown or doubled key");
  expect_refused("{'fortran_order': None}", "True or False expected");
  expect_refused(dict("<f4", "(2,)") + "x", "more text after the header");
  expect_refused("__import__('os')", "'{' expected");
  expect_refused("{'descr", "a text in quotes expected");
  expect_refused("{'descr': '<f4' 'shape'", "',' expected");
}

}  // namespace
}  // namespace mien::io
