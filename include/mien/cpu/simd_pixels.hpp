#pragma once
// 8-bit samples as floats, as many at once as Vec<float> has lanes, in namespaces
// mien::kernels::{scalar, avx2, avx512}. All three have the same interface:
//
//   load_samples(p), load_samples(p, n)        -> Vec<float>
//   store_samples(p, v), store_samples(p, v, n)
//   load_pixels(p), load_pixels(p, n)          -> Rgb: of pixels red green blue, each in a vector
//   store_pixels(p, rgb), store_pixels(p, rgb, n)
//
// With n only the first n samples or pixels are touched. Values must lie in [0, 256); what is
// stored is rounded towards zero.

#include <cstdint>
#include <cstring>

#include <mien/cpu/simd.hpp>
#include <mien/cpu/simd_int32.hpp>

#include <mien/cpu/simd_pixels_scalar.inl>
#if MIEN_X86
MIEN_TARGET_BEGIN(MIEN_AVX2)
#include <mien/cpu/simd_pixels_avx2.inl>
MIEN_TARGET_END
MIEN_TARGET_BEGIN(MIEN_AVX512)
#include <mien/cpu/simd_pixels_avx512.inl>
MIEN_TARGET_END
#endif
