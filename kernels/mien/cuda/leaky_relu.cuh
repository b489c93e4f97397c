#pragma once
// The kernels of leaky_relu.hpp.

#include <mien/cuda/leaky_relu.hpp>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

template <int N, class T>
MIEN_KERNEL(pack_threads)
void leaky_relu_kernel(T* y, const T* x, LeakyReluParams p) {
  dev::for_each_pack<N>(p.n, [&](std::int64_t i, auto width) {
    auto v = dev::load<width>(x + i);
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) v[j] = v[j] > 0.0f ? v[j] : p.slope * v[j];
    dev::store(y + i, v);
  });
}

template <int N, class T>
MIEN_KERNEL(pack_threads)
void leaky_relu_backward_kernel(T* dx, const T* x, const T* dy, LeakyReluParams p) {
  dev::for_each_pack<N>(p.n, [&](std::int64_t i, auto width) {
    const auto v = dev::load<width>(x + i);
    auto g = dev::load<width>(dy + i);
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) g[j] = v[j] > 0.0f ? g[j] : p.slope * g[j];
    dev::store(dx + i, g);
  });
}

template <Storage T>
void leaky_relu(Cuda device, T* y, const T* x, const LeakyReluParams& p) {
  if (p.n == 0) return;
  with_width<pack_width<T>>(pack_aligned(y, x), [&](auto width) {
    cuda::launch(leaky_relu_kernel<width, T>, packs_shape(p.n, width, device.stream), y, x, p);
  });
}

template <Storage T>
void leaky_relu_backward(Cuda device, T* dx, const T* x, const T* dy, const LeakyReluParams& p) {
  if (p.n == 0) return;
  with_width<pack_width<T>>(pack_aligned(dx, x, dy), [&](auto width) {
    cuda::launch(leaky_relu_backward_kernel<width, T>, packs_shape(p.n, width, device.stream), dx,
                 x, dy, p);
  });
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
