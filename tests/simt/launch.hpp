#pragma once
// Launching a kernel on the executor, within the limits of a GPU.

#include <cstddef>
#include <type_traits>

#include <simt/indices.hpp>

namespace mien::simt {

// One launch, as its blocks see it.
struct Launch {
  dim3 grid, block;
  std::size_t dynamic_shared_bytes = 0;
  bool large_shared = false;            // more than 48 KB of shared memory was asked for
  void (*call)(const void*) = nullptr;  // calls the kernel with the arguments behind `arguments`
  const void* arguments = nullptr;
  char started = 0, ended = 0;  // tokens: what the host did before, what the threads did
};

// What cudaFuncSetAttribute(cudaFuncAttributeMaxDynamicSharedMemorySize) does: later launches of
// the kernel may have that much dynamic shared memory. Without it the limit is 48 KB.
void allow_dynamic_shared(const void* kernel, std::size_t bytes);

// Throws what cudaLaunchKernel would refuse: sizes beyond the limits, too much shared memory.
void run(const void* kernel, Launch& launch);

template <class... P>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t dynamic_shared_bytes,
            std::type_identity_t<P>... arguments) {
  const auto call = [&] { kernel(arguments...); };
  Launch launch;
  launch.grid = grid;
  launch.block = block;
  launch.dynamic_shared_bytes = dynamic_shared_bytes;
  launch.call = [](const void* p) { (*static_cast<decltype(&call)>(p))(); };
  launch.arguments = &call;
  run(reinterpret_cast<const void*>(kernel), launch);
}

}  // namespace mien::simt
