#include <gtest/gtest.h>

#include <string>

#include <mien/core/device.hpp>
#include <mien/core/dtype.hpp>
#include <mien/core/shape.hpp>

#include "support/thrown.hpp"

namespace {

using mien::str;
using mien::test::thrown;

TEST(Error, NamesThePlaceAndThePartsOfTheMessage) {
  EXPECT_EQ(thrown([] { mien::fail("conv2d", "no weight"); }), "[conv2d] no weight");
  const mien::Shape shape{2, 3};
  EXPECT_EQ(thrown([&] {
              mien::check(false, "conv2d", "expected ", 32, " channels, got ", shape, ' ',
                          mien::DType::bf16, " on ", mien::Device{mien::DeviceType::cuda, 1});
            }),
            "[conv2d] expected 32 channels, got (2, 3) bf16 on cuda:1");
  EXPECT_NO_THROW(mien::check(true, "conv2d", "unused"));
}

TEST(Error, IsARuntimeError) {
  EXPECT_THROW(mien::fail("a", "b"), std::runtime_error);
  EXPECT_THROW(mien::fail("a", "b"), mien::Error);
}

TEST(Str, WritesEachKindOfPart) {
  EXPECT_EQ(str(), "");
  EXPECT_EQ(str("text", std::string(" and "), std::string_view("view"), ','), "text and view,");
  EXPECT_EQ(str(-5, ' ', 7u, ' ', std::int64_t{1} << 40, ' ', std::uint8_t{9}),
            "-5 7 1099511627776 9");
}

TEST(Str, ShowsSmallNumbersAndNoNoiseDigits) {
  EXPECT_EQ(str(1e-7), "1e-07");
  EXPECT_EQ(str(0.1, ' ', 0.1f), "0.1 0.1");
  EXPECT_EQ(str(1.25e10, ' ', -2.0f), "12500000000 -2");
}

}  // namespace
