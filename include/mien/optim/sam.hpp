#pragma once
// Sharpness-aware minimisation around any optimizer. Foret et al.: "Sharpness-aware minimization
// for efficiently improving generalization", ICLR 2021. Two passes a step:
//
//   first    gradient g at w;  climb() to w' = w + rho g / (|g| + 1e-12)
//            adaptive:  w' = w + rho w^2 g / (|w g| + 1e-12)      (Kwon et al.: "ASAM", ICML 2021)
//   second   gradient at w';   descend(): the optimizer moves w along it
//
// |g| is over all parameters that have gradients. climb() keeps w while it writes w', and the
// optimizer reads it from there: nothing is copied beforehand or restored afterwards.

#include <algorithm>
#include <cmath>
#include <optional>

#include <mien/core/random.hpp>
#include <mien/nn/batch_norm.hpp>
#include <mien/optim/optimizer.hpp>

namespace mien::optim {

// What batch norm does in the second pass. `both`, as published: both passes move the running
// statistics; `first`: only the first does; `running`: the second normalises with them.
enum class SamBatchNorm { both, first, running };

struct SamOptions {
  double rho = 0.05;
  bool adaptive = false;
  SamBatchNorm batch_norm = SamBatchNorm::both;
};

// T: element type of the model's activations; what is trained is Compute<T>.
template <FloatElement T>
class Sam {
  using C = Compute<T>;
  struct Nothing {
    void operator()(double) const {}
    void operator()(double, double) const {}
  };

 public:
  // The optimizer and the model, whose batch norms are switched, must outlive this.
  Sam(Optimizer<C>& optimizer, nn::Module<T>& model, const SamOptions& options = {})
      : optimizer_(optimizer),
        model_(model),
        options_(options),
        before_(optimizer.arena().array()) {
    check(options.rho >= 0, "sam", "expected a rho of at least 0, got ", options.rho);
  }

  // One step. `pass` runs the model and backward() and returns the loss; it is called twice, with
  // the generator in the same state: dropout masks are the same. Returns the loss of the first
  // pass. before_climb(loss, norm) and before_descent(loss) see the gradients before weights move
  // along them: to clip, watch or exchange them. Where one of the three throws, the weights are as
  // they were before the step.
  template <class Pass, class BeforeClimb = Nothing, class BeforeDescent = Nothing>
  double step(Generator& generator, Pass&& pass, BeforeClimb&& before_climb = {},
              BeforeDescent&& before_descent = {}) {
    const Generator start = generator;
    optimizer_.zero_grad();
    const double loss = pass();
    norm_ = measured_norm();
    before_climb(loss, norm_);
    climb_along(norm_);
    generator = start;
    optimizer_.zero_grad();
    try {
      before_descent(second_pass(pass));
    } catch (...) {
      return_to_start();
      throw;
    }
    descend();
    return loss;
  }

  // The same by hand. From w, along the gradients, to w'; the gradients may be forgotten then.
  void climb() {
    norm_ = measured_norm();
    climb_along(norm_);
  }

  // The optimizer's step, from w along the gradients at w'.
  void descend() {
    check(climbed_, "sam", "descend() without climb()");
    climbed_ = false;
    const auto& arena = optimizer_.arena();
    for (std::size_t i = 0; i < arena.parameters().size(); ++i)
      if (!arena.has_gradient(i)) restore(i);
    optimizer_.step_from(before(0));
  }

  // The length of the gradient that the last climb went along: |g|, adaptive |w g|.
  double norm() const { return norm_; }

  // Between climb() and descend(): the share of weights that would differ from those before if both
  // were rounded to S. In bf16 few would: rho spreads over millions of weights.
  template <FloatElement S>
  double surviving_share() const {
    check(climbed_, "sam", "surviving_share() without climb()");
    const auto& arena = optimizer_.arena();
    std::int64_t moved = 0, all = 0;
    for (std::size_t i = 0; i < arena.parameters().size(); ++i) {
      const auto& w = arena.parameters()[i];
      const C* from = before(arena.run(i, i + 1).begin);
      for (std::int64_t j = 0; j < w.numel(); ++j)
        moved += static_cast<S>(w.data()[j]) != static_cast<S>(from[j]);
      all += w.numel();
    }
    return static_cast<double>(moved) / static_cast<double>(all);
  }

 private:
  double measured_norm() const {
    const auto& arena = optimizer_.arena();
    double sum = 0;
    arena.each_run([&](const auto& run) {
      sum += kernels::squared_norm<C>(Cpu{}, arena.gradients() + run.begin,
                                      options_.adaptive ? arena.weights() + run.begin : nullptr,
                                      run.size());
    });
    return std::sqrt(sum);
  }

  void climb_along(double norm) {
    check(!climbed_, "sam", "climb() without descend() after the climb before");
    const auto& arena = optimizer_.arena();
    const auto scale = static_cast<C>(options_.rho / (norm + 1e-12));
    // A parameter without gradient stays, but may have one in the second pass.
    for (std::size_t i = 0; i < arena.parameters().size(); ++i)
      if (!arena.has_gradient(i)) arena.parameters()[i].copy_to(before(arena.run(i, i + 1).begin));
    arena.each_run([&](const auto& run) {
      kernels::sam_perturb(Cpu{}, arena.weights() + run.begin, before(run.begin),
                           arena.gradients() + run.begin, run.size(), scale, options_.adaptive);
      arena.mark_written(run);
    });
    climbed_ = true;
  }

  template <class Pass>
  double second_pass(Pass& pass) {
    std::optional<nn::NormModeScope<T>> scope;
    if (options_.batch_norm == SamBatchNorm::first) scope.emplace(model_, nn::NormMode::keep);
    if (options_.batch_norm == SamBatchNorm::running) scope.emplace(model_, nn::NormMode::running);
    return pass();
  }

  // From w' back to w.
  void return_to_start() {
    climbed_ = false;
    for (std::size_t i = 0; i < optimizer_.arena().parameters().size(); ++i) restore(i);
  }

  C* before(std::int64_t at) const { return before_.mutable_data() + at; }

  void restore(std::size_t i) {
    const auto& w = optimizer_.arena().parameters()[i];
    const C* from = before(optimizer_.arena().run(i, i + 1).begin);
    std::copy(from, from + w.numel(), w.mutable_data());
  }

  Optimizer<C>& optimizer_;
  nn::Module<T>& model_;
  SamOptions options_;
  Tensor<C> before_;
  double norm_ = 0;
  bool climbed_ = false;
};

}  // namespace mien::optim
