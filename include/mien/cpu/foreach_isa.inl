// Includes the file named by MIEN_KERNEL_FILE once per instruction set, inside a target region,
// with MIEN_ISA defined to the name of the namespace (scalar, avx2, avx512) that it must fill:
//
//   #define MIEN_KERNEL_FILE <mien/cpu/gemm.inl>
//   #include <mien/cpu/foreach_isa.inl>
//
// The kernel file includes nothing: every std and core header it needs is included before, by the
// file that includes this one. What a template does outside a region is baseline code, what is
// defined inside is compiled for the region's set (docs/architecture.md, "Run-time dispatch").

#include <mien/cpu/simd.hpp>

#define MIEN_ISA scalar
#include MIEN_KERNEL_FILE
#undef MIEN_ISA

#if MIEN_X86
#define MIEN_ISA avx2
MIEN_TARGET_BEGIN(MIEN_AVX2)
#include MIEN_KERNEL_FILE
MIEN_TARGET_END
#undef MIEN_ISA

#define MIEN_ISA avx512
MIEN_TARGET_BEGIN(MIEN_AVX512)
#include MIEN_KERNEL_FILE
MIEN_TARGET_END
#undef MIEN_ISA
#endif

#undef MIEN_KERNEL_FILE
