#pragma once
// What a kernel has to do, and what that takes at least: bytes through device memory and operations
// on the unit that does them. The larger of the two times is the limit of every implementation.

#include <algorithm>
#include <string>
#include <type_traits>

#include <mien/cuda/stream.hpp>

namespace mien::bench {

// Who does the arithmetic: the fp32 units, or tensor cores fed with f16, bf16, or with floats in
// two parts of tf32 each, as three products.
enum class Unit { fp32, tf32x3, f16, bf16 };

inline const char* to_string(Unit unit) {
  constexpr const char* names[] = {"fp32", "tf32x3", "f16", "bf16"};
  return names[static_cast<int>(unit)];
}

// Each input is read once and each output written once; a multiply-add is two operations.
struct Cost {
  double bytes = 0, flops = 0;
  Unit unit = Unit::fp32;
};

// Per second; 0: not known.
struct Ceilings {
  double copy = 0;  // bytes read + bytes written
  double flops[4] = {};

  double of(Unit unit) const { return flops[static_cast<int>(unit)]; }
  double& of(Unit unit) { return flops[static_cast<int>(unit)]; }
};

// Predictions where there is no GPU: an H200's copy and 16-bit matrix product as measured on random
// data, fp32 by its data sheet, tf32 as half of the 16-bit rate.
inline constexpr Ceilings h200_ceilings{4.3e12, {67e12, 395e12 / 3, 790e12, 790e12}};

struct Limit {
  double seconds;
  std::string roof;  // "copy" or the unit
};

inline Limit limit(const Cost& cost, const Ceilings& most) {
  const double moving = cost.bytes / most.copy;
  const double rate = most.of(cost.unit), computing = rate > 0 ? cost.flops / rate : 0;
  return {std::max(moving, computing), computing > moving ? to_string(cost.unit) : "copy"};
}

template <kernels::Storage T>
inline constexpr const char* dtype_name = std::is_same_v<T, float> ? "f32"
                                          : std::is_same_v<T, f16> ? "f16"
                                                                   : "bf16";

// The tensor cores' unit for storage T.
template <kernels::Storage T>
inline constexpr Unit matrix_unit = std::is_same_v<T, float> ? Unit::tf32x3
                                    : std::is_same_v<T, f16> ? Unit::f16
                                                             : Unit::bf16;

}  // namespace mien::bench
