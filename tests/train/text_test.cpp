#include <gtest/gtest.h>
#include <mien/train/text.hpp>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

namespace mien::train {
namespace {

TEST(Text, ShortestNumbersReadBackAsTheyWere) {
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(3), "3");
  EXPECT_EQ(shortest(1e-5), "1e-05");
  EXPECT_EQ(shortest(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(shortest(-std::nan("")), "nan");
  for (const double value : {1.0 / 3, 1e300, 5e-324, -2.5e-7})
    EXPECT_EQ(std::strtod(shortest(value).c_str(), nullptr), value);
}

TEST(Text, DigitsAreAsAsked) {
  EXPECT_EQ(fixed(2.345, 1), "2.3");
  EXPECT_EQ(fixed(1e308, 0).size(), 309u);
  EXPECT_EQ(significant(0.000123456, 3), "0.000123");
  EXPECT_EQ(significant(123456, 3), "1.23e+05");
}

TEST(Text, Durations) {
  EXPECT_EQ(duration(0), "0s");
  EXPECT_EQ(duration(59.4), "59s");
  EXPECT_EQ(duration(59.6), "1m00s");
  EXPECT_EQ(duration(200), "3m20s");
  EXPECT_EQ(duration(7500), "2h05m");
  EXPECT_EQ(duration(1e300), "277777h46m");
}

TEST(Text, ColumnsAreThoseOfATerminal) {
  EXPECT_EQ(columns_of("abc"), 3);
  EXPECT_EQ(columns_of("\u00e9\u20ac"), 3);  // from U+1100 on a character may be wide
  EXPECT_EQ(columns_of("\u6f22\u5b57"), 4);
  EXPECT_EQ(columns_of("\U0001f600"), 2);
  EXPECT_EQ(columns_of("\xff\xc3"), 2) << "bytes that are not UTF-8";
  EXPECT_EQ(columns_of("\xe6\xbc"), 2) << "a character cut short";
}

TEST(Text, ClippedTextEndsInDotsAndNeverWithinACharacter) {
  EXPECT_EQ(clipped("epoch", 5), "epoch");
  EXPECT_EQ(clipped("epochs", 5), "ep...");
  EXPECT_EQ(clipped("\u6f22\u5b57\u6f22", 6), "\u6f22\u5b57\u6f22");
  EXPECT_EQ(clipped("\u6f22\u5b57\u6f22", 5), "\u6f22...");
  EXPECT_EQ(clipped("\u6f22\u5b57\u6f22", 4), "...");
  EXPECT_EQ(clipped("epochs", 2), "..");
  EXPECT_EQ(clipped("epochs", -1), "");
}

TEST(Text, OneLineHasNoControlCharacters) {
  EXPECT_EQ(one_line("a\nb\x1b[2J\x7f\t\u00e9"), "a?b?[2J??\u00e9");
}

}  // namespace
}  // namespace mien::train
