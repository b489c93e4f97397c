#pragma once
// The keywords of CUDA kernels, for nvcc and for the SIMT executor of the tests, and what is left
// of them for a C++ compiler that reads declarations alone, to link mien::cuda. The one file that
// asks which of the three compiles.
//
//   MIEN_KERNEL(256) void k(...)             a kernel for blocks of up to 256 threads;
//   MIEN_KERNEL(256, 2)                      two of which shall fit an SM
//   MIEN_HD, MIEN_DEV                        functions for host and device, for the device
//   MIEN_UNROLL                              before a loop to be unrolled whole
//   MIEN_SHARED(float, tile, [32][33]);      a static shared array, of any trivially copyable type
//   MIEN_DYN_SHARED(float, rows);            float* rows: the launch's dynamic shared memory
//
// Shared memory goes through macros and not through a keyword, because the executor gives each
// array a piece of the heap, where sanitizers see its ends. It holds no value at first.

#if defined(__CUDACC__)
#define MIEN_NVCC 1
#else
#define MIEN_NVCC 0
#endif

// Kernels and launchers live in an inline namespace of the compiler's, so that programs that link
// objects of both never mix their templates.
#if MIEN_NVCC

#define MIEN_CUDA_BUILD nvcc
#define MIEN_KERNEL(...) __global__ __launch_bounds__(__VA_ARGS__)
#define MIEN_HD __host__ __device__
#define MIEN_DEV __device__
#define MIEN_UNROLL _Pragma("unroll")
// Bytes under a cast: nvcc refuses shared variables of types with initialisers, such as f16.
#define MIEN_SHARED(type, name, extents)                                     \
  __shared__ __align__(16) unsigned char name##_bytes[sizeof(type extents)]; \
  auto& name = *reinterpret_cast<::mien::cuda::ArrayPointer<type extents>>(name##_bytes)
#define MIEN_DYN_SHARED(type, name)                                    \
  extern __shared__ __align__(16) unsigned char mien_dynamic_shared[]; \
  type* const name = reinterpret_cast<type*>(mien_dynamic_shared)

#elif defined(MIEN_SIMT)

#include MIEN_SIMT
#define MIEN_CUDA_BUILD simt_executor
#define MIEN_KERNEL(...)
#define MIEN_HD
#define MIEN_DEV
#define MIEN_UNROLL
#define MIEN_SHARED(type, name, extents) \
  static char name##_key;                \
  auto& name = ::mien::simt::shared<type extents>(&name##_key)
#define MIEN_DYN_SHARED(type, name) \
  type* const name = static_cast<type*>(::mien::simt::dynamic_shared())

#else  // mien::cuda was compiled by nvcc

#define MIEN_CUDA_BUILD nvcc
#define MIEN_HD

#endif

namespace mien::cuda {
template <class Array>
using ArrayPointer = Array*;
}
