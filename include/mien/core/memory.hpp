#pragma once
// Memory: an allocator that keeps freed blocks for reuse, and Storage, the bytes behind tensors.

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include <mien/config.hpp>
#include <mien/core/device.hpp>
#include <mien/core/error.hpp>
#include <mien/core/mutex.hpp>
#include <mien/core/ref.hpp>
#include <mien/core/shape.hpp>

namespace mien {

// Memory for a tensor could not be had; a caller with a smaller job to offer may go on.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

struct MemoryStats {
  std::size_t in_use = 0;  // bytes handed out
  std::size_t cached = 0;  // bytes freed by the program and kept for reuse
  std::size_t peak = 0;    // largest in_use so far, or since reset_peak_memory()
};

namespace detail {

// Blocks come in size classes of 1/8 of a power of two, so a block is at most 1/8 larger than
// asked. Freed blocks go to their class's list, which runs through the blocks themselves. At most
// cache_limit bytes are kept: a block that does not fit any more drives out all others, as sizes
// that a program has stopped using would otherwise fill the cache for good.
class CachingAllocator {
 public:
  static constexpr std::size_t alignment = 64;
  static constexpr std::size_t cache_limit = MIEN_ASAN ? 0 : std::size_t{512} << 20;

  static CachingAllocator& instance() {
    static auto* allocator = new CachingAllocator;  // outlives every static tensor
    return *allocator;
  }

  static std::size_t rounded(std::size_t bytes) {
    if (bytes <= 512) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
    const std::size_t step = std::bit_floor(bytes - 1) / 8;
    return (bytes + step - 1) / step * step;
  }

  void* allocate(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    check(size >= bytes, "memory", "cannot allocate ", bytes, " bytes");
    if (void* block = take_cached(size)) return block;
    void* block = from_system(size);
    if (block == nullptr) {
      trim();
      block = from_system(size);
    }
    if (block == nullptr)
      throw OutOfMemory(str("[memory] out of memory: cannot allocate ", bytes, " bytes"));
    const MutexLock lock(mutex_);
    count(size);
    return block;
  }

  void deallocate(void* block, std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    {
      const MutexLock lock(mutex_);
      stats_.in_use -= size;
      if (size <= cache_limit) {
        if (stats_.cached + size > cache_limit) free_cached();
        FreeBlock*& list = free_[bin(size)];
        list = new (block) FreeBlock{list};
        stats_.cached += size;
        return;
      }
    }
    to_system(block, size);
  }

  // Returns every cached block to the system.
  void trim() {
    const MutexLock lock(mutex_);
    free_cached();
  }

  MemoryStats stats() {
    const MutexLock lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    const MutexLock lock(mutex_);
    stats_.peak = stats_.in_use;
  }

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  static constexpr std::size_t huge_page = std::size_t{2} << 20;

  // Every size is a multiple of 64 up to 512, then k/8 of a power of two with k in 9..16.
  static std::size_t bin(std::size_t size) {
    if (size <= 512) return size / 64;
    const int exponent = static_cast<int>(std::bit_width(size - 1)) - 1;
    const std::size_t eighth = (size - 1) >> (exponent - 3);  // 8..15
    return 9 + static_cast<std::size_t>(exponent - 9) * 8 + (eighth - 8);
  }

  // The size of the blocks of a bin.
  static std::size_t size_of_bin(std::size_t bin) {
    if (bin <= 8) return bin * 64;
    return (8 + (bin - 9) % 8 + 1) << ((bin - 9) / 8 + 9 - 3);
  }

  // Large blocks are mapped: given back they leave no holes, as those of a heap would.
  // AddressSanitizer sees only the heap.
  static bool is_mapped(std::size_t size) { return !MIEN_ASAN && size >= huge_page; }
  static std::size_t pages(std::size_t size) { return (size + 4095) / 4096 * 4096; }

  static void* from_system(std::size_t size) {
    if (!is_mapped(size)) return std::aligned_alloc(alignment, size);
    // Room to align by, given back at both ends: whole huge pages cost far fewer page faults.
    const std::size_t length = pages(size), slack = huge_page - 4096;
    void* room =
        mmap(nullptr, length + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return nullptr;
    char* first = static_cast<char*>(room);
    const std::size_t head =
        (huge_page - reinterpret_cast<std::uintptr_t>(first) % huge_page) % huge_page;
    if (head > 0) munmap(first, head);
    if (slack > head) munmap(first + head + length, slack - head);
    madvise(first + head, length, MADV_HUGEPAGE);
    return first + head;
  }

  static void to_system(void* block, std::size_t size) {
    if (is_mapped(size))
      munmap(block, pages(size));
    else
      std::free(block);
  }

  void* take_cached(std::size_t size) {
    const MutexLock lock(mutex_);
    FreeBlock*& list = free_[bin(size)];
    if (list == nullptr) return nullptr;
    stats_.cached -= size;
    count(size);
    return std::exchange(list, list->next);
  }

  void count(std::size_t size) {
    stats_.in_use += size;
    if (stats_.in_use > stats_.peak) stats_.peak = stats_.in_use;
  }

  void free_cached() {
    for (std::size_t bin = 0; bin < std::size(free_); ++bin)
      while (FreeBlock* block = free_[bin]) {
        free_[bin] = block->next;
        to_system(block, size_of_bin(bin));
      }
    stats_.cached = 0;
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  FreeBlock* free_[9 + 55 * 8] = {};
  MemoryStats stats_;
};

}  // namespace detail

inline MemoryStats memory_stats() { return detail::CachingAllocator::instance().stats(); }

// Begins another measurement of the peak.
inline void reset_peak_memory() { detail::CachingAllocator::instance().reset_peak(); }

// Returns memory that mien keeps for reuse to the system.
inline void trim_memory() { detail::CachingAllocator::instance().trim(); }

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
