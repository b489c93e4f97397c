#pragma once
// The allocator behind tensors, which keeps freed memory for reuse: a page that the system hands
// out has to be cleared first, which costs as much as using it.

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <new>
#include <utility>

#include <mien/config.hpp>
#include <mien/core/error.hpp>
#include <mien/core/mutex.hpp>

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

// Blocks up to `largest` bytes come in size classes of 1/8 of a power of two, so that one is at
// most 1/8 larger than asked. A freed one goes to its class's list, which runs through the blocks.
class SmallBlocks {
 public:
  static constexpr std::size_t largest = std::size_t{2} << 20;

  static constexpr std::size_t rounded(std::size_t bytes) {
    if (bytes <= 512) return (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
    const std::size_t step = std::bit_floor(bytes - 1) / 8;
    return (bytes + step - 1) / step * step;
  }

  // `size` bytes, as rounded() gives; null where no block of the class is free.
  void* take(std::size_t size) {
    FreeBlock*& list = free_[bin(size)];
    return list == nullptr ? nullptr : std::exchange(list, list->next);
  }

  void put(void* block, std::size_t size) {
    FreeBlock*& list = free_[bin(size)];
    list = new (block) FreeBlock{list};
  }

  static void* from_system(std::size_t size) { return std::aligned_alloc(64, size); }
  static void to_system(void* block) { std::free(block); }

  void release() {
    for (FreeBlock*& list : free_)
      while (FreeBlock* block = list) {
        list = block->next;
        to_system(block);
      }
  }

 private:
  struct FreeBlock {
    FreeBlock* next;
  };

  // Every size is a multiple of 64 up to 512, then k/8 of a power of two with k in 9..16.
  static constexpr std::size_t bin(std::size_t size) {
    if (size <= 512) return size / 64;
    const int exponent = static_cast<int>(std::bit_width(size - 1)) - 1;
    const std::size_t eighth = (size - 1) >> (exponent - 3);  // 8..15
    return 9 + static_cast<std::size_t>(exponent - 9) * 8 + (eighth - 8);
  }

  FreeBlock* free_[9 + 12 * 8] = {};
};

// Blocks above SmallBlocks::largest bytes are cut from mapped memory: the smallest free range that
// holds one (best fit) gives its first bytes, and a freed block grows together with the free ranges
// beside it, so that what one size leaves behind serves every other. Any free range can go back to
// the system, whichever mappings it came from. Searches walk all blocks: there are some hundreds,
// each of them large.
class LargeBlocks {
 public:
  static constexpr std::size_t rounded(std::size_t bytes) {
    constexpr std::size_t granule = std::size_t{64} << 10;
    return (bytes + granule - 1) / granule * granule;
  }

  // `size` bytes, as rounded() gives; null where no free range holds them.
  void* take(std::size_t size) {
    const auto best = best_free([&](std::size_t length, std::size_t so_far) {
      return length >= size && (so_far == 0 || length < so_far);
    });
    if (best == blocks_.end()) return nullptr;
    auto& [first, block] = *best;
    if (block.size > size) blocks_.emplace(first + size, Block{block.size - size, true});
    block = {size, false};
    return first;
  }

  void put(void* first) {
    const auto block = blocks_.find(static_cast<char*>(first));
    block->second.free = true;
    absorb(block, std::next(block));
    if (block != blocks_.begin()) absorb(std::prev(block), block);
  }

