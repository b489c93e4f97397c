#pragma once
// The mobile inverted bottleneck with squeeze-and-excitation, for inference, NHWC:
//
//   e = SiLU(expand x + shift)        1x1, in_c to mid_c; where they are equal, e = x
//   d = SiLU(depthwise e + shift)     K x K, stride S
//   s = gates of squeeze-and-excitation from the means of d over its pixels
//   y = project (d s) + shift, + x where the block has a residual
//
// Sandler et al., "MobileNetV2", CVPR 2018; Tan and Le, "EfficientNet", ICML 2019. Batch norms are
// folded into weights and shifts.
//
// Three ways to run it, between which mbconv_plan() decides by bytes and by what was measured:
//
//   per_op         four launches: expand, depthwise with pooled sums, squeeze-excite, project
//   expand_fused   three: expand and depthwise in one, so that e stays in shared memory
//   whole_block    one, an image per block of threads: d stays there too
//
// The scale s is applied while the projection reads d, in all three.

#include <cstddef>
#include <cstdint>

#include <mien/cuda/squeeze_excite.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct MbconvParams {
  int n, h, w;                         // x (n, h, w, in_c)
  int in_c, mid_c, out_c, squeezed_c;  // squeezed_c: of squeeze-excite's hidden layer
  int kernel, stride;                  // 3 or 5; 1 or 2
  int out_h, out_w, pad_top, pad_left;
  bool residual;  // stride 1 and in_c = out_c
};

template <Storage T>
struct MbconvWeights {
  const T* expand;                         // (mid_c, in_c)
  const float* expand_shift;               // (mid_c)
  const T* depthwise;                      // (kernel, kernel, mid_c)
  const float* depthwise_shift;            // (mid_c)
  SqueezeExciteWeights<T> squeeze_excite;  // c = mid_c, r = squeezed_c
  const T* project;                        // (out_c, mid_c)
  const float* project_shift;              // (out_c)
};

enum class MbconvWay { per_op, expand_fused, whole_block };

// Output pixels of a tile, the pixels of e that their windows meet, and how many pixels of x are
// among them at most, rounded up to 16. Chunks of channels are shared by `groups` blocks.
struct MbconvTiling {
  int out_h, out_w, across, count;  // tiles of an image
  int halo_h, halo_w, x_rows;
  int groups;
};

// What a way moves: bytes of the device's memory, and of the second-level cache beyond these.
struct MbconvCost {
  double bytes, cache_bytes;
  int launches;
  double seconds;  // predicted for an H200: see mbconv_plan.cuh
};

struct MbconvPlan {
  MbconvWay way;
  MbconvTiling tiling;
  MbconvCost cost;
};

// The plan of a way, for GPUs with 227 KB of shared memory for a block (sm_90, sm_100; on sm_80 the
// launch of a whole block beyond 163 KB is refused). Its predicted time is infinite where the way
// cannot run this block: channels that are no multiple of 16 bytes, or a tile beyond the shared
// memory of an SM.
template <Storage T>
MbconvPlan mbconv_plan(const MbconvParams& p, MbconvWay way);
// The plan with the shortest predicted time.
template <Storage T>
MbconvPlan mbconv_plan(const MbconvParams& p);

// Bytes of the workspace of a plan.
template <Storage T>
std::size_t mbconv_workspace(const MbconvParams& p, const MbconvPlan& plan);

// y (n, out_h, out_w, out_c) from x. Throws where the plan cannot run this block, or where pointers
// to T, those of squeeze_excite apart, or the workspace are not aligned to 16 bytes.
template <Storage T>
void mbconv(Cuda device, T* y, void* workspace, const T* x, const MbconvWeights<T>& weights,
            const MbconvParams& p, const MbconvPlan& plan);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
