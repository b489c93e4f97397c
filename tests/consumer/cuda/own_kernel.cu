// What a program outside mien does with the headers of CUDA kernels alone, compiled by nvcc: a
// launcher of mien's and a kernel of its own.

#include <cmath>
#include <cstdio>
#include <vector>

#include <mien/cuda/swish.cuh>

namespace {

__global__ void ramp(mien::bf16* x, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) mien::kernels::dev::from_float(x[i], static_cast<float>(i % 17 - 8));
}

}  // namespace

int main() {
  if (const std::string reason = mien::cuda::why_no_gpu(); !reason.empty()) {
    std::puts(reason.c_str());
    return 0;
  }
  constexpr int n = 1000;
  mien::cuda::Memory memory(n * sizeof(mien::bf16));
  auto* const x = static_cast<mien::bf16*>(memory.data());
  mien::cuda::launch(ramp, {.grid = 4, .block = 256}, x, n);
  mien::kernels::swish(mien::Cuda{}, x, x, {.n = n});
  std::vector<mien::bf16> y(n);
  mien::cuda::copy(y.data(), x, n * sizeof(mien::bf16));

  for (int i = 0; i < n; ++i) {
    const double in = i % 17 - 8, expected = in / (1 + std::exp(-in));
    const double got = static_cast<double>(static_cast<float>(y[static_cast<std::size_t>(i)]));
    if (!(std::abs(got - expected) <= 1e-6 + std::abs(expected) / 256)) {
      std::fprintf(stderr, "own_kernel: element %d is %g, expected %g\n", i, got, expected);
      return 1;
    }
  }
  std::puts("OK");
}
