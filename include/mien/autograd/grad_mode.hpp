#pragma once
// Whether ops record what backward() needs, per thread.

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

}  // namespace mien
