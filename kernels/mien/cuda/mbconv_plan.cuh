#pragma once
// How mbconv() will run a block: tiles, predicted times, and the workspace. Host code alone.

#include <limits>

#include <mien/cuda/depthwise_conv.hpp>
#include <mien/cuda/mbconv_block.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace bottleneck {

inline constexpr double infinite = std::numeric_limits<double>::infinity();
inline constexpr std::size_t most_shared = 227 * 1024;

inline bool expands(const MbconvParams& p) { return p.mid_c != p.in_c; }

// Along one axis: tiles, pixels of x in the largest of them, and in all of them together.
struct Axis {
  int tiles, most, all;
  Axis(int out, int tile, int size, int pad, int kernel, int stride)
      : tiles((out + tile - 1) / tile), most(0), all(0) {
    for (int i = 0; i < tiles; ++i) {
      const int first = i * tile * stride - pad, last = first + (tile - 1) * stride + kernel;
      const int pixels = (last < size ? last : size) - (first > 0 ? first : 0);
      most = most > pixels ? most : pixels;
      all += pixels;
    }
  }
};

inline MbconvTiling tiling(const MbconvParams& p, int out_h, int out_w) {
  const Axis down(p.out_h, out_h, p.h, p.pad_top, p.kernel, p.stride),
      across(p.out_w, out_w, p.w, p.pad_left, p.kernel, p.stride);
  return {.out_h = out_h,
          .out_w = out_w,
          .across = across.tiles,
          .count = across.tiles * down.tiles,
          .halo_h = (out_h - 1) * p.stride + p.kernel,
          .halo_w = (out_w - 1) * p.stride + p.kernel,
          .x_rows = (down.most * across.most + 15) / 16 * 16,
          .groups = 1};
}

// Pixels of x that all tiles of an image read, their borders more than once.
inline double pixels_read(const MbconvParams& p, const MbconvTiling& t) {
  return double{1} * Axis(p.out_h, t.out_h, p.h, p.pad_top, p.kernel, p.stride).all *
         Axis(p.out_w, t.out_w, p.w, p.pad_left, p.kernel, p.stride).all;
}

// The tile with the fewest pixels to expand, of those of which two blocks share an SM.
template <Storage T>
bool choose_tiling(MbconvTiling& best, const MbconvParams& p) {
  double least = infinite;
  for (const int out_h : {7, 14})
    for (const int out_w : {strip, 2 * strip}) {
      const MbconvTiling t = tiling(p, out_h, out_w);
      const double pixels = pixels_read(p, t);
      if (2 * (memory_bytes<T>(p, t) + 1024) > most_shared || pixels >= least) continue;
      least = pixels;
      best = t;
    }
  if (least == infinite) return false;
  const int chunks = static_cast<int>(ceil_div(p.mid_c, chunk_channels<T>));
  const int wanted = static_cast<int>(ceil_div(2 * large_gpu_sms, std::int64_t{p.n} * best.count));
  best.groups = wanted < chunks ? wanted : chunks;
  return true;
}

}  // namespace bottleneck

