#pragma once
// What the executor tells AddressSanitizer and ThreadSanitizer about its fibers; nothing in a build
// without them. To ThreadSanitizer every CUDA thread is a fiber of its own, and a switch between
// fibers orders nothing: only barriers, atomics and the borders of a launch do.

#include <cstddef>

#include <mien/config.hpp>

#if defined(__SANITIZE_THREAD__)
#define MIEN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MIEN_TSAN 1
#endif
#endif
#ifndef MIEN_TSAN
#define MIEN_TSAN 0
#endif

// Functions whose own reads and writes ThreadSanitizer shall not see.
#define MIEN_UNWATCHED __attribute__((no_sanitize("thread")))

#if MIEN_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if MIEN_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace mien::simt::sanitizer {

struct StackBounds {
  const void* bottom = nullptr;
  std::size_t size = 0;
};

#if MIEN_ASAN
// fake_stack: where the state of the stack being left is kept; null when it is left for good.
MIEN_INLINE void start_switch(void** fake_stack, const StackBounds& target) {
  __sanitizer_start_switch_fiber(fake_stack, target.bottom, target.size);
}
MIEN_INLINE void finish_switch(void* fake_stack, StackBounds* left) {
  __sanitizer_finish_switch_fiber(fake_stack, left ? &left->bottom : nullptr,
                                  left ? &left->size : nullptr);
}
#else
MIEN_INLINE MIEN_UNWATCHED void start_switch(void**, const StackBounds&) {}
MIEN_INLINE MIEN_UNWATCHED void finish_switch(void*, StackBounds*) {}
#endif

#if MIEN_TSAN
inline void* create_fiber() { return __tsan_create_fiber(0); }
inline void name_fiber(void* fiber, const char* name) { __tsan_set_fiber_name(fiber, name); }
MIEN_INLINE MIEN_UNWATCHED void* current_fiber() { return __tsan_get_current_fiber(); }
MIEN_INLINE MIEN_UNWATCHED void switch_to_fiber(void* fiber) {
  __tsan_switch_to_fiber(fiber, __tsan_switch_to_fiber_no_sync);
}
// What was done before release(token) is ordered before what follows acquire(token).
inline void release(void* token) { __tsan_release(token); }
inline void acquire(void* token) { __tsan_acquire(token); }
#else
inline void* create_fiber() { return nullptr; }
inline void name_fiber(void*, const char*) {}
inline void* current_fiber() { return nullptr; }
inline void switch_to_fiber(void*) {}
inline void release(void*) {}
inline void acquire(void*) {}
#endif

// While it lives, ThreadSanitizer ignores what the calling fiber reads and writes: the executor's
// own state is shared by all CUDA threads and is no business of the kernel under test. It ignores
// release() and acquire() too. (This is what signalling a condition variable is annotated with;
// AnnotateIgnoreReadsBegin() and its like would store a stack trace each time.)
class Quiet {
 public:
#if MIEN_TSAN
  Quiet() { __tsan_mutex_pre_signal(nullptr, 0); }
  ~Quiet() { __tsan_mutex_post_signal(nullptr, 0); }
#else
  Quiet() {}
#endif
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
};

}  // namespace mien::simt::sanitizer
