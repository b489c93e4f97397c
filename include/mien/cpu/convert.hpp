#pragma once
// Copies into the type that kernels compute with: a plain copy for float and
// double, a widening one for bf16 and f16.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <mien/cpu/isa.hpp>
#include <mien/cpu/simd.hpp>

#define MIEN_KERNEL_FILE <mien/cpu/convert.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// to[i] = from[i] for i < n.
template <class T>
void copy_as_compute(Compute<T>* to, const T* from, std::int64_t n) {
  if constexpr (std::is_same_v<T, Compute<T>>)
    std::copy_n(from, n, to);
  else
    MIEN_ISA_PICK(widen<T>)(to, from, n);
}

}  // namespace mien::kernels
