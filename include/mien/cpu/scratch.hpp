#pragma once
// Memory that one kernel call needs for a moment, from mien's reusing allocator.

#include <cstdint>

#include <mien/core/memory.hpp>

namespace mien::kernels {

// Uninitialised room for `size` elements, aligned to 64 bytes; null where size is 0.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t size) : bytes_(static_cast<std::size_t>(size) * sizeof(T)) {
    if (size > 0) data_ = mien::detail::CachingAllocator::instance().allocate(bytes_);
  }
  ~Scratch() {
    if (data_) mien::detail::CachingAllocator::instance().deallocate(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() { return static_cast<T*>(data_); }

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
};

}  // namespace mien::kernels
