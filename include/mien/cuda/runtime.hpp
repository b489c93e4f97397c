#pragma once
// The CUDA runtime under RAII, for any C++ compiler that finds the toolkit's headers.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/cuda/stream.hpp>

namespace mien::cuda {

// Throws unless a call of the CUDA runtime succeeded.
inline void check_cuda(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // so that the next call does not report it once more
  fail("cuda", str(what, ": ", cudaGetErrorString(status)));
}

// Why no kernel can run here; empty where one can.
inline std::string why_no_gpu() {
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status != cudaSuccess) return str("no GPU: ", cudaGetErrorString(status));
  return devices > 0 ? "" : "no GPU";
}

// Copies between the memories of host and device, in either direction, once the kernels that were
// launched before on the default stream have ended.
inline void copy(void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyDefault), "cudaMemcpy");
}

// Bytes of the device's memory; nothing is written to them.
class Memory {
 public:
  explicit Memory(std::size_t bytes) { check_cuda(cudaMalloc(&data_, bytes), "cudaMalloc"); }
  Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  Memory& operator=(Memory other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~Memory() { cudaFree(data_); }

  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

}  // namespace mien::cuda
