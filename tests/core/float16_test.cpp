#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <mien/core/float16.hpp>

namespace {

using mien::bf16;
using mien::f16;

// What the bits mean, from the definition of a binary floating-point format.
template <class T>
double meaning(std::uint16_t bits) {
  constexpr int mantissa_bits = std::is_same_v<T, f16> ? 10 : 7;
  constexpr int exponent_bits = 15 - mantissa_bits;
  constexpr int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const int mantissa = bits & ((1 << mantissa_bits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits);
}

template <class T>
constexpr std::uint16_t infinity_bits = std::is_same_v<T, f16> ? 0x7c00 : 0x7f80;

template <class T>
class Float16 : public testing::Test {};
using Types = testing::Types<bf16, f16>;
TYPED_TEST_SUITE(Float16, Types);

TYPED_TEST(Float16, EveryValueReadsAsItsBitsSayAndComesBack) {
  for (std::uint32_t i = 0; i <= 0xffff; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const double expected = meaning<TypeParam>(bits);
    const float got = TypeParam::from_bits(bits);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(got)) << i;
      ASSERT_TRUE(std::isnan(static_cast<float>(TypeParam(got)))) << i;
    } else {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(double{got}), std::bit_cast<std::uint64_t>(expected))
          << i;
      ASSERT_EQ(TypeParam(got).bits, bits) << i;
    }
  }
}

// Every border between two neighbours: the middle goes to the even one, what is beside it to the
// nearer one. Beyond the largest finite value the neighbour is infinity, at the value that the next
// number would have.
TYPED_TEST(Float16, EveryBorderRoundsToNearestEven) {
  const float up = std::numeric_limits<float>::infinity();
  for (std::uint16_t low = 0; low < infinity_bits<TypeParam>; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const double below = meaning<TypeParam>(low);
    const double above =
        high == infinity_bits<TypeParam>
            ? below + (below - meaning<TypeParam>(static_cast<std::uint16_t>(low - 1)))
            : meaning<TypeParam>(high);
    const auto middle = static_cast<float>((below + above) / 2);
    ASSERT_EQ(double{middle}, (below + above) / 2);
    const std::uint16_t even = low % 2 == 0 ? low : high;
    ASSERT_EQ(TypeParam(middle).bits, even) << low;
    ASSERT_EQ(TypeParam(std::nextafter(middle, up)).bits, high) << low;
    ASSERT_EQ(TypeParam(std::nextafter(middle, 0.0f)).bits, low) << low;
    ASSERT_EQ(TypeParam(-middle).bits, even | 0x8000) << low;
  }
}

TYPED_TEST(Float16, SpecialValues) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(TypeParam(inf).bits, infinity_bits<TypeParam>);
  EXPECT_EQ(TypeParam(-inf).bits, infinity_bits<TypeParam> | 0x8000);
  EXPECT_EQ(TypeParam(std::numeric_limits<float>::max()).bits, infinity_bits<TypeParam>);
  EXPECT_EQ(TypeParam(0.0f).bits, 0);
  EXPECT_EQ(TypeParam(-0.0f).bits, 0x8000);
  EXPECT_EQ(TypeParam(-std::numeric_limits<float>::denorm_min()).bits, 0x8000);
  EXPECT_EQ(TypeParam().bits, 0);
}

// NaNs whose payload lies in the dropped bits must not turn into infinity.
TYPED_TEST(Float16, NanStaysNan) {
  for (std::uint32_t payload = 1; payload < 1u << 23; payload <<= 1) {
    for (const std::uint32_t sign : {0u, 0x80000000u}) {
      const TypeParam value(std::bit_cast<float>(sign | 0x7f800000u | payload));
      EXPECT_TRUE(std::isnan(static_cast<float>(value))) << payload;
      EXPECT_EQ(value.bits >> 15, sign >> 31);
    }
  }
}

TEST(Bf16, IsUsableInConstantExpressions) {
  static_assert(static_cast<float>(bf16(1.5f)) == 1.5f);
  static_assert(static_cast<float>(f16(1.5f)) == 1.5f);
  static_assert(f16(65504.0f).bits == 0x7bff && f16(0x1p-24f).bits == 1);
  static_assert(sizeof(bf16) == 2 && sizeof(f16) == 2);
  SUCCEED();
}

}  // namespace
