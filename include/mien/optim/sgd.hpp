#pragma once
// Stochastic gradient descent with momentum, as torch.optim.SGD without dampening:
//   v = momentum v + g + weight_decay w,   w = w - lr v

#include <utility>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/core/tensor.hpp>

namespace mien::optim {

struct SgdOptions {
  double lr = 0.01, momentum = 0, weight_decay = 0;
};

template <FloatElement T>
class Sgd {
 public:
  // Parameters are shared handles, as Module::parameters() gives them.
  Sgd(std::vector<Tensor<T>> parameters, SgdOptions options)
      : parameters_(std::move(parameters)), options_(options) {
    for (const auto& w : parameters_) {
      check(w.requires_grad(), "sgd", "a parameter of shape ", w.shape(),
            " does not require a gradient");
      check(w.is_contiguous(), "sgd", "a parameter of shape ", w.shape(), " is a strided view");
    }
    velocities_.resize(parameters_.size());
  }

  // Updates every parameter that has a gradient.
  void step() {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (parameters_[i].grad().defined()) update(parameters_[i], velocities_[i]);
  }

  void zero_grad() {
    for (const auto& w : parameters_) w.zero_grad();
  }

 private:
  void update(const Tensor<T>& parameter, Tensor<T>& velocity) {
    using C = Compute<T>;
    const bool moving = options_.momentum != 0;
    if (moving && !velocity.defined()) velocity = Tensor<T>::zeros(parameter.shape());
    const auto lr = static_cast<C>(options_.lr), momentum = static_cast<C>(options_.momentum),
               decay = static_cast<C>(options_.weight_decay);
    const Tensor<T> gradient = parameter.grad();
    const T* g = gradient.data();
    T *w = parameter.mutable_data(), *v = velocity.mutable_data();
    parallel_for(parameter.numel(), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        C next = static_cast<C>(g[i]) + decay * static_cast<C>(w[i]);
        if (moving) {
          next += momentum * static_cast<C>(v[i]);
          v[i] = static_cast<T>(next);
        }
        w[i] = static_cast<T>(static_cast<C>(w[i]) - lr * next);
      }
    });
  }

  std::vector<Tensor<T>> parameters_, velocities_;
  SgdOptions options_;
};

}  // namespace mien::optim
