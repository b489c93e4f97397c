#pragma once
// The kernel of scale_add.hpp.

#include <mien/cuda/packed.hpp>
#include <mien/cuda/scale_add.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

template <int N, class T>
MIEN_KERNEL(pack_threads)
void scale_add_kernel(T* y, const T* x, const T* residual, ScaleAddParams p) {
  dev::for_each_pack<N>(p.n, [&](std::int64_t i, auto width) {
    auto v = dev::load<width>(x + i);
    dev::Floats<width> r = {};
    if (residual != nullptr) r = dev::load<width>(residual + i);
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) v[j] = fmaf(p.scale, v[j], r[j]);
    dev::store(y + i, v);
  });
}

template <Storage T>
void scale_add(Cuda device, T* y, const T* x, const T* residual, const ScaleAddParams& p) {
  if (p.n == 0) return;
  with_width<pack_width<T>>(pack_aligned(y, x, residual), [&](auto width) {
    cuda::launch(scale_add_kernel<width, T>, packs_shape(p.n, width, device.stream), y, x, residual,
                 p);
  });
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
