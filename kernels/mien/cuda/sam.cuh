#pragma once
// The kernels of sam.hpp.

#include <algorithm>
#include <cstdint>

#include <mien/cuda/rows.hpp>
#include <mien/cuda/sam.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

inline constexpr int sam_width = 4;  // parameters in an access of 16 bytes

inline constexpr int sam_norm_threads = 512;

// norm = |g|, or |w g| where the perturbation is adaptive. Four packs of each thread are under way
// together: 64 KB on an SM, where 32 are enough for the whole bandwidth.
template <bool Adaptive, class G>
MIEN_KERNEL(sam_norm_threads, 2)
void sam_norm_kernel(float* norm, SamWorkspace workspace, const G* g, const float* w,
                     std::int64_t n) {
  struct Packs {
    dev::Bits<G, sam_width> g;
    dev::Bits<float, sam_width> w;
  };
  float sum = 0;
  const auto add = [&](float of_g, float of_w) {
    const float value = Adaptive ? of_g * of_w : of_g;
    sum = fmaf(value, value, sum);
  };
  dev::prepare_last_block(workspace.blocks_done, workspace.partial + blockIdx.x);
  dev::stream_rows<4>(
      std::int64_t{blockIdx.x} * sam_norm_threads + threadIdx.x,
      std::int64_t{gridDim.x} * sam_norm_threads, n / sam_width,
      [&](std::int64_t pack) {
        Packs packs = {};
        packs.g = dev::load_bits<sam_width>(g + pack * sam_width);
        if constexpr (Adaptive) packs.w = dev::load_bits<sam_width>(w + pack * sam_width);
        return packs;
      },
      [&](std::int64_t, const Packs& packs) {
        const auto of_g = dev::to_floats(packs.g);
        const auto of_w = dev::to_floats(packs.w);
        MIEN_UNROLL
        for (int j = 0; j < sam_width; ++j) add(of_g[j], of_w[j]);
      });
  const std::int64_t left = n - n % sam_width + threadIdx.x;  // behind the packs
  if (blockIdx.x == 0 && left < n) add(dev::to_float(g[left]), Adaptive ? w[left] : 0.0f);
  if (dev::grid_sum(sum, workspace.partial, workspace.blocks_done) && threadIdx.x == 0)
    *norm = sqrtf(sum);
}

// shadow = w + the perturbation; `moved` (null: not counted) grows by the number of parameters in
// which that differs from w after rounding to S.
template <class S>
MIEN_KERNEL(pack_threads)
void sam_perturb_kernel(S* shadow, unsigned* moved, const float* w, const float* g,
                        const float* norm, SamParams p) {
  const float scale = p.rho / (*norm + 1e-12f);
  int count = 0;
  dev::for_each_pack<sam_width>(p.n, [&](std::int64_t i, auto width) {
    const auto of_w = dev::load<width>(w + i);
    const auto of_g = dev::load<width>(g + i);
    dev::Floats<width> out;
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) {
      const float direction = p.adaptive ? of_w[j] * of_w[j] * of_g[j] : of_g[j];
      out[j] = fmaf(scale, direction, of_w[j]);
      S before, after;
      dev::from_float(before, of_w[j]);
      dev::from_float(after, out[j]);
      count += dev::to_float(before) != dev::to_float(after) ? 1 : 0;
    }
    dev::store(shadow + i, out);
  });
  if (moved == nullptr) return;
  // One atomic operation a block: those on one address take 1 ns each.
  constexpr int warps = pack_threads / dev::warp_size;
  MIEN_SHARED(int, counts, [warps]);
  count = __reduce_add_sync(dev::full_mask, count);
  if (threadIdx.x % dev::warp_size == 0) counts[threadIdx.x / dev::warp_size] = count;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < warps; ++i) count += counts[i];
  atomicAdd(moved, static_cast<unsigned>(count));
}

namespace sam {

// The gradient with an L2 penalty on parameter i.
MIEN_DEV inline float decayed(float g, float w, std::int64_t i, const UpdateParams& p) {
  return i < p.decay_end ? fmaf(p.weight_decay, w, g) : g;
}

}  // namespace sam

