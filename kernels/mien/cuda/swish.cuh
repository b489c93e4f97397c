#pragma once
// The kernels of swish.hpp.

#include <mien/cuda/packed.hpp>
#include <mien/cuda/swish.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

template <int N, class T>
MIEN_KERNEL(pack_threads)
void swish_kernel(T* y, const T* x, SwishParams p) {
  dev::for_each_pack<N>(p.n, [&](std::int64_t i, auto width) {
    auto v = dev::load<width>(x + i);
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) v[j] *= dev::sigmoid(v[j]);
    dev::store(y + i, v);
  });
}

template <int N, class T>
MIEN_KERNEL(pack_threads)
void swish_backward_kernel(T* dx, const T* x, const T* dy, SwishParams p) {
  dev::for_each_pack<N>(p.n, [&](std::int64_t i, auto width) {
    const auto v = dev::load<width>(x + i);
    auto g = dev::load<width>(dy + i);
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) {
      const float s = dev::sigmoid(v[j]);
      g[j] *= s * fmaf(v[j], 1.0f - s, 1.0f);
    }
    dev::store(dx + i, g);
  });
}

template <Storage T>
void swish(Cuda device, T* y, const T* x, const SwishParams& p) {
  if (p.n == 0) return;
  with_width<pack_width<T>>(pack_aligned(y, x), [&](auto width) {
    cuda::launch(swish_kernel<width, T>, packs_shape(p.n, width, device.stream), y, x, p);
  });
}

template <Storage T>
void swish_backward(Cuda device, T* dx, const T* x, const T* dy, const SwishParams& p) {
  if (p.n == 0) return;
  with_width<pack_width<T>>(pack_aligned(dx, x, dy), [&](auto width) {
    cuda::launch(swish_backward_kernel<width, T>, packs_shape(p.n, width, device.stream), dx, x, dy,
                 p);
  });
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
