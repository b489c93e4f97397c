#pragma once
// Storage, the bytes behind tensors.

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <mien/core/allocator.hpp>
#include <mien/core/device.hpp>
#include <mien/core/mutex.hpp>
#include <mien/core/ref.hpp>
#include <mien/core/shape.hpp>

namespace mien {

// The bytes behind tensors: aligned to 64, shared by reference count.
class Storage final : public RefCounted {
 public:
  explicit Storage(std::size_t bytes, Device device = {}) : bytes_(bytes), device_(device) {
    with_device(device, [&](Cpu) { data_ = detail::CachingAllocator::instance().allocate(bytes); });
  }

  // Memory of somebody else, which `owner` keeps alive (a mapped file, an arena).
  Storage(void* data, std::size_t bytes, Ref<RefCounted> owner)
      : data_(data), bytes_(bytes), owner_(std::move(owner)), borrowed_(true) {}

  ~Storage() override {
    free_memory();
    pthread_mutex_destroy(&mutex_);
  }

  // Moves the bytes to `data`, as many there, which `owner` keeps alive: all tensors on this
  // storage follow. Pointers to the elements from before are no longer valid.
  void relocate(void* data, Ref<RefCounted> owner) {
    if (bytes_ > 0) std::memcpy(data, mutable_data(), bytes_);
    free_memory();
    data_ = data;
    owner_ = std::move(owner);
    borrowed_ = true;
  }

  const void* data() const { return data_; }
  void* mutable_data() {
    version_.fetch_add(1, std::memory_order_relaxed);
    return data_;
  }
  std::size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

  // Counts how often write access was handed out.
  std::uint64_t version() const { return version_.load(std::memory_order_relaxed); }

  // Says what a derived object was made of and as what (an address that is unique to the kind).
  struct DerivedKey {
    const void* kind;
    std::int64_t offset;
    Shape shape;
    friend bool operator==(const DerivedKey& a, const DerivedKey& b) {
      return a.kind == b.kind && a.offset == b.offset && a.shape == b.shape;
    }
  };

  // Something computed from these bytes, such as packed weights: made once, kept until write access
  // is next handed out. Thread-safe.
  template <class Make>
  Ref<RefCounted> derived(const DerivedKey& key, Make&& make) {
    const detail::MutexLock lock(mutex_);
    if (derived_version_ != version()) {
      derived_.clear();
      derived_version_ = version();
    }
    for (const auto& [known, object] : derived_)
      if (known == key) return object;
    Ref<RefCounted> object = make();
    derived_.emplace_back(key, object);
    return object;
  }

 private:
  void free_memory() {
    if (!borrowed_) detail::CachingAllocator::instance().deallocate(data_, bytes_);
  }

  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  Device device_;
  Ref<RefCounted> owner_;
  bool borrowed_ = false;
  std::atomic<std::uint64_t> version_{0};
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;  // guards derived_
  std::uint64_t derived_version_ = 0;
  std::vector<std::pair<DerivedKey, Ref<RefCounted>>> derived_;
};

}  // namespace mien
