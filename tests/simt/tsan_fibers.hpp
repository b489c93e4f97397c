#pragma once
// ThreadSanitizer's fibers, one under each CUDA thread. To make one takes 0.3 ms (GCC 12), so they
// are used again, the longest idle first: a thread is unordered with the 256 threads before it at
// least, which are those of the block before. With threads further back it may share a fiber, and
// races between those two would not be seen. Each keeps its stack: ThreadSanitizer remembers the
// accesses of the thread that had it before, which are no race with those of the same fiber.

#include <cstddef>
#include <deque>

#include <simt/sanitizer.hpp>

namespace mien::simt {

class TsanFibers {
 public:
  struct FiberAndStack {
    void* fiber;
    sanitizer::StackBounds stack;
  };

  FiberAndStack take(const char* name);
  void give_back(const FiberAndStack& pair) { idle_.push_back(pair); }

  // Those of the process.
  static TsanFibers& shared();

 private:
  static constexpr std::size_t least_idle = 256;

  std::deque<FiberAndStack> idle_;
};

}  // namespace mien::simt