  // Maps room for `size` bytes, in whole huge pages, which cost far fewer page faults. Returns the
  // bytes mapped, 0 where the system has none to give.
  std::size_t map(std::size_t size) {
    const std::size_t length = (size + huge_page - 1) / huge_page * huge_page;
    if (length < size || length + huge_page < length) return 0;
    void* room = mmap(nullptr, length + huge_page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return 0;
    // One huge page more than needed, given back at both ends, aligns the rest.
    char* const begin = static_cast<char*>(room);
    const std::size_t head = huge_page - reinterpret_cast<std::uintptr_t>(begin) % huge_page;
    munmap(begin, head);
    if (head < huge_page) munmap(begin + head + length, huge_page - head);
    madvise(begin + head, length, MADV_HUGEPAGE);
    blocks_.emplace(begin + head, Block{length, false});
    put(begin + head);
    return length;
  }

  // Gives the largest free range back to the system. Returns its bytes, 0 where none is free.
  std::size_t release_largest() {
    const auto largest =
        best_free([](std::size_t length, std::size_t so_far) { return length > so_far; });
    if (largest == blocks_.end()) return 0;
    const auto [first, block] = *largest;
    munmap(first, block.size);
    blocks_.erase(largest);
    return block.size;
  }

 private:
  static constexpr std::size_t huge_page = std::size_t{2} << 20;

  struct Block {
    std::size_t size;
    bool free;
  };
  using Blocks = std::map<char*, Block>;  // by address; neighbours may come from two mappings

  template <class Better>
  Blocks::iterator best_free(Better&& better) {
    auto best = blocks_.end();
    for (auto block = blocks_.begin(); block != blocks_.end(); ++block)
      if (block->second.free &&
          better(block->second.size, best == blocks_.end() ? 0 : best->second.size))
        best = block;
    return best;
  }

  // Makes one free range of two that touch.
  void absorb(Blocks::iterator range, Blocks::iterator next) {
    if (next == blocks_.end() || !range->second.free || !next->second.free ||
        range->first + range->second.size != next->first)
      return;
    range->second.size += next->second.size;
    blocks_.erase(next);
  }

  Blocks blocks_;
};

// Keeps half more freed memory than the program once needed at a time, as what is free lies in
// pieces; 512 MiB at least.
class CachingAllocator {
 public:
  // AddressSanitizer sees only the heap, and only what is not kept.
  static constexpr bool caching = !MIEN_ASAN;
  static constexpr std::size_t least_limit = caching ? std::size_t{512} << 20 : 0;

  static CachingAllocator& instance() {
    static auto* allocator = new CachingAllocator;  // outlives every static tensor
    return *allocator;
  }

  static constexpr std::size_t rounded(std::size_t bytes) {
    return is_large(bytes) ? LargeBlocks::rounded(bytes) : SmallBlocks::rounded(bytes);
  }

  void* allocate(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    check(size >= bytes, "memory", "cannot allocate ", bytes, " bytes");
    const MutexLock lock(mutex_);
    void* block = !caching         ? SmallBlocks::from_system(size)
                  : is_large(size) ? take_large(size)
                                   : take_small(size);
    if (block == nullptr)
      throw OutOfMemory(str("[memory] out of memory: cannot allocate ", bytes, " bytes"));
    stats_.in_use += size;
    stats_.peak = std::max(stats_.peak, stats_.in_use);
    if (caching) limit_ = std::max(limit_, stats_.in_use + stats_.in_use / 2);
    return block;
  }

  void deallocate(void* block, std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    const MutexLock lock(mutex_);
    stats_.in_use -= size;
    if (!caching) return SmallBlocks::to_system(block);
    stats_.cached += size;
    if (is_large(size))
      large_.put(block);
    else
      small_.put(block, size);
    release_above(limit_);
  }

  // Returns every kept block to the system, and forgets how much the program once needed.
  void trim() {
    const MutexLock lock(mutex_);
    release_above(0);
    limit_ = least_limit;
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
  static constexpr bool is_large(std::size_t bytes) {
    return caching && bytes > SmallBlocks::largest;
  }

  void* take_small(std::size_t size) {
    if (void* block = small_.take(size)) {
      stats_.cached -= size;
      return block;
    }
    if (void* block = SmallBlocks::from_system(size)) return block;
    release_above(0);
    return SmallBlocks::from_system(size);
  }

  void* take_large(std::size_t size) {
    void* block = large_.take(size);
    if (block == nullptr) {
      std::size_t mapped = large_.map(size);
      if (mapped == 0) {
        release_above(0);
        mapped = large_.map(size);
      }
      if (mapped == 0) return nullptr;
      stats_.cached += mapped;
      block = large_.take(size);
    }
    stats_.cached -= size;
    return block;
  }

  void release_above(std::size_t limit) {
    while (stats_.cached > limit) {
      const std::size_t released = large_.release_largest();
      stats_.cached -= released;
      if (released > 0) continue;
      small_.release();
      stats_.cached = 0;
    }
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  SmallBlocks small_;
  LargeBlocks large_;
  std::size_t limit_ = least_limit;  // of stats_.cached
  MemoryStats stats_;
};

}  // namespace detail

inline MemoryStats memory_stats() { return detail::CachingAllocator::instance().stats(); }

// Begins another measurement of the peak.
inline void reset_peak_memory() { detail::CachingAllocator::instance().reset_peak(); }

// Returns memory that mien keeps for reuse to the system.
inline void trim_memory() { detail::CachingAllocator::instance().trim(); }

}  // namespace mien
