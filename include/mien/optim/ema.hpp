#pragma once
// Exponential moving average of a model's weights: average = decay average + (1 - decay) weights.
// Polyak, Juditsky: "Acceleration of stochastic approximation by averaging", 1992.

#include <algorithm>
#include <utility>
#include <vector>

#include <mien/cpu/optim.hpp>
#include <mien/nn/module.hpp>

namespace mien::optim {

struct EmaOptions {
  double decay = 0.9999;
  bool warmup = false;  // decay of at most (1 + t) / (10 + t) at update t
};

// Averages parameters and running statistics; counters are those of the model. The model must
// outlive this.
template <FloatElement T>
class Ema {
 public:
  explicit Ema(nn::Module<T>& model, const EmaOptions& options = {})
      : model_(model), options_(options) {
    check(options.decay >= 0 && options.decay <= 1, "ema", "expected a decay from 0 to 1, got ",
          options.decay);
    each_tensor([&](Tensor<C>& w) { averages_.push_back(w.clone()); });
  }

  // To be called after each step.
  void update() {
    const double t = static_cast<double>(updates_++);
    const double decay =
        options_.warmup ? std::min(options_.decay, (1 + t) / (10 + t)) : options_.decay;
    each_average([&](Tensor<C>& average, Tensor<C>& w) {
      kernels::move_toward(Cpu{}, average.mutable_data(), w.data(), w.numel(),
                           static_cast<C>(1 - decay));
    });
  }

  // Exchanges the model's weights with the averages: before an evaluation and again after it.
  void swap() {
    each_average([](Tensor<C>& average, Tensor<C>& w) {
      std::swap_ranges(average.mutable_data(), average.mutable_data() + average.numel(),
                       w.mutable_data());
    });
  }

  // In the model's names and PyTorch's layouts; with the number of updates as "ema.updates".
  nn::StateDict state_dict() {
    swap();
    nn::StateDict state = model_.state_dict();
    swap();
    state.emplace_back("ema.updates", Tensor<std::int64_t>::scalar(updates_));
    return state;
  }
  void load_state_dict(nn::StateDict state) {
    check(!state.empty() && state.back().first == "ema.updates", "ema",
          "the saved state is not one of averages");
    const auto updates = state.back().second.template get<std::int64_t>().item();
    state.pop_back();
    const nn::StateDict weights = model_.state_dict();
    model_.load_state_dict(state);
    swap();
    model_.load_state_dict(weights);
    updates_ = updates;
  }

  std::int64_t updates() const { return updates_; }

 private:
  using C = Compute<T>;

  template <class F>
  void each_tensor(F&& f) {
    for (const auto& part : model_.all_parts().entries)
      if (part.kind != nn::Kind::counter) f(*part.tensor);
  }
  template <class F>
  void each_average(F&& f) {
    std::size_t i = 0;
    each_tensor([&](Tensor<C>& w) { f(averages_[i++], w); });
  }

  nn::Module<T>& model_;
  EmaOptions options_;
  std::vector<Tensor<C>> averages_;
  std::int64_t updates_ = 0;
};

}  // namespace mien::optim
