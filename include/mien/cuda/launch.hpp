#pragma once
// Launching kernels: one call for the GPU and for the SIMT executor of the tests.
//   launch(scale_kernel<float>, {.grid = blocks, .block = 256, .stream = stream}, y, x, n);

#include <cstddef>
#include <type_traits>

#include <mien/core/error.hpp>
#include <mien/cuda/stream.hpp>

#if MIEN_NVCC
#include <mien/cuda/runtime.hpp>
#elif !defined(MIEN_SIMT)
#error "kernels of mien: compile with nvcc, or include their .hpp alone and link mien::cuda"
#endif

namespace mien::cuda {

inline namespace MIEN_CUDA_BUILD {

#if MIEN_NVCC
using ::dim3;
#else
using simt::dim3;
#endif

struct LaunchShape {
  dim3 grid = 1, block = 1;
  std::size_t dynamic_shared_bytes = 0;
  Stream stream = nullptr;
};

// What a block has without asking for more.
inline constexpr std::size_t default_dynamic_shared_bytes = 48 * 1024;

#if MIEN_NVCC

// Starts kernel(arguments...) on the stream; arguments are converted as in a call. Dynamic shared
// memory beyond 48 KB is asked for. Throws where the launch is refused; what goes wrong while the
// kernel runs shows at a later call.
template <class... P>
void launch(void (*kernel)(P...), const LaunchShape& shape, std::type_identity_t<P>... arguments) {
  const auto* function = reinterpret_cast<const void*>(kernel);
  if (shape.dynamic_shared_bytes > default_dynamic_shared_bytes)
    check_cuda(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shape.dynamic_shared_bytes)),
               "shared memory beyond 48 KB");
  void* pointers[sizeof...(P) + 1] = {&arguments...};
  const cudaError_t status = cudaLaunchKernel(function, shape.grid, shape.block, pointers,
                                              shape.dynamic_shared_bytes, shape.stream);
  if (status != cudaSuccess) [[unlikely]] {
    cudaGetLastError();  // so that the next call does not report it once more
    const auto size = [](dim3 d) { return str(d.x, 'x', d.y, 'x', d.z); };
    fail("launch", str("a grid of ", size(shape.grid), " blocks of ", size(shape.block),
                       " threads with ", shape.dynamic_shared_bytes,
                       " bytes of dynamic shared memory: ", cudaGetErrorString(status)));
  }
}

#else

template <class... P>
void launch(void (*kernel)(P...), const LaunchShape& shape, std::type_identity_t<P>... arguments) {
  if (shape.dynamic_shared_bytes > default_dynamic_shared_bytes)
    simt::allow_dynamic_shared(reinterpret_cast<const void*>(kernel), shape.dynamic_shared_bytes);
  simt::launch(kernel, shape.grid, shape.block, shape.dynamic_shared_bytes, arguments...);
}

#endif

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::cuda
