#pragma once
// Vec<std::int32_t>: 32-bit integer lanes beside the Vec<float> of cpu/simd.hpp, for arithmetic on
// pixels. As many lanes as Vec<float> has. All three instruction sets have the same interface:
//
//   load(p), load(p, n), store(p), store(p, n)   of int32 and, widened, of uint8; with n only the
//                                                first n lanes are touched (others load as zero)
//   store_clamped(p), store_clamped(p, n)        as uint8, values below 0 as 0 and above 255 as 255
//   + *                                          modulo 2^32
//   a >> count                                   arithmetic shift

#include <cstdint>
#include <cstring>

#include <mien/cpu/simd.hpp>

#include <mien/cpu/simd_int32_scalar.inl>
#if MIEN_X86
MIEN_TARGET_BEGIN(MIEN_AVX2)
#include <mien/cpu/simd_int32_avx2.inl>
MIEN_TARGET_END
MIEN_TARGET_BEGIN(MIEN_AVX512)
#include <mien/cpu/simd_int32_avx512.inl>
MIEN_TARGET_END
#endif
