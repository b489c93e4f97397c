#include <sys/mman.h>
#include <unistd.h>

#include <simt/stack_pool.hpp>

#include <mien/core/error.hpp>

namespace mien::simt {

namespace {

std::size_t guard_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

void* map(void* address, std::size_t size, int protection, int flags) {
  void* const mapped = mmap(address, size, protection, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(mapped != MAP_FAILED, "simt", "no memory for the stack of a CUDA thread");
  return mapped;
}

void* new_stack() {
  void* const guard = map(nullptr, guard_size() + StackPool::stack_size, PROT_NONE, MAP_NORESERVE);
  void* const bottom = static_cast<char*>(guard) + guard_size();
  check(mprotect(bottom, StackPool::stack_size, PROT_READ | PROT_WRITE) == 0, "simt",
        "no memory for the stack of a CUDA thread");
  return bottom;
}

// ThreadSanitizer remembers the accesses of the thread that had the stack before, which may be one
// of another block, unordered with the next owner. It forgets them when the memory is mapped anew.
[[maybe_unused]] void forget_accesses(void* bottom) {
  const sanitizer::Quiet quiet;
  map(bottom, StackPool::stack_size, PROT_READ | PROT_WRITE, MAP_FIXED);
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
  if constexpr (MIEN_TSAN) forget_accesses(bottom);
  return {bottom, stack_size};
}

StackPool& StackPool::shared() {
  static StackPool pool;
  return pool;
}

}  // namespace mien::simt
