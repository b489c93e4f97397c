// Tables as text: what is read, what is refused, and where an error says it is.

#include <gtest/gtest.h>
#include <mien/io/csv.hpp>

#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

namespace mien::io {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read(std::string_view text, const CsvOptions& options = {}) {
  CsvReader csv(text, "t.csv", options);
  Rows rows;
  while (csv.next()) {
    std::vector<std::string>& row = rows.emplace_back();
    for (std::size_t i = 0; i < csv.size(); ++i) row.emplace_back(csv[i]);
  }
  return rows;
}

std::string error_of(std::string_view text, const CsvOptions& options = {}) {
  return test::thrown([&] { read(text, options); });
}

TEST(Csv, LinesAndFields) {
  EXPECT_EQ(read("a,b\r\n,\n\n\r\nlast"), (Rows{{"a", "b"}, {"", ""}, {"last"}}));
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a,\n"),
            (Rows{{"a", ""}}));
  EXPECT_EQ(read("a;b,c", {.separator = ';'}), (Rows{{"a", "b,c"}}));
  EXPECT_EQ(read("\"a\",b \n"), (Rows{{"\"a\"", "b "}}));  // quotes and spaces are text
  EXPECT_EQ(read(""), Rows{});
  EXPECT_EQ(read("\n\n"), Rows{});
}

TEST(Csv, Spaces) {
  EXPECT_EQ(read(" a, b c ,  ,\n", {.trim = true}), (Rows{{"a", "b c", "", ""}}));
  EXPECT_EQ(read(" \"a \" , b", {.quoting = true, .trim = true}), (Rows{{"a ", "b"}}));
}

TEST(Csv, Quotes) {
  const CsvOptions options{.quoting = true};
  EXPECT_EQ(read("\"a,\"\"b\"\"\",\"\",c\"d\n", options), (Rows{{"a,\"b\"", "", "c\"d"}}));
  EXPECT_EQ(error_of("x\n\"a,b\nc\",d", options), "[t.csv:2] field 1: expected a closing quote");
  EXPECT_EQ(error_of("1,\"a\"b", options), "[t.csv:1] field 2: text after the closing quote");
}

TEST(Csv, Limits) {
  EXPECT_EQ(read("abcd", {.max_line = 4}).size(), 1u);
  EXPECT_EQ(error_of("a\nabcde", {.max_line = 4}),
            "[t.csv:2] a line of 5 bytes, expected at most 4");
  EXPECT_EQ(read("a,b,c", {.max_fields = 3}).size(), 1u);
  EXPECT_EQ(error_of("a,b,c,d", {.max_fields = 3}), "[t.csv:1] expected at most 3 fields");
}

TEST(Csv, Header) {
  CsvReader csv("name,valence\na,0.5\nb\nc,1\n", "t.csv");
  csv.read_header();
  EXPECT_EQ(csv.column("valence"), 1u);
  EXPECT_EQ(test::thrown([&] { csv.column("arousal"); }),
            "[t.csv:1] expected a column arousal, got name,valence");
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.number<double>(1), 0.5);
  EXPECT_EQ(test::thrown([&] { csv.next(); }), "[t.csv:3] expected 2 fields, got 1");
  ASSERT_TRUE(csv.next());  // an error does not stop the reader
  EXPECT_EQ(csv[0], "c");
  EXPECT_EQ(csv.where(), "t.csv:4");
  EXPECT_EQ(test::thrown([&] { csv[2]; }), "[t.csv:4] expected a field 3, the row has 2");
  EXPECT_FALSE(csv.next());
  CsvReader empty("\n", "t.csv");
  EXPECT_EQ(test::thrown([&] { empty.read_header(); }), "[t.csv] is empty, expected a header");
}

TEST(Csv, Numbers) {
  CsvReader csv("-12,0.0634921,1e-3,x,,1.5,nan,inf,1e999, 1,+1,99999999999,0x10\n", "t.csv");
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.number<int>(0), -12);
  EXPECT_EQ(csv.number<double>(0), -12);
  EXPECT_EQ(csv.number<double>(1), 0.0634921);
  EXPECT_EQ(csv.number<float>(2), 1e-3f);
  EXPECT_EQ(csv.number<std::int64_t>(11), 99999999999);
  for (const std::size_t i : {3u, 4u, 6u, 7u, 8u, 9u, 10u, 12u})
    EXPECT_NE(test::thrown([&] { csv.number<double>(i); }).find(": expected a number, got '"),
              std::string::npos)
        << csv[i];
  for (const std::size_t i : {1u, 2u, 3u, 4u, 5u, 9u, 10u, 11u, 12u})
    EXPECT_NE(test::thrown([&] { csv.number<int>(i); }).find(": expected a whole number, got '"),
              std::string::npos)
        << csv[i];
  EXPECT_THROW(csv.number<unsigned>(0), Error);
  csv.set_columns({"frame", "valence"});
  EXPECT_EQ(test::thrown([&] { csv.expect(false, 1, "a wonder"); }),
            "[t.csv:1] valence: expected a wonder, got '0.0634921'");
}

TEST(Csv, ErrorsAreOneShortLine) {
  const std::string text = "\x1b[2J\t" + std::string(5000, 'a');
  CsvReader csv(text, "t.csv");
  ASSERT_TRUE(csv.next());
  const std::string error = test::thrown([&] { csv.number<int>(0); });
  EXPECT_LT(error.size(), 200u);
  EXPECT_NE(error.find("'?[2J?aaa"), std::string::npos) << error;
}

TEST(Csv, Files) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("a.csv", "x,y\n1,2\n");
  CsvReader csv = CsvReader::open(path);
  csv.read_header();
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.number<int>(csv.column("y")), 2);
  EXPECT_EQ(csv.where(), path + ":2");
  EXPECT_NE(test::thrown([&] { CsvReader::open(folder / "b.csv"); }).find("cannot be opened"),
            std::string::npos);
}

}  // namespace
}  // namespace mien::io
