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

// Element types of kernels: what is read and written. Arithmetic is in float for all three. Arrays
// may begin at any multiple of an element's size unless a header says more: accesses are narrower
// where 16 bytes at a time do not fit. Launchers throw where a GPU would refuse the grid.
template <class T>
concept Storage = std::same_as<T, float> || std::same_as<T, f16> || std::same_as<T, bf16>;

MIEN_HD inline unsigned ceil_div(std::int64_t a, std::int64_t b) {
  return static_cast<unsigned>((a + b - 1) / b);
}

// SMs of the GPUs that grids are sized for, H100 and H200; others run the same grids.
inline constexpr int large_gpu_sms = 132;

// Blocks for each of `parts` equal parts of a kernel's work: together up to `per_sm` for each SM of
// a large GPU, but one at least for every part.
inline std::int64_t blocks_of_part(std::int64_t parts, int per_sm) {
  const std::int64_t most = std::int64_t{per_sm} * large_gpu_sms;
  return parts > 0 && parts < most ? most / parts : 1;
}

}  // namespace kernels
}  // namespace mien
