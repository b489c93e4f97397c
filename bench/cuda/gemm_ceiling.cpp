#include "cuda/gemm_ceiling.hpp"

#include <mien/core/error.hpp>

#if MIEN_BENCH_CUBLAS

#include <cublas_v2.h>

namespace mien::bench {
namespace {

void check_cublas(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail("cublas", str(what, ": ", cublasGetStatusString(status)));
}

cublasHandle_t handle() {
  static const cublasHandle_t made = [] {
    cublasHandle_t h = nullptr;
    check_cublas(cublasCreate(&h), "cublasCreate");
    return h;
  }();
  return made;
}

}  // namespace

bool can_multiply() { return true; }

void gemm(cuda::Stream stream, void* c, const void* a, const void* b, int n, Unit unit) {
  const auto type = unit == Unit::f16 ? CUDA_R_16F : unit == Unit::bf16 ? CUDA_R_16BF : CUDA_R_32F;
  const auto compute = unit == Unit::tf32x3 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  const float one = 1, zero = 0;
  check_cublas(cublasSetStream(handle(), stream), "cublasSetStream");
  check_cublas(cublasGemmEx(handle(), CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, a, type, n, b, type,
                            n, &zero, c, type, n, compute, CUBLAS_GEMM_DEFAULT),
               "a matrix product");
}

}  // namespace mien::bench

#else

namespace mien::bench {

bool can_multiply() { return false; }
void gemm(cuda::Stream, void*, const void*, const void*, int, Unit) {
  fail("cublas", "was not there at build time");
}

}  // namespace mien::bench

#endif
