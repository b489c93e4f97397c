#pragma once
// The one file that asks about compilers and platforms. Every macro that mien's code uses is
// defined here; there are few on purpose.

#define MIEN_VERSION_MAJOR 0
#define MIEN_VERSION_MINOR 1
#define MIEN_VERSION_PATCH 0

// 1 under GCC itself, 0 under Clang, which also defines __GNUC__.
#if defined(__GNUC__) && !defined(__clang__)
#define MIEN_GCC 1
#else
#define MIEN_GCC 0
#endif

// 1 where the AVX2 and AVX-512 bodies of the CPU kernels are compiled beside the scalar ones.
#if defined(__x86_64__) && (MIEN_GCC || defined(__clang__))
#define MIEN_X86 1
#else
#define MIEN_X86 0
#endif

#define MIEN_INLINE inline __attribute__((always_inline))
#define MIEN_NOINLINE __attribute__((noinline))

// The library mien::compiled holds the functions that headers name by this, instantiated for float:
// programs that link it (MIEN_COMPILED) compile faster, and run the same code. The library itself
// is built with MIEN_COMPILED_DEFINITIONS.
#if defined(MIEN_COMPILED_DEFINITIONS)
#define MIEN_INSTANCE(...) template __VA_ARGS__;
#elif defined(MIEN_COMPILED)
#define MIEN_INSTANCE(...) extern template __VA_ARGS__;
#else
#define MIEN_INSTANCE(...)
#endif

// 1 under AddressSanitizer: memory is then returned to the system at once, so that a read of freed
// memory is seen.
#if defined(__SANITIZE_ADDRESS__)
#define MIEN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MIEN_ASAN 1
#endif
#endif
#ifndef MIEN_ASAN
#define MIEN_ASAN 0
#endif

// Target regions: functions defined between BEGIN and END are compiled for that instruction set, in
// a translation unit whose baseline stays the plain one. Only cpu/foreach_isa.inl and the SIMD
// wrappers open them.
#define MIEN_PRAGMA(...) _Pragma(#__VA_ARGS__)
#if MIEN_X86 && !MIEN_GCC
#define MIEN_TARGET_BEGIN(set) \
  MIEN_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define MIEN_TARGET_END MIEN_PRAGMA(clang attribute pop)
#elif MIEN_X86
#define MIEN_TARGET_BEGIN(set) MIEN_PRAGMA(GCC push_options) MIEN_PRAGMA(GCC target(set))
#define MIEN_TARGET_END MIEN_PRAGMA(GCC pop_options)
#endif
#define MIEN_AVX2 "avx2,fma,f16c,bmi,bmi2"
#define MIEN_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2"
