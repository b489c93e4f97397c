#pragma once
// Sharpness-aware minimisation over flat arenas: all parameters of a network lie one after another,
// and so do their gradients and moments.
//
//   first pass    w' = w + rho g / (|g| + 1e-12)         adaptive: w + rho w^2 g / (|w g| + 1e-12)
//   second pass   w moves by SGD, Adam or AdamW along the gradients taken at w'
//
// Foret et al.: "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR 2021;
// Kwon et al.: "ASAM", ICML 2021. The updates are those of torch.optim.
//
// Three launches a step: norm, perturbation, update. The network computes with a shadow of the
// weights, of type S: the perturbation writes w' there and the update the new w, so the weights
// themselves are neither cloned nor restored. The norm stays on the device and has the same bits in
// every run.
//
// Roofline, bytes per parameter with S of s bytes: norm 4 (adaptive 8), perturbation 8 + s, Adam
// 28 + s, SGD with momentum 20 + s; all bound by memory.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct SamParams {
  std::int64_t n;  // parameters
  float rho = 0.05f;
  bool adaptive = false;
};

// Shared by the updates. Parameters from decay_end on (biases, batch norms) do not decay.
struct UpdateParams {
  std::int64_t n, decay_end;
  float lr, weight_decay = 0;
};

struct SgdParams {
  float momentum = 0;
  bool nesterov = false;
  bool first_step = false;  // the momentum buffer holds nothing yet
};

struct AdamParams {
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
  float correction1, correction2;  // 1 - beta^t at step t = 1, 2, ...
  bool decoupled = false;          // AdamW: the weights decay, not the gradients' moments
};

// Memory of the norm beside its result. The counter is zero before the first launch, and again
// after every launch.
struct SamWorkspace {
  float* partial;         // sam_most_blocks
  unsigned* blocks_done;  // 1
};

inline constexpr unsigned sam_most_blocks = 2 * large_gpu_sms;

// All arenas are aligned to 16 bytes; others throw. norm (1): |g| of g (n), or |w g| unless w (n)
// is null.
template <Storage G>
void sam_norm(Cuda device, float* norm, const SamWorkspace& workspace, const G* g, const float* w,
              std::int64_t n);

// shadow (n) = w + the perturbation along g; `moved` (1, or null: not counted) grows by the number
// of parameters in which that differs from w after rounding to S.
template <Storage S>
void sam_perturb(Cuda device, S* shadow, unsigned* moved, const float* w, const float* g,
                 const float* norm, const SamParams& p);

// w, momentum (n; null where there is none) and shadow (n, or null) move along g.
template <Storage S>
void sgd(Cuda device, float* w, float* momentum, S* shadow, const float* g, const UpdateParams& p,
         const SgdParams& s);

// w, first and second moments m and v (n), and shadow (n, or null) move along g.
template <Storage S>
void adam(Cuda device, float* w, float* m, float* v, S* shadow, const float* g,
          const UpdateParams& p, const AdamParams& a);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
