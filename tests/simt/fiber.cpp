#include <simt/fiber.hpp>
#include <simt/stack_pool.hpp>
#include <simt/tsan_fibers.hpp>

namespace mien::simt {

namespace {
thread_local Fiber* running = nullptr;
}

Fiber::Fiber(void (*body)(void*), void* argument, const char* name)
    : body_(body), argument_(argument) {
  if constexpr (MIEN_TSAN) {
    const TsanFibers::FiberAndStack pair = TsanFibers::shared().take(name);
    own_.tsan_fiber = pair.fiber;
    own_.stack = pair.stack;
  } else {
    own_.stack = StackPool::shared().take();
  }
  prepare_context(own_.context, const_cast<void*>(own_.stack.bottom), own_.stack.size, enter);
}

Fiber::~Fiber() {
  if constexpr (MIEN_TSAN)
    TsanFibers::shared().give_back({own_.tsan_fiber, own_.stack});
  else
    StackPool::shared().give_back(own_.stack);
}

// Unwatched: between the two switches ThreadSanitizer would ascribe what is read here to the
// target.
MIEN_UNWATCHED void Fiber::resume() {
  Fiber* const outer = running;
  running = this;
  caller_.tsan_fiber = sanitizer::current_fiber();
  sanitizer::start_switch(&caller_.fake_stack, own_.stack);
  sanitizer::switch_to_fiber(own_.tsan_fiber);
  switch_context(caller_.context, own_.context);
  sanitizer::finish_switch(caller_.fake_stack, nullptr);
  running = outer;
}

MIEN_UNWATCHED void Fiber::suspend() {
  Fiber& self = *running;
  sanitizer::start_switch(&self.own_.fake_stack, self.caller_.stack);
  sanitizer::switch_to_fiber(self.caller_.tsan_fiber);
  switch_context(self.own_.context, self.caller_.context);
  sanitizer::finish_switch(self.own_.fake_stack, &self.caller_.stack);
}

MIEN_UNWATCHED void Fiber::enter() {
  Fiber& self = *running;
  sanitizer::finish_switch(nullptr, &self.caller_.stack);
  self.body_(self.argument_);
  self.finished_ = true;
  sanitizer::start_switch(nullptr, self.caller_.stack);
  sanitizer::switch_to_fiber(self.caller_.tsan_fiber);
  switch_context(self.own_.context, self.caller_.context);
  __builtin_unreachable();
}

}  // namespace mien::simt
