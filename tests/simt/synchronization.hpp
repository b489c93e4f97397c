#pragma once
// CUDA's barriers and fences. A barrier is legal only if all threads wait at the same call.

#include <simt/thread.hpp>

namespace mien::simt {

inline void __syncthreads(Where where = Where::current()) { barrier({"__syncthreads", where}); }

inline void __syncwarp(unsigned mask = full_mask, Where where = Where::current()) {
  exchange({"__syncwarp", where}, mask, 0, true);
}

// Atomics are both acquire and release here: there is nothing left to order.
inline void __threadfence() {}
inline void __threadfence_block() {}

}  // namespace mien::simt
