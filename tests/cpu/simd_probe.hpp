#pragma once
// Ways into Vec for the tests: cpu/simd_probe.inl, compiled in each instruction set.

#include <cstdint>

#include <mien/cpu/isa.hpp>
#include <mien/cpu/simd.hpp>

namespace mien::kernels {

enum class VecOp {
  add,
  subtract,
  multiply,
  divide,
  negate,
  less,
  less_equal,
  equal,
  select,
  fma,
  min,
  max,
  abs,
  sqrt,
  floor,
  round,
  reciprocal,
  exp2i,
  ldexp,
  mantissa,
  exponent
};

inline constexpr int most_lanes = 16;

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <cpu/simd_probe.inl>
#include <mien/cpu/foreach_isa.inl>
