#pragma once
// Gradient clipping over all parameters of an optimizer. Pascanu, Mikolov, Bengio: "On the
// difficulty of training recurrent neural networks", ICML 2013.

#include <algorithm>
#include <cmath>

#include <mien/optim/optimizer.hpp>

namespace mien::optim {

// The length of all gradients as one vector.
template <MasterElement T>
double gradient_norm(const Optimizer<T>& optimizer) {
  const auto& arena = optimizer.arena();
  double sum = 0;
  arena.each_run([&](const auto& run) {
    sum += kernels::squared_norm<T>(Cpu{}, arena.gradients() + run.begin, nullptr, run.size());
  });
  return std::sqrt(sum);
}

// Scales the gradients to a length of at most `most`, as torch.nn.utils.clip_grad_norm_ does.
// Returns the length before. A length that is not finite leaves the gradients alone.
template <MasterElement T>
double clip_gradient_norm(Optimizer<T>& optimizer, double most) {
  check(most > 0, "clip_gradient_norm", "expected a positive length, got ", most);
  const double norm = gradient_norm(optimizer), factor = most / (norm + 1e-6);
  if (!std::isfinite(norm) || factor >= 1) return norm;
  const auto& arena = optimizer.arena();
  arena.each_run([&](const auto& run) {
    kernels::scale_in_place(Cpu{}, arena.gradients() + run.begin, run.size(),
                            static_cast<T>(factor));
  });
  return norm;
}

}  // namespace mien::optim
