#pragma once
// Adam, as torch.optim.Adam, and with decoupled weight decay AdamW, as torch.optim.AdamW:
//   g += weight_decay w     (AdamW instead: w -= lr weight_decay w)
//   m += (1 - beta1) (g - m),   v = beta2 v + (1 - beta2) g^2
//   w -= lr / (1 - beta1^t)  m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
// Kingma, Ba: "Adam: a method for stochastic optimization", ICLR 2015. Loshchilov, Hutter:
// "Decoupled weight decay regularization", ICLR 2019.

#include <cmath>
#include <utility>
#include <vector>

#include <mien/optim/optimizer.hpp>

namespace mien::optim {

struct AdamOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;  // AdamW
};

template <MasterElement T>
class Adam : public Optimizer<T> {
 public:
  Adam(std::vector<ParameterGroup<T>> groups, const AdamOptions& options)
      : Optimizer<T>(std::move(groups), options.lr, options.weight_decay), options_(options) {
    const auto check_beta = [&](double beta) {
      check(beta >= 0 && beta < 1, name(), "expected betas in [0, 1), got ", beta);
    };
    check_beta(options.beta1);
    check_beta(options.beta2);
    check(options.epsilon >= 0, name(), "an epsilon of ", options.epsilon);
    mean_ = this->moment("exp_avg");
    square_ = this->moment("exp_avg_sq");
  }
  Adam(std::vector<Tensor<T>> parameters, const AdamOptions& options)
      : Adam(std::vector<ParameterGroup<T>>{{.parameters = std::move(parameters)}}, options) {}

  std::string_view name() const override { return options_.decoupled ? "adamw" : "adam"; }

 private:
  using Run = typename Optimizer<T>::Run;

  void update(const Run& run, const T* from, double lr, double weight_decay,
              std::int64_t step) override {
    const auto& o = options_;
    const double t = static_cast<double>(step);
    const auto correction = [&](double beta) { return 1 - std::pow(beta, t); };
    const kernels::AdamParams<T> params{
        .beta2 = static_cast<T>(o.beta2),
        .share1 = static_cast<T>(1 - o.beta1),
        .share2 = static_cast<T>(1 - o.beta2),
        .step_size = static_cast<T>(lr / correction(o.beta1)),
        .inverse_root2 = static_cast<T>(1 / std::sqrt(correction(o.beta2))),
        .epsilon = static_cast<T>(o.epsilon),
        .decay = static_cast<T>(o.decoupled ? 1 - lr * weight_decay : weight_decay),
        .decoupled = o.decoupled};
    kernels::adam_update(Cpu{}, this->arena().weights() + run.begin, from,
                         mean_.mutable_data() + run.begin, square_.mutable_data() + run.begin,
                         this->arena().gradients() + run.begin, run.size(), params);
  }

  AdamOptions options_;
  Tensor<T> mean_, square_;
};

struct AdamWOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0.01;
};

template <MasterElement T>
class AdamW final : public Adam<T> {
 public:
  AdamW(std::vector<ParameterGroup<T>> groups, const AdamWOptions& options)
      : Adam<T>(std::move(groups), decoupled(options)) {}
  AdamW(std::vector<Tensor<T>> parameters, const AdamWOptions& options)
      : Adam<T>(std::move(parameters), decoupled(options)) {}

 private:
  static AdamOptions decoupled(const AdamWOptions& o) {
    return {o.lr, o.beta1, o.beta2, o.epsilon, o.weight_decay, true};
  }
};

}  // namespace mien::optim
