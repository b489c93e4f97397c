#pragma once
// Vec<T>: the widest vector of float or double of each instruction set, in namespaces
// mien::kernels::{scalar, avx2, avx512}. All three have the same interface:
//
//   Vec<T>::lanes
//   Vec(), Vec(T value)                        zero; every lane = value
//   load(p), load(p, n), store(p), store(p, n)   unaligned; with n only the first n lanes are
//   touched
//                                              (others load as zero), 0 <= n <= lanes
//   Vec<float> also loads and stores bf16 and f16 arrays
//   + - * / unary-, fma(a, b, c) = a * b + c, min, max, abs, sqrt, floor, round (to nearest even)
//   a < b, a <= b, a == b -> Mask; select(mask, yes, no)
//   reduce_add, reduce_max, reduce_min         over lanes, by a fixed tree
//   reciprocal(x)                              1 / x within 1 ulp for normal x and 1 / x
//   exp2i(n)                                   2^n for integral n in [-126, 127] ([-1022, 1023])
//   ldexp(x, n)                                x * 2^n for integral n in [-252, 252], with overflow
//                                              to infinity and gradual underflow
//   frexp_parts(x, e) -> m                     x = m * 2^e with m in [0.5, 1), positive normal x
//
// min and max return the second operand where one is NaN, as SSE does.
// Every operator is always_inline: a Vec used outside its region is then a compile error.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <mien/config.hpp>
#include <mien/core/dtype.hpp>

#if MIEN_X86
#if MIEN_GCC  // GCC 12 warns of variables that its own AVX-512 intrinsics leave open
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if MIEN_GCC
#pragma GCC diagnostic pop
#endif
#endif

#include <mien/cpu/simd_scalar.inl>
#if MIEN_X86
MIEN_TARGET_BEGIN(MIEN_AVX2)
#include <mien/cpu/simd_avx2.inl>
MIEN_TARGET_END
MIEN_TARGET_BEGIN(MIEN_AVX512)
#include <mien/cpu/simd_avx512.inl>
MIEN_TARGET_END
#endif
