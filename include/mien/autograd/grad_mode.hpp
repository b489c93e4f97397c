#pragma once
// Whether ops record what backward() needs, and how much of it they keep, per thread.

namespace mien {

namespace detail {
inline bool& grad_mode() {
  static thread_local bool enabled = true;
  return enabled;
}
}  // namespace detail

inline bool grad_enabled() { return detail::grad_mode(); }

// Switches recording off (or on) in its scope:  { NoGrad no_grad; y = model.forward(x); }
class GradMode {
 public:
  explicit GradMode(bool enabled) : previous_(detail::grad_mode()) {
    detail::grad_mode() = enabled;
  }
  ~GradMode() { detail::grad_mode() = previous_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool previous_;
};

class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

namespace detail {
inline bool& recompute_mode() {
  static thread_local bool enabled = true;
  return enabled;
}
}  // namespace detail

inline bool recompute_enabled() { return detail::recompute_mode(); }

// Whether, in its scope, outputs that cost little to compute again (batch norm with its activation,
// squeeze-excite) are computed again in backward rather than kept: the same bits in less memory.
// Chen et al.: "Training deep nets with sublinear memory cost", 2016.
class RecomputeMode {
 public:
  explicit RecomputeMode(bool enabled) : previous_(detail::recompute_mode()) {
    detail::recompute_mode() = enabled;
  }
  ~RecomputeMode() { detail::recompute_mode() = previous_; }
  RecomputeMode(const RecomputeMode&) = delete;
  RecomputeMode& operator=(const RecomputeMode&) = delete;

 private:
  bool previous_;
};

}  // namespace mien
