#pragma once
// The kernels of mbconv.hpp.

#include <mien/cuda/depthwise_conv.cuh>
#include <mien/cuda/mbconv_plan.cuh>
#include <mien/cuda/pointwise_conv.cuh>
#include <mien/cuda/squeeze_excite.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// d, and the sums of its pixels by tile: pool_partials (n, tiles, mid_c). Grid: (tiles of all
// images, groups of chunks); block (32, 8).
template <class Mma, int K, int S, class T>
MIEN_KERNEL(bottleneck::threads, 2)
void expand_depthwise_kernel(T* d, float* pool_partials, const T* x, MbconvWeights<T> weights,
                             MbconvParams p, MbconvTiling t) {
  using namespace bottleneck;
  constexpr int V = lane_channels<T>, C = chunk_channels<T>;
  MIEN_DYN_SHARED(unsigned char, start);
  const Memory<T> memory(start, p, t);
  const Tile tile(p, t);
  const int thread = static_cast<int>(dev::thread_of_block()), lane = thread % dev::warp_size;
  const int step = C * t.groups;

  int first = C * static_cast<int>(blockIdx.y);
  fetch_pixels(memory, tile, x, p, t);
  fetch_chunk(memory, weights, p, first);
  dev::wait_copies<0>();
  __syncthreads();
  for (; first < p.mid_c; first += step) {
    const int channel = first + lane * V;
    const Window<K, T> window(weights, p, channel);
    expand_chunk<Mma>(memory, p.in_c);
    __syncthreads();  // the chunk is expanded, and its weights are read
    if (first + step < p.mid_c) fetch_chunk(memory, weights, p, first + step);
    convolve_chunk<S>(memory, tile, window, p, t, channel,
                      [&](int row, int column, const dev::Floats<V>& values) {
                        const std::int64_t pixel =
                            (std::int64_t{tile.image} * p.out_h + tile.out_row + row) * p.out_w +
                            tile.out_column + column;
                        dev::store(d + pixel * p.mid_c + channel, values);
                      });
    dev::wait_copies<0>();
    __syncthreads();  // the chunk is convolved, and the next one's weights are there
    if (thread < C && first + thread < p.mid_c)
      pool_partials[std::int64_t{blockIdx.x} * p.mid_c + first + thread] =
          pooled_sum(memory, thread);
  }
}

template <Storage T>
std::size_t mbconv_workspace(const MbconvParams& p, const MbconvPlan& plan) {
  return bottleneck::Workspace(p, plan, sizeof(T)).size;
}

template <Storage T>
void mbconv(Cuda device, T* y, void* workspace, const T* x, const MbconvWeights<T>& weights,
            const MbconvParams& p, const MbconvPlan& plan) {
  using namespace bottleneck;
  using Mma = dev::DeviceMma;
  if (std::int64_t{p.n} * p.out_h * p.out_w == 0) return;
  check(plan.cost.seconds < infinite, "mbconv", "expected a plan that can run this block");
  check(pack_aligned(y, x, weights.expand, weights.depthwise, weights.project, workspace), "mbconv",
        "expected arrays and workspace aligned to 16 bytes");
  const MbconvTiling& t = plan.tiling;
  if (plan.way == MbconvWay::whole_block)
    return depthwise::with_kernel(p.kernel, p.stride, [&](auto k, auto s) {
      cuda::launch(mbconv_block_kernel<Mma, k, s, T>,
                   {.grid = static_cast<unsigned>(p.n),
                    .block = {dev::warp_size, warps},
                    .dynamic_shared_bytes = block_memory_bytes<T>(p, t),
                    .stream = device.stream},
                   y, x, weights, p, t);
    });

  const Workspace at(p, plan, sizeof(T));
  char* const start = static_cast<char*>(workspace);
  T* const d = reinterpret_cast<T*>(start + at.d);
  auto* const partials = reinterpret_cast<float*>(start + at.partials);
  auto* const gates = reinterpret_cast<float*>(start + at.gates);
  if (plan.way == MbconvWay::expand_fused) {
    depthwise::with_kernel(p.kernel, p.stride, [&](auto k, auto s) {
      cuda::launch(expand_depthwise_kernel<Mma, k, s, T>,
                   {.grid = {static_cast<unsigned>(p.n * t.count), static_cast<unsigned>(t.groups)},
                    .block = {dev::warp_size, warps},
                    .dynamic_shared_bytes = memory_bytes<T>(p, t),
                    .stream = device.stream},
                   d, partials, x, weights, p, t);
    });
  } else {
    const T* e = x;
    if (expands(p)) {
      T* const expanded = reinterpret_cast<T*>(start + at.e);
      pointwise_conv(device, expanded, x, weights.expand,
                     {std::int64_t{p.n} * p.h * p.w, p.h * p.w, p.in_c, p.mid_c},
                     {.shift = weights.expand_shift, .silu = true});
      e = expanded;
    }
    depthwise_conv(device, d, e, weights.depthwise, p.kernel, p.stride, Workspace::of_depthwise(p),
                   {.shift = weights.depthwise_shift, .silu = true, .pool_partials = partials});
  }
  const int pixels = p.out_h * p.out_w;
  squeeze_excite_gates(device, gates, {}, partials, Workspace::shares(p, plan),
                       weights.squeeze_excite, {p.n, pixels, p.mid_c, p.squeezed_c});
  pointwise_conv(
      device, y, d, weights.project, {std::int64_t{p.n} * pixels, pixels, p.mid_c, p.out_c},
      {.in_scale = gates, .shift = weights.project_shift, .residual = p.residual ? x : nullptr});
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
