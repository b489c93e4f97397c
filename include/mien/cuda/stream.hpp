#pragma once
// Where kernels run and what they store, for any C++ compiler: declarations of launchers need no
// more of CUDA.

#include <concepts>
#include <cstdint>

#include <mien/core/float16.hpp>
#include <mien/cuda/macros.hpp>

struct CUstream_st;  // what the toolkit's cudaStream_t points to

namespace mien {

namespace cuda {
using Stream = CUstream_st*;
}

// The backend's tag: kernels run on this stream, of the current device.
struct Cuda {
  cuda::Stream stream = nullptr;
};

namespace kernels {

// Element types of kernels: what is read and written. Arithmetic is in float for all three.
template <class T>
concept Storage = std::same_as<T, float> || std::same_as<T, f16> || std::same_as<T, bf16>;

MIEN_HD inline unsigned ceil_div(std::int64_t a, std::int64_t b) {
  return static_cast<unsigned>((a + b - 1) / b);
}

}  // namespace kernels
}  // namespace mien
