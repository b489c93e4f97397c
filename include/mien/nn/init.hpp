#pragma once
// Initial values of parameters.

#include <cmath>

#include <mien/autograd/engine.hpp>
#include <mien/core/random.hpp>

namespace mien::nn {

namespace detail {
inline bool& initialises_weights() {
  static thread_local bool on = true;
  return on;
}
}  // namespace detail

// In its scope, on its thread, new layers leave their weights unset: a checkpoint will fill them.
class SkipInit {
 public:
  SkipInit() : previous_(detail::initialises_weights()) { detail::initialises_weights() = false; }
  ~SkipInit() { detail::initialises_weights() = previous_; }
  SkipInit(const SkipInit&) = delete;
  SkipInit& operator=(const SkipInit&) = delete;

 private:
  bool previous_;
};

// Normal numbers of standard deviation `deviation`, written into w.
template <FloatElement T>
void normal_init(const Tensor<T>& w, double deviation, Generator& generator) {
  const Tensor<Compute<T>> noise = randn<Compute<T>>(w.shape(), generator);
  T* p = w.mutable_data();
  for (std::int64_t i = 0; i < w.numel(); ++i)
    p[i] = static_cast<T>(noise.data()[i] * static_cast<Compute<T>>(deviation));
}

// Uniform numbers in [-bound, bound), written into w.
template <FloatElement T>
void uniform_init(const Tensor<T>& w, double bound, Generator& generator) {
  const auto limit = static_cast<Compute<T>>(bound);
  w.copy_from(rand<T>(w.shape(), generator, -limit, limit));
}

// He, Zhang, Ren, Sun: "Delving deep into rectifiers", ICCV 2015: deviation gain * sqrt(2 / fan).
template <FloatElement T>
void kaiming_normal_init(const Tensor<T>& w, std::int64_t fan, Generator& generator,
                         double gain = 1) {
  normal_init(w, gain * std::sqrt(2.0 / static_cast<double>(fan)), generator);
}

// What layers start with, as PyTorch's do: weight and bias from U(-1/sqrt(fan_in), 1/sqrt(fan_in)),
// drawn from the thread's default generator; both are marked as wanting gradients.
template <FloatElement T>
void init_layer(Tensor<T>& weight, Tensor<T>& bias, std::int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  for (Tensor<T>* w : {&weight, &bias}) {
    if (!w->defined()) continue;
    if (detail::initialises_weights()) uniform_init(*w, bound, default_generator());
    w->set_requires_grad();
  }
}

}  // namespace mien::nn
