#pragma once
// The SIMT executor: runs CUDA kernels on the host, one fiber per CUDA thread, for tests alone.
// <mien/cuda/macros.hpp> includes it where MIEN_SIMT is defined as <simt/simt.hpp>.
//
// It finds what tests on a GPU may not: a missing barrier (order of turns; 0xFF in shared memory),
// barriers and warp operations that not all threads reach (errors), accesses out of bounds and
// misaligned ones (AddressSanitizer, UndefinedBehaviorSanitizer) and races (ThreadSanitizer).
// It cannot see rounding of the GPU's special functions, its performance, bank conflicts, the
// bounds of MIEN_KERNEL, divergence between two barriers on one line, nor a missing __threadfence()
// beside atomics. A thread that spins until another one writes hangs.

#include <simt/atomics.hpp>
#include <simt/indices.hpp>
#include <simt/launch.hpp>
#include <simt/synchronization.hpp>
#include <simt/warp.hpp>

namespace mien::simt {

inline const uint3& threadIdx = indices.thread;
inline const uint3& blockIdx = indices.block;
inline const dim3& blockDim = indices.block_size;
inline const dim3& gridDim = indices.grid_size;

}  // namespace mien::simt
