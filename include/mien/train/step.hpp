#pragma once
// Stepper: one step of an optimizer over a few batches: passes forward and backward, SAM, exchange
// of gradients, clipping, averaged weights, and an eye on what is not finite.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <mien/nn/module.hpp>
#include <mien/optim/clip_gradients.hpp>
#include <mien/optim/ema.hpp>
#include <mien/optim/sam.hpp>
#include <mien/train/exchange.hpp>
#include <mien/train/finite_watch.hpp>
#include <mien/train/values.hpp>

namespace mien::train {

// A loss with parts of it, or other numbers of a batch, for the history.
template <FloatElement T>
struct LossTerms {
  Tensor<T> total;
  Values parts = {};
};

// T: element type of the model's activations; loss, parameters and gradients are Compute<T>.
template <FloatElement T>
class Stepper {
  using C = Compute<T>;

 public:
  // clip_norm: most length of the gradient, 0 for any. Model and optimizer must outlive this.
  Stepper(nn::Module<T>& model, optim::Optimizer<C>& optimizer, double clip_norm = 0)
      : model_(model), optimizer_(optimizer), clip_norm_(clip_norm), base_lr_(optimizer.lr()) {}

  void use_sam(const optim::SamOptions& options) { sam_.emplace(optimizer_, model_, options); }
  void use_ema(const optim::EmaOptions& options) { ema_.emplace(model_, options); }
  void use_schedule(std::function<double(std::int64_t)> schedule) {
    schedule_ = std::move(schedule);
  }
  void use_exchange(Exchange<C>& exchange) { exchange_ = &exchange; }

  optim::Ema<T>* ema() { return ema_ ? &*ema_ : nullptr; }

  // Step number `step`, from 0, along the mean gradient of the batches. loss(batch, random) gives
  // Tensor<C> or LossTerms<C>. Returns the means of the loss, as "loss", and its parts. Throws,
  // before the weights change, where loss or gradient are not finite.
  template <class Batch, class Loss>
  Values step(std::int64_t step, const std::vector<Batch>& batches, Generator& random,
              Loss&& loss) {
    if (schedule_) optimizer_.set_lr(base_lr_ * schedule_(step));
    const double share = 1 / static_cast<double>(batches.size());
    Values means, of_second_pass;
    const auto pass = [&](Values& values) {
      for (const auto& batch : batches) {
        const LossTerms<C> terms = terms_of(loss(batch, random));
        terms.total.backward(Tensor<C>::full(terms.total.shape(), static_cast<C>(share)));
        add_to(values, "loss", share * static_cast<double>(terms.total.item()));
        for (const auto& [name, value] : terms.parts) add_to(values, name, share * value);
      }
      if (exchange_ != nullptr) exchange_->average(gradients());
      return values.front().second;
    };
    if (sam_) {
      sam_->step(
          random, [&] { return pass(means.empty() ? means : of_second_pass); },
          [&](double first_loss, double norm) {
            watch({step, first_loss, norm});
          },
          [&](double second_loss) {
            watch({step, second_loss, clipped_norm()});
          });
    } else {
      optimizer_.zero_grad();
      const double value = pass(means);
      watch({step, value, clipped_norm()});
      optimizer_.step();
    }
    if (ema_) ema_->update();
    return means;
  }

 private:
  template <class Result>
  static LossTerms<C> terms_of(Result&& result) {
    if constexpr (std::is_same_v<std::remove_cvref_t<Result>, Tensor<C>>)
      return {.total = result};
    else
      return std::forward<Result>(result);
  }

  std::span<C> gradients() const {
    const auto& arena = optimizer_.arena();
    return {arena.gradients(), static_cast<std::size_t>(arena.size())};
  }

  // Clips, and returns the length before.
  double clipped_norm() {
    return clip_norm_ > 0 ? optim::clip_gradient_norm(optimizer_, clip_norm_)
                          : optim::gradient_norm(optimizer_);
  }

  void watch(const StepNumbers& numbers) {
    check_finite(
        numbers, [&] { return spans([](const Tensor<C>& w) { return w.grad(); }); },
        [&] { return spans([](const Tensor<C>& w) { return w; }); });
  }

  template <class F>
  std::vector<NamedSpan<C>> spans(F&& of_parameter) {
    std::vector<NamedSpan<C>> all;
    for (const auto& part : model_.named_parameters()) {
      const Tensor<C> x = of_parameter(*part.tensor);
      if (x.defined()) all.push_back({part.name, {x.data(), static_cast<std::size_t>(x.numel())}});
    }
    return all;
  }

  nn::Module<T>& model_;
  optim::Optimizer<C>& optimizer_;
  double clip_norm_, base_lr_;
  std::optional<optim::Sam<T>> sam_;
  std::optional<optim::Ema<T>> ema_;
  std::function<double(std::int64_t)> schedule_;
  Exchange<C>* exchange_ = nullptr;
};

}  // namespace mien::train
