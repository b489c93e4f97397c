#pragma once
// What all optimizers have in common: groups of parameters, learning rate, moments, state.

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/cpu/optim.hpp>
#include <mien/nn/state_dict.hpp>
#include <mien/optim/parameter_arena.hpp>

namespace mien::optim {

// Parameters with settings of their own.
template <MasterElement T>
struct ParameterGroup {
  std::vector<Tensor<T>> parameters;
  double lr_scale = 1;                      // times the optimizer's learning rate
  std::optional<double> weight_decay = {};  // instead of the optimizer's
};

// An optimizer moves every parameter that has a gradient; one without is left alone, as in PyTorch.
// Moments start at zero. Not to be copied: it owns the memory of the parameters.
template <MasterElement T>
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One step along the gradients.
  void step() { step_from(arena_.weights()); }

  // One step along the gradients from other weights, laid out like the arena's, than those that the
  // gradients were taken at. SAM's second pass.
  void step_from(const T* from) {
    for (const Group& group : groups_)
      arena_.each_run(
          group.first, group.last,
          [&](std::size_t i, std::size_t j) { return steps_[i] == steps_[j]; },
          [&](const Run& run) {
            for (std::size_t i = run.first; i < run.last; ++i) ++steps_[i];
            update(run, from + run.begin, lr_ * group.lr_scale, group.weight_decay,
                   steps_[run.first]);
            arena_.mark_written(run);
          });
  }

  void zero_grad() { arena_.zero_grad(); }

  double lr() const { return lr_; }
  void set_lr(double lr) {
    check(lr >= 0, name(), "a learning rate of ", lr);
    lr_ = lr;
  }

  const ParameterArena<T>& arena() const { return arena_; }
  virtual std::string_view name() const = 0;

  // Learning rate, moments and steps: what a resumed run needs beside the weights.
  nn::StateDict state_dict() const {
    nn::StateDict state{
        {"lr", Tensor<double>::scalar(lr_)},
        {"sizes", sizes()},
        {"steps", Tensor<std::int64_t>::from({static_cast<std::int64_t>(steps_.size())}, steps_)}};
    for (const auto& [name, moment] : moments_) state.emplace_back(name, moment);
    return state;
  }

  // Throws, before anything is changed, where the state is not that of such an optimizer with
  // parameters of the same sizes.
  void load_state_dict(const nn::StateDict& state) {
    const auto found = [&](std::string_view key) -> const AnyTensor& {
      for (const auto& [name, value] : state)
        if (name == key) return value;
      fail(name(), str("the saved state has no '", key, "'"));
    };
    check(state.size() == moments_.size() + 3, name(), "the saved state has ", state.size(),
          " entries, expected ", moments_.size() + 3);
    const auto expected = sizes(), saved = found("sizes").template get<std::int64_t>();
    check(saved.shape() == expected.shape() &&
              std::equal(expected.data(), expected.data() + expected.numel(), saved.data()),
          name(), "the saved state is of other parameters");
    const auto steps = found("steps").template get<std::int64_t>();
    check(steps.shape() == expected.shape(), name(), "the saved state has steps ", steps.shape());
    for (const auto& [key, moment] : moments_)
      check(found(key).template get<T>().shape() == moment.shape(), name(), "the saved state has ",
            key, " of shape ", found(key).shape(), ", expected ", moment.shape());
    set_lr(found("lr").template get<double>().item());
    std::copy(steps.data(), steps.data() + steps.numel(), steps_.begin());
    for (const auto& [key, moment] : moments_) moment.copy_from(found(key).template get<T>());
  }

 protected:
  using Run = typename ParameterArena<T>::Run;

  Optimizer(std::vector<ParameterGroup<T>> groups, double lr, double weight_decay)
      : arena_(all_parameters(groups)), lr_(lr), steps_(arena_.parameters().size()) {
    check(lr >= 0, "optim", "a learning rate of ", lr);
    std::size_t first = 0;
    for (const auto& group : groups) {
      const std::size_t last = first + group.parameters.size();
      groups_.push_back({first, last, group.lr_scale, group.weight_decay.value_or(weight_decay)});
      check(groups_.back().weight_decay >= 0, "optim", "a weight decay of ",
            groups_.back().weight_decay);
      first = last;
    }
  }
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // Moves the weights of the run, from `from`, along their gradients; the `step`-th time, from 1
  // on.
  virtual void update(const Run& run, const T* from, double lr, double weight_decay,
                      std::int64_t step) = 0;

  // A moment for every weight, saved under that name.
  Tensor<T> moment(std::string name) {
    moments_.emplace_back(std::move(name), arena_.array());
    return moments_.back().second;
  }

 private:
  struct Group {
    std::size_t first, last;  // parameters
    double lr_scale, weight_decay;
  };

  static std::vector<Tensor<T>> all_parameters(const std::vector<ParameterGroup<T>>& groups) {
    std::vector<Tensor<T>> all;
    for (const auto& group : groups)
      all.insert(all.end(), group.parameters.begin(), group.parameters.end());
    check(!all.empty(), "optim", "no parameters");
    return all;
  }

  Tensor<std::int64_t> sizes() const {
    std::vector<std::int64_t> all;
    for (const auto& w : arena_.parameters()) all.push_back(w.numel());
    return Tensor<std::int64_t>::from({static_cast<std::int64_t>(all.size())}, all);
  }

  ParameterArena<T> arena_;
  std::vector<Group> groups_;
  double lr_;
  std::vector<std::int64_t> steps_;  // that each parameter has taken
  std::vector<std::pair<std::string, Tensor<T>>> moments_;
};

}  // namespace mien::optim
