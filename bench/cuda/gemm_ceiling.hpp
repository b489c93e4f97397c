#pragma once
// cuBLAS's matrix product, the ceiling of arithmetic.

#include "cuda/cost.hpp"

namespace mien::bench {

bool can_multiply();  // whether cuBLAS was there at build time

// c = a b, all (n, n), by the given unit, sums in float; tf32x3: one product of tf32.
void gemm(cuda::Stream stream, void* c, const void* a, const void* b, int n, Unit unit);

}  // namespace mien::bench
