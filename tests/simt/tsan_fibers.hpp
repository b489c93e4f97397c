#pragma once
// ThreadSanitizer's fibers, one under each CUDA thread. To make one takes 0.3 ms (GCC 12), so they
// are used again, the longest idle first: a thread is unordered with the 256 threads before it at
// least, which are those of the block before. With threads further back it may share a fiber, and
// races between those two would not be seen.

#include <cstddef>
#include <deque>

namespace mien::simt {

class TsanFibers {
 public:
  void* take(const char* name);
  void give_back(void* fiber) { idle_.push_back(fiber); }

  // Those of the process.
  static TsanFibers& shared();

 private:
  static constexpr std::size_t least_idle = 256;

  std::deque<void*> idle_;
};

}  // namespace mien::simt
