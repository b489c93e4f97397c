#pragma once
// Host side of the optimizers' passes: each goes once over flat arrays of float or double, split
// over threads. The results do not depend on the number of threads.

#include <cmath>
#include <cstdint>
#include <vector>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/vectors.hpp>

namespace mien::kernels {

template <class T>
struct SgdParams {
  T lr, momentum, weight_decay;
  bool nesterov;
};

template <class T>
struct AdamParams {
  T beta2, share1, share2;  // share = 1 - beta
  T step_size;              // lr / (1 - beta1^t)
  T inverse_root2;          // 1 / sqrt(1 - beta2^t)
  T epsilon;
  T decay;  // of the gradient: weight_decay; decoupled: the factor 1 - lr weight_decay
  bool decoupled;
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/optim.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

inline constexpr std::int64_t optim_chunk = 1 << 14;

// The sum of g[i]^2 over g (n), or of (w[i] g[i])^2 unless w (n) is null: chunks in T, their sums
// in double.
template <class T>
double squared_norm(Cpu, const T* g, const T* w, std::int64_t n) {
  const auto kernel = MIEN_ISA_PICK(squared_norm<T>);
  std::vector<double> sums(static_cast<std::size_t>((n + optim_chunk - 1) / optim_chunk));
  parallel_for(n, optim_chunk, [&](std::int64_t b, std::int64_t e) {
    sums[static_cast<std::size_t>(b / optim_chunk)] =
        kernel(g + b, w == nullptr ? nullptr : w + b, e - b);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

// x (n) *= factor
template <class T>
void scale_in_place(Cpu, T* x, std::int64_t n, T factor) {
  const auto kernel = MIEN_ISA_PICK(scale_in_place<T>);
  parallel_for(n, optim_chunk,
               [&](std::int64_t b, std::int64_t e) { kernel(x + b, e - b, factor); });
}

// x (n) += share * (target - x)
template <class T>
void move_toward(Cpu, T* x, const T* target, std::int64_t n, T share) {
  const auto kernel = MIEN_ISA_PICK(move_toward<T>);
  parallel_for(n, optim_chunk,
               [&](std::int64_t b, std::int64_t e) { kernel(x + b, target + b, e - b, share); });
}

// before (n) = w;  w += scale g, adaptive: w += scale w^2 g
template <class T>
void sam_perturb(Cpu, T* w, T* before, const T* g, std::int64_t n, T scale, bool adaptive) {
  const auto kernel = MIEN_ISA_PICK(sam_perturb<T>);
  parallel_for(n, optim_chunk, [&](std::int64_t b, std::int64_t e) {
    kernel(w + b, before + b, g + b, e - b, scale, adaptive);
  });
}

// w (n) = from moved along g; `from` may be w. momentum (n), or null where there is none.
template <class T>
void sgd_update(Cpu, T* w, const T* from, T* momentum, const T* g, std::int64_t n,
                const SgdParams<T>& p) {
  const auto kernel = MIEN_ISA_PICK(sgd_update<T>);
  parallel_for(n, optim_chunk, [&](std::int64_t b, std::int64_t e) {
    kernel(w + b, from + b, momentum == nullptr ? nullptr : momentum + b, g + b, e - b, p);
  });
}

// w (n) = from moved along g; `from` may be w. mean and square (n) are the moments.
template <class T>
void adam_update(Cpu, T* w, const T* from, T* mean, T* square, const T* g, std::int64_t n,
                 const AdamParams<T>& p) {
  const auto kernel = MIEN_ISA_PICK(adam_update<T>);
  parallel_for(n, optim_chunk, [&](std::int64_t b, std::int64_t e) {
    kernel(w + b, from + b, mean + b, square + b, g + b, e - b, p);
  });
}

}  // namespace mien::kernels
