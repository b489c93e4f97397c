#pragma once
// 16-bit storage types with float arithmetic: bf16 (8 exponent bits) and f16 (IEEE binary16).
// Conversions round to nearest even and keep subnormals, infinities and NaN. A double or an integer
// is rounded to float first.

#include <bit>
#include <cstdint>
#include <type_traits>

#include <mien/config.hpp>

namespace mien {

// What converts to a 16-bit type when asked: numbers, and the other 16-bit type.
template <class T>
concept ConvertsToFloat = std::is_convertible_v<T, float>;

namespace detail {

constexpr float bf16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

constexpr std::uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

constexpr float f16_to_float(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00u) {  // infinity, NaN (made quiet, as the processor's conversion does)
    const std::uint32_t quiet = magnitude > 0x7c00u ? 0x00400000u : 0u;
    return std::bit_cast<float>(sign | 0x7f800000u | quiet | ((magnitude & 0x3ffu) << 13));
  }
  if (magnitude >= 0x0400u)  // normal: move the exponent from bias 15 to bias 127
    return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23)));
  // Zero and subnormal: the value is magnitude * 2^-24, exact in float.
  const float value = static_cast<float>(magnitude) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
}

constexpr std::uint16_t float_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u)  // NaN stays quiet NaN with the payload's upper bits
    return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // rounds to inf
  if (magnitude >= 0x38800000u) {                                                   // normal
    const std::uint32_t rebased = magnitude - (112u << 23);
    return static_cast<std::uint16_t>(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13));
  }
  // Subnormal: adding 0.5 aligns the mantissa so that the float addition itself rounds.
  const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
  return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
}

}  // namespace detail

struct bf16 {
  std::uint16_t bits = 0;
  constexpr bf16() = default;
  template <ConvertsToFloat Number>
  constexpr explicit bf16(Number value) : bits(detail::float_to_bf16(static_cast<float>(value))) {}
  constexpr operator float() const { return detail::bf16_to_float(bits); }
  static constexpr bf16 from_bits(std::uint16_t bits) {
    bf16 value;
    value.bits = bits;
    return value;
  }
};

struct f16 {
  std::uint16_t bits = 0;
  constexpr f16() = default;
  template <ConvertsToFloat Number>
  constexpr explicit f16(Number value) : bits(detail::float_to_f16(static_cast<float>(value))) {}
  constexpr operator float() const { return detail::f16_to_float(bits); }
  static constexpr f16 from_bits(std::uint16_t bits) {
    f16 value;
    value.bits = bits;
    return value;
  }
};

}  // namespace mien
