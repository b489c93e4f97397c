#pragma once
// Stochastic gradient descent, as torch.optim.SGD without dampening:
//   g += weight_decay w,   v = momentum v + g,   w -= lr v      (nesterov: w -= lr (g + momentum
//   v))
// Sutskever et al.: "On the importance of initialization and momentum in deep learning", ICML 2013.

#include <utility>
#include <vector>

#include <mien/optim/optimizer.hpp>

namespace mien::optim {

struct SgdOptions {
  double lr = 0.01, momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

template <MasterElement T>
class Sgd final : public Optimizer<T> {
 public:
  Sgd(std::vector<ParameterGroup<T>> groups, const SgdOptions& options)
      : Optimizer<T>(std::move(groups), options.lr, options.weight_decay), options_(options) {
    check(options.momentum >= 0, name(), "a momentum of ", options.momentum);
    check(options.momentum > 0 || !options.nesterov, name(), "nesterov needs momentum");
    if (options.momentum > 0) velocity_ = this->moment("velocity");
  }
  Sgd(std::vector<Tensor<T>> parameters, const SgdOptions& options)
      : Sgd(std::vector<ParameterGroup<T>>{{.parameters = std::move(parameters)}}, options) {}

  std::string_view name() const override { return "sgd"; }

 private:
  using Run = typename Optimizer<T>::Run;

  void update(const Run& run, const T* from, double lr, double weight_decay,
              std::int64_t) override {
    T* velocity = velocity_.defined() ? velocity_.mutable_data() + run.begin : nullptr;
    kernels::sgd_update(Cpu{}, this->arena().weights() + run.begin, from, velocity,
                        this->arena().gradients() + run.begin, run.size(),
                        kernels::SgdParams<T>{.lr = static_cast<T>(lr),
                                              .momentum = static_cast<T>(options_.momentum),
                                              .weight_decay = static_cast<T>(weight_decay),
                                              .nesterov = options_.nesterov});
  }

  SgdOptions options_;
  Tensor<T> velocity_;
};

}  // namespace mien::optim