// w, momentum (n; null where there is none) and shadow (n, or null).
template <class S>
MIEN_KERNEL(pack_threads)
void sgd_kernel(float* w, float* momentum, S* shadow, const float* g, UpdateParams p, SgdParams s) {
  dev::for_each_pack<sam_width>(p.n, [&](std::int64_t i, auto width) {
    auto of_w = dev::load<width>(w + i);
    auto d = dev::load<width>(g + i);
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) d[j] = sam::decayed(d[j], of_w[j], i + j, p);
    if (momentum != nullptr) {
      auto buffer = d;
      if (!s.first_step) buffer = dev::load<width>(momentum + i);
      MIEN_UNROLL
      for (int j = 0; j < width; ++j) {
        if (!s.first_step) buffer[j] = fmaf(s.momentum, buffer[j], d[j]);
        d[j] = s.nesterov ? fmaf(s.momentum, buffer[j], d[j]) : buffer[j];
      }
      dev::store(momentum + i, buffer);
    }
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) of_w[j] = fmaf(-p.lr, d[j], of_w[j]);
    dev::store(w + i, of_w);
    if (shadow != nullptr) dev::store(shadow + i, of_w);
  });
}

// w, first and second moments m and v (n), and shadow (n, or null).
template <class S>
MIEN_KERNEL(pack_threads)
void adam_kernel(float* w, float* m, float* v, S* shadow, const float* g, UpdateParams p,
                 AdamParams a) {
  const float step = p.lr / a.correction1, root = 1.0f / sqrtf(a.correction2);
  const float kept = a.decoupled ? 1.0f - p.lr * p.weight_decay : 1.0f;
  dev::for_each_pack<sam_width>(p.n, [&](std::int64_t i, auto width) {
    auto of_w = dev::load<width>(w + i), of_m = dev::load<width>(m + i),
         of_v = dev::load<width>(v + i);
    const auto of_g = dev::load<width>(g + i);
    MIEN_UNROLL
    for (int j = 0; j < width; ++j) {
      const float d = a.decoupled ? of_g[j] : sam::decayed(of_g[j], of_w[j], i + j, p);
      of_m[j] = fmaf(a.beta1, of_m[j], (1.0f - a.beta1) * d);
      of_v[j] = fmaf(a.beta2, of_v[j], (1.0f - a.beta2) * d * d);
      const float weight = i + j < p.decay_end ? kept * of_w[j] : of_w[j];
      of_w[j] = fmaf(-step, dev::divide(of_m[j], fmaf(sqrtf(of_v[j]), root, a.epsilon)), weight);
    }
    dev::store(w + i, of_w);
    dev::store(m + i, of_m);
    dev::store(v + i, of_v);
    if (shadow != nullptr) dev::store(shadow + i, of_w);
  });
}

namespace sam {

template <class... T>
void check_aligned(const char* op, const T*... arenas) {
  check(pack_aligned(arenas...), op, "expected arenas aligned to 16 bytes");
}

}  // namespace sam

template <Storage G>
void sam_norm(Cuda device, float* norm, const SamWorkspace& workspace, const G* g, const float* w,
              std::int64_t n) {
  sam::check_aligned("sam_norm", g, w);
  const auto blocks = ceil_div(n, std::int64_t{sam_width} * sam_norm_threads);
  const auto kernel = w != nullptr ? sam_norm_kernel<true, G> : sam_norm_kernel<false, G>;
  cuda::launch(kernel,
               {.grid = std::clamp(blocks, 1u, sam_most_blocks),
                .block = sam_norm_threads,
                .stream = device.stream},
               norm, workspace, g, w, n);
}

template <Storage S>
void sam_perturb(Cuda device, S* shadow, unsigned* moved, const float* w, const float* g,
                 const float* norm, const SamParams& p) {
  if (p.n == 0) return;
  sam::check_aligned("sam_perturb", shadow, w, g);
  cuda::launch(sam_perturb_kernel<S>, packs_shape(p.n, sam_width, device.stream), shadow, moved, w,
               g, norm, p);
}

template <Storage S>
void sgd(Cuda device, float* w, float* momentum, S* shadow, const float* g, const UpdateParams& p,
         const SgdParams& s) {
  if (p.n == 0) return;
  sam::check_aligned("sgd", w, momentum, shadow, g);
  cuda::launch(sgd_kernel<S>, packs_shape(p.n, sam_width, device.stream), w, momentum, shadow, g, p,
               s);
}

template <Storage S>
void adam(Cuda device, float* w, float* m, float* v, S* shadow, const float* g,
          const UpdateParams& p, const AdamParams& a) {
  if (p.n == 0) return;
  sam::check_aligned("adam", w, m, v, shadow, g);
  cuda::launch(adam_kernel<S>, packs_shape(p.n, sam_width, device.stream), w, m, v, shadow, g, p,
               a);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