template <Storage T>
MbconvPlan mbconv_plan(const MbconvParams& p, MbconvWay way) {
  using namespace bottleneck;
  const double n = p.n, in = p.in_c, mid = p.mid_c, out = p.out_c;
  const double pixels = n * p.h * p.w, out_pixels = n * p.out_h * p.out_w;
  const double x = pixels * in, e = expands(p) ? pixels * mid : 0, d = out_pixels * mid,
               y = out_pixels * out * (p.residual ? 2 : 1);
  const double of_expand = in * mid, of_squeeze = 2.0 * mid * p.squeezed_c, of_project = mid * out;
  const double weights =
      (expands(p) ? of_expand : 0) + p.kernel * p.kernel * mid + of_squeeze + of_project;
  const double columns = ceil_div(p.out_c, 64), e_columns = ceil_div(p.mid_c, 64);

  MbconvPlan plan{.way = way, .tiling = {}, .cost = {}};
  MbconvCost& cost = plan.cost;
  const bool aligned = p.in_c % pack_width<T> == 0 && p.mid_c % pack_width<T> == 0;
  double share = 1;  // of the SMs that work
  // Kernels that expand in shared memory are bound by instructions. Measured on an H200: what these
  // take on all SMs, and what no launch falls below.
  const double in_shared = (2e-12 + (sizeof(T) == 4 ? 4e-14 * in : 0)) * pixels * mid +
                           0.25e-12 * p.kernel * p.kernel * d;
  double instructions = 0, latency = 0;
  bool possible = true;
  switch (way) {
    case MbconvWay::per_op:
      cost = {x + 2 * e + 2 * d + y + weights,
              (e > 0 ? x * (e_columns - 1) : 0) + d * (columns - 1), e > 0 ? 4 : 3, 0};
      latency = 5e-6 * cost.launches;
      break;
    case MbconvWay::expand_fused: {
      possible = expands(p) && aligned && choose_tiling<T>(plan.tiling, p);
      if (!possible) break;
      const MbconvTiling& t = plan.tiling;
      cost = {
          x + 2 * d + y + weights,
          n * pixels_read(p, t) * in * t.groups - x + n * t.count * of_expand + d * (columns - 1),
          3, 0};
      instructions = in_shared;
      latency = 22e-6;
      break;
    }
    case MbconvWay::whole_block: {
      plan.tiling = tiling(p, p.out_h, static_cast<int>(ceil_div(p.out_w, strip)) * strip);
      const MbconvTiling& t = plan.tiling;
      // The projection's stages lie where the weights of the expansion and e were.
      const int freed =
          chunk_channels<T> * tile_pitch<T>(p.in_c) + t.halo_h * t.halo_w * e_pitch<T>;
      using Block = BlockMemory<T>;
      possible = expands(p) && aligned && block_memory_bytes<T>(p, t) <= most_shared &&
                 freed >= 2 * Block::columns * Block::stage_pitch;
      cost = {x + y + weights, n * weights, 1, 0};
      share = n < large_gpu_sms ? n / large_gpu_sms : 1;
      instructions = in_shared / share;
      latency = 12e-6;
      break;
    }
  }
  cost.bytes *= sizeof(T);
  cost.cache_bytes *= sizeof(T);
  cost.seconds = possible ? cost.bytes / (0.5 * 4.3e12) + cost.cache_bytes / (5.5e12 * share) +
                                instructions + latency
                          : infinite;
  return plan;
}

template <Storage T>
MbconvPlan mbconv_plan(const MbconvParams& p) {
  MbconvPlan best = mbconv_plan<T>(p, MbconvWay::per_op);
  for (const MbconvWay way : {MbconvWay::expand_fused, MbconvWay::whole_block}) {
    const MbconvPlan plan = mbconv_plan<T>(p, way);
    if (plan.cost.seconds < best.cost.seconds) best = plan;
  }
  return best;
}

namespace bottleneck {

// Where the pieces of a workspace lie, each aligned to 16 bytes.
struct Workspace {
  std::size_t size = 0, e = 0, d = 0, partials = 0, gates = 0;

  Workspace(const MbconvParams& p, const MbconvPlan& plan, std::size_t element) {
    if (plan.way == MbconvWay::whole_block) return;
    const auto n = static_cast<std::size_t>(p.n) * static_cast<std::size_t>(p.mid_c);
    const auto pixels = [](int h, int w) {
      return static_cast<std::size_t>(h) * static_cast<std::size_t>(w);
    };
    if (plan.way == MbconvWay::per_op && expands(p)) e = add(n * pixels(p.h, p.w) * element);
    d = add(n * pixels(p.out_h, p.out_w) * element);
    partials = add(n * static_cast<std::size_t>(shares(p, plan)) * sizeof(float));
    gates = add(n * sizeof(float));
  }
  static int shares(const MbconvParams& p, const MbconvPlan& plan) {
    return plan.way == MbconvWay::per_op ? depthwise_pool_blocks(of_depthwise(p), p.kernel)
                                         : plan.tiling.count;
  }
  static DepthwiseConvParams of_depthwise(const MbconvParams& p) {
    return {p.n, p.h, p.w, p.mid_c, p.out_h, p.out_w, p.pad_top, p.pad_left};
  }

 private:
  std::size_t add(std::size_t bytes) {
    const std::size_t at = size;
    size += (bytes + 15) / 16 * 16;
    return at;
  }
};

}  // namespace bottleneck

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
