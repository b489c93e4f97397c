#pragma once
// Stacks for fibers, each above an inaccessible page that turns an overflow into a fault. They are
// handed out last in, first out, so that threads which never wait share one warm stack.

#include <cstddef>
#include <vector>

#include <simt/sanitizer.hpp>

namespace mien::simt {

class StackPool {
 public:
  // Room for a sanitizer's report beside a kernel's frames; pages that are not touched cost
  // nothing.
  static constexpr std::size_t stack_size = 64 * 1024;

  StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool();

  sanitizer::StackBounds take();
  void give_back(const sanitizer::StackBounds& stack) { free_.push_back(stack.bottom); }

  // The pool of the process.
  static StackPool& shared();

 private:
  std::vector<const void*> free_;
};

}  // namespace mien::simt
