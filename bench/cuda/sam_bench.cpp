// Sharpness-aware minimisation over the parameters of EfficientNet-B0: its three launches and the
// updates alone. The dtype is that of the shadow; weights, gradients and moments are float.

#include <mien/cuda/sam.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using namespace kernels;

double norm_of(const std::vector<float>& g) {
  double sum = 0;
  for (const float value : g) sum += double{value} * double{value};
  return std::sqrt(sum);
}

// What a launch touches beside the gradient: no more is allocated, as the sets of arrays are
// counted by their bytes.
struct Touches {
  bool w = true, m = true, v = true, shadow = true;
};

// The memory of one training step.
template <Storage S>
struct Step {
  std::int64_t n;
  Array<float> g, w, m, v, norm, partial;
  Array<unsigned> counters;
  Array<S> shadow;

  Step(Arrays& arrays, std::int64_t parameters, const Touches& touches)
      : n(parameters),
        g(arrays.input<float>(n, -1e-2f, 1e-2f)),
        norm(arrays.constant<float>({1e-2f})),
        partial(arrays.workspace<float>(sam_most_blocks)),
        counters(arrays.zeros<unsigned>(2)) {
    if (touches.w) w = arrays.input<float>(n);
    if (touches.m) m = arrays.input<float>(n, -1e-2f, 1e-2f);
    if (touches.v) v = arrays.input<float>(n, 0, 1e-4f);
    if (touches.shadow) shadow = arrays.output<S>(n);
  }

  UpdateParams update() const { return {n, n - n / 100, 0.1f, 1e-4f}; }
  AdamParams adam_params() const { return {.correction1 = 0.1f, .correction2 = 1e-3f}; }

  void launch_norm(const Cuda& device, int set) const {
    sam_norm(device, norm.at(set), {partial.at(set), counters.at(set)}, g.at(set), nullptr, n);
  }
  void launch_perturb(const Cuda& device, int set) const {
    sam_perturb(device, shadow.at(set), counters.at(set) + 1, w.at(set), g.at(set), norm.at(set),
                {.n = n});
  }
  void launch_adam(const Cuda& device, int set) const {
    adam(device, w.at(set), m.at(set), v.at(set), shadow.at(set), g.at(set), update(),
         adam_params());
  }
  void launch_sgd(const Cuda& device, int set) const {
    sgd(device, w.at(set), m.at(set), shadow.at(set), g.at(set), update(), {.momentum = 0.9f});
  }

  // All of a step but the network's two passes.
  void launch_step(const Cuda& device, int set) const {
    launch_norm(device, set);
    launch_perturb(device, set);
    launch_adam(device, set);
  }

  // Of w and the shadow, after one update.
  template <class F>
  std::string check_update(const F& moved) const {
    const auto of_w = w.values(), of_g = g.values(), of_m = m.values();
    const auto of_v = v.size() > 0 ? v.values() : std::vector<float>(of_w.size());
    std::vector<double> expected(of_w.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double decay = std::int64_t(i) < update().decay_end ? 1e-4 * double{of_w[i]} : 0;
      expected[i] = moved(of_w[i], of_g[i] + decay, of_m[i], of_v[i]);
    }
    const auto wrong = mismatch(w.read(), expected);
    return wrong.empty() ? mismatch(shadow.read(), expected) : wrong;
  }
  std::string check_norm() const {
    return mismatch(norm.read(), std::vector<double>{norm_of(g.values())});
  }
  std::string check_perturbed() const {
    const auto of_w = w.values(), of_g = g.values();
    std::vector<double> expected(of_w.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] = double{of_w[i]} + 0.05 * double{of_g[i]} / 1e-2;
    return mismatch(shadow.read(), expected);
  }
  std::string check_sgd() const {
    return check_update(
        [](double x, double d, double m0, double) { return x - 0.1 * (0.9 * m0 + d); });
  }
  std::string check_adam() const {
    return check_update([](double x, double d, double m0, double v0) {
      const double m1 = 0.9 * m0 + 0.1 * d, v1 = 0.999 * v0 + 1e-3 * d * d;
      return x - 0.1 * (m1 / 0.1) / (std::sqrt(v1 / 1e-3) + 1e-8);
    });
  }
  std::string check_step() const {
    const auto wrong = check_norm();
    return wrong.empty() ? check_adam() : wrong;
  }
};

// A case whose work is two members of Step.
template <Storage S>
void add(const std::string& kernel, double bytes, double flops, const Touches& touches,
         void (Step<S>::*launch)(const Cuda&, int) const, std::string (Step<S>::*check)() const) {
  const std::int64_t parameters = efficientnet_b0_parameters();
  const double n = static_cast<double>(parameters);
  const auto make = [=](Arrays& arrays, std::int64_t count) {
    const Step<S> s(arrays, count, touches);
    return Work{[=](const Cuda& device, int set) { (s.*launch)(device, set); },
                [=] { return (s.*check)(); }};
  };
  cases().push_back({.name = case_name(kernel, str("b0_", parameters), dtype_name<S>, 1),
                     .cost = {bytes * n, flops * n},
                     .quick = !std::is_same_v<S, f16>,
                     .make = [=](Arrays& arrays) { return make(arrays, parameters); },
                     .reduced = [=](Arrays& arrays) { return make(arrays, 5003); }});
}

template <Storage S>
void add_all() {
  constexpr double s = sizeof(S);
  // The norm has no shadow.
  if constexpr (std::is_same_v<S, float>)
    add<S>("sam_norm", 4, 2, {false, false, false, false}, &Step<S>::launch_norm,
           &Step<S>::check_norm);
  add<S>("sam_perturb", 8 + s, 3, {.m = false, .v = false}, &Step<S>::launch_perturb,
         &Step<S>::check_perturbed);
  add<S>("sgd", 20 + s, 6, {.v = false}, &Step<S>::launch_sgd, &Step<S>::check_sgd);
  add<S>("adam", 28 + s, 16, {}, &Step<S>::launch_adam, &Step<S>::check_adam);
  add<S>("sam_adam_step", 40 + 2 * s, 21, {}, &Step<S>::launch_step, &Step<S>::check_step);
}

const bool registered = [] {
  for_each_storage([]<class S>() { add_all<S>(); });
  return true;
}();

}  // namespace
}  // namespace mien::bench
