#pragma once
// A function with a stack of its own, which can stop in the middle and go on later.

#include <simt/context.hpp>
#include <simt/sanitizer.hpp>

namespace mien::simt {

class Fiber {
 public:
  // The first resume() calls body(argument), which must not throw. `name` is what
  // ThreadSanitizer's reports call the fiber.
  Fiber(void (*body)(void*), void* argument, const char* name);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();  // once it has finished

  // Runs the fiber until it suspends or its body returns.
  void resume();
  bool finished() const { return finished_; }

  // Called on a fiber: back to its resume().
  static void suspend();

 private:
  // How a side that does not run is found again.
  struct Side {
    Context context;
    sanitizer::StackBounds stack;  // for AddressSanitizer
    void* fake_stack = nullptr;    // likewise
    void* tsan_fiber = nullptr;
  };

  [[noreturn]] static void enter();

  void (*body_)(void*);
  void* argument_;
  bool finished_ = false;
  Side own_, caller_;
};

}  // namespace mien::simt
