#pragma once
// Schedules: what the learning rate is multiplied by at a step, counted from 0. Steps are whatever
// the caller counts: batches or epochs. A schedule is any callable (step) -> factor:
//
//   optim::Warmup schedule{.steps = 500, .then = optim::Cosine{.steps = 9500}};
//   optimizer.set_lr(1e-3 * schedule(step));

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <numbers>

#include <mien/core/error.hpp>

namespace mien::optim {

template <class S>
concept Schedule = requires(const S& schedule, std::int64_t step) {
  { schedule(step) } -> std::convertible_to<double>;
};

struct Constant {
  double operator()(std::int64_t) const { return 1; }
};

// Times gamma after every `every` steps, as torch's StepLR.
struct StepDecay {
  std::int64_t every = 1;
  double gamma = 0.1;

  double operator()(std::int64_t step) const {
    check(every > 0, "step_decay", "expected a positive number of steps, got ", every);
    return std::pow(gamma, static_cast<double>(step / every));
  }
};

// From 1 down to `floor` over `steps` along half a cosine, then `floor`. Loshchilov, Hutter:
// "SGDR", ICLR 2017, equation (5), without restarts.
struct Cosine {
  std::int64_t steps = 1;
  double floor = 0;

  double operator()(std::int64_t step) const {
    check(steps > 0, "cosine", "expected a positive number of steps, got ", steps);
    const double done = std::min(1.0, static_cast<double>(step) / static_cast<double>(steps));
    return floor + (1 - floor) * (1 + std::cos(std::numbers::pi * done)) / 2;
  }
};

// From `start` straight up to 1 over `steps`, then another schedule from its beginning.
template <Schedule Then = Constant>
struct Warmup {
  std::int64_t steps = 0;
  double start = 0;
  Then then = {};

  double operator()(std::int64_t step) const {
    if (step >= steps) return then(step - steps);
    return start + (1 - start) * static_cast<double>(step) / static_cast<double>(steps);
  }
};

}  // namespace mien::optim
