#pragma once
// Asynchronous copies from global to shared memory (cp.async, PTX ISA 7.0, sm_80): a thread issues
// copies, commits them as a group, and waits for its groups in order. They pass by the registers,
// and what they bring is there for the thread once it has waited, for others after a barrier more.
//
//   dev::copy_async<16>(&tile[i], x + i, i < n);   zeros where the last argument is false
//   dev::commit_copies();
//   dev::wait_copies<1>();                          all groups of this thread but the newest
//
// The executor copies only when the thread waits: what was never waited for is NaN.

#include <cstddef>
#include <type_traits>

#include <mien/cuda/intrinsics.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {
namespace dev {

// Whether copies of 16 bytes stay in the first-level cache, for other blocks of the SM, or pass by
// it; smaller ones always stay.
struct InL1 {};
struct InL2 {};

// Bytes: 4, 8 or 16, to which both addresses are aligned. Nothing is read where `there` is false,
// but the address is to be one of the device's memory all the same.
template <int Bytes, class Cached = InL2>
MIEN_DEV void copy_async(void* shared, const void* global, bool there = true) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
#if MIEN_NVCC
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const int bytes = there ? Bytes : 0;
  if constexpr (Bytes == 16 && std::is_same_v<Cached, InL2>)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(bytes)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(global), "n"(Bytes),
                 "r"(bytes)
                 : "memory");
#else
  simt::copy_async(shared, there ? global : nullptr, Bytes);
#endif
}

MIEN_DEV inline void commit_copies() {
#if MIEN_NVCC
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  simt::commit_copies();
#endif
}

// Until at most Pending of this thread's groups, the newest, are still under way.
template <int Pending>
MIEN_DEV void wait_copies() {
#if MIEN_NVCC
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#else
  simt::wait_copies(Pending);
#endif
}

}  // namespace dev
}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
