#include <sys/mman.h>
#include <unistd.h>

#include <simt/stack_pool.hpp>

#include <mien/core/error.hpp>

namespace mien::simt {

namespace {

std::size_t guard_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

void* new_stack() {
  void* const guard = mmap(nullptr, guard_size() + StackPool::stack_size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(guard != MAP_FAILED, "simt", "no memory for the stack of a CUDA thread");
  void* const bottom = static_cast<char*>(guard) + guard_size();
  check(mprotect(bottom, StackPool::stack_size, PROT_READ | PROT_WRITE) == 0, "simt",
        "no memory for the stack of a CUDA thread");
  return bottom;
}

}  // namespace

StackPool::~StackPool() {
  for (const void* bottom : free_)
    munmap(static_cast<char*>(const_cast<void*>(bottom)) - guard_size(), guard_size() + stack_size);
}

sanitizer::StackBounds StackPool::take() {
  if (free_.empty()) return {new_stack(), stack_size};
  void* const bottom = const_cast<void*>(free_.back());
  free_.pop_back();
  return {bottom, stack_size};
}

StackPool& StackPool::shared() {
  static StackPool pool;
  return pool;
}

}  // namespace mien::simt
