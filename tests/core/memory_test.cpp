#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/core/tensor.hpp>

#include "support/thrown.hpp"

// The sanitizers end a program that asks for too much memory unless told to return null.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }

namespace {

using mien::make_ref;
using mien::memory_stats;
using mien::Ref;
using mien::RefCounted;
using mien::Shape;
using mien::Storage;
using mien::detail::CachingAllocator;

TEST(Allocator, SizeClassesAreCloseAndStable) {
  std::vector<std::size_t> sizes;
  for (std::size_t n = 0; n < 5000; ++n) sizes.push_back(n);
  for (int shift = 13; shift < 62; ++shift)
    for (std::size_t eighth = 8; eighth < 16; ++eighth)
      for (std::size_t beside = 0; beside < 3; ++beside)
        sizes.push_back((eighth << (shift - 3)) + beside - 1);
  for (const std::size_t bytes : sizes) {
    const std::size_t size = CachingAllocator::rounded(bytes);
    ASSERT_GE(size, bytes);
    ASSERT_GT(size, 0u);
    ASSERT_EQ(size % 64, 0u);
    ASSERT_LE(size, bytes + bytes / 8 + 64);
    ASSERT_EQ(CachingAllocator::rounded(size), size) << bytes;
  }
}

class Memory : public testing::Test {
 protected:
  void SetUp() override { mien::trim_memory(); }
  void TearDown() override { mien::trim_memory(); }
  CachingAllocator& allocator = CachingAllocator::instance();
};

TEST_F(Memory, BlocksAreAlignedAndCounted) {
  const auto before = memory_stats();
  for (const std::size_t bytes : {0u, 1u, 64u, 65u, 513u, 100000u, 5u << 20}) {
    void* block = allocator.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    EXPECT_EQ(memory_stats().in_use, before.in_use + CachingAllocator::rounded(bytes));
    EXPECT_GE(memory_stats().peak, memory_stats().in_use);
    allocator.deallocate(block, bytes);
    EXPECT_EQ(memory_stats().in_use, before.in_use);
  }
}

TEST_F(Memory, FreedBlocksAreReusedForTheirSizeClass) {
  void* first = allocator.allocate(1000);
  void* second = allocator.allocate(1000);
  allocator.deallocate(first, 1000);
  allocator.deallocate(second, 1000);
  if (!CachingAllocator::caching) GTEST_SKIP() << "nothing is kept under AddressSanitizer";
  EXPECT_EQ(memory_stats().cached, 2 * CachingAllocator::rounded(1000));
  void* other = allocator.allocate(2000);
  EXPECT_TRUE(other != first && other != second);
  EXPECT_EQ(allocator.allocate(1020), second);  // rounded as 1000 is
  EXPECT_EQ(allocator.allocate(1000), first);
  EXPECT_EQ(memory_stats().cached, 0u);
  allocator.deallocate(first, 1000);
  allocator.deallocate(second, 1000);
  allocator.deallocate(other, 2000);
  mien::trim_memory();
  EXPECT_EQ(memory_stats().cached, 0u);
}

constexpr std::size_t mebibyte = std::size_t{1} << 20;

TEST_F(Memory, WhatALargeBlockLeavesServesOtherSizes) {
  if (!CachingAllocator::caching) GTEST_SKIP() << "nothing is kept under AddressSanitizer";
  auto* whole = static_cast<char*>(allocator.allocate(40 * mebibyte));
  allocator.deallocate(whole, 40 * mebibyte);
  const std::size_t cached = memory_stats().cached;
  std::vector<char*> parts;
  for (int i = 0; i < 10; ++i)
    parts.push_back(static_cast<char*>(allocator.allocate(4 * mebibyte)));
  EXPECT_EQ(memory_stats().cached, cached - 40 * mebibyte) << "nothing new was mapped";
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(parts[i], whole + i * 4 * mebibyte);
  // A hole between blocks in use serves what fits into it best.
  allocator.deallocate(parts[7], 4 * mebibyte);
  allocator.deallocate(parts[2], 4 * mebibyte);
  allocator.deallocate(parts[3], 4 * mebibyte);
  EXPECT_EQ(allocator.allocate(3 * mebibyte), parts[7]);
  EXPECT_EQ(allocator.allocate(5 * mebibyte), parts[2]);
  allocator.deallocate(parts[7], 3 * mebibyte);
  allocator.deallocate(parts[2], 5 * mebibyte);
  for (const std::size_t i : {9u, 0u, 4u, 6u, 5u, 8u, 1u})
    allocator.deallocate(parts[i], 4 * mebibyte);
  EXPECT_EQ(memory_stats().cached, cached);
  EXPECT_EQ(allocator.allocate(40 * mebibyte), whole);
  allocator.deallocate(whole, 40 * mebibyte);
}

TEST_F(Memory, HalfMoreIsKeptThanWasNeededAtATime) {
  const std::size_t least = CachingAllocator::least_limit;
  const std::size_t large = 320 * mebibyte, others = memory_stats().in_use;
  void* a = allocator.allocate(large);
  allocator.deallocate(a, large);
  void* b = allocator.allocate(large);
  void* c = allocator.allocate(large);
  allocator.deallocate(b, large);
  allocator.deallocate(c, large);
  if (CachingAllocator::caching) {
    EXPECT_EQ(memory_stats().cached, 2 * large);
  }
  mien::trim_memory();
  EXPECT_EQ(memory_stats().cached, 0u);
  // Sizes that are no longer used do not fill the cache.
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t size = large + i * 40 * mebibyte;
    allocator.deallocate(allocator.allocate(size), size);
    EXPECT_LE(memory_stats().cached, std::max(least, (others + size) / 2 * 3));
  }
}

// Blocks of random sizes, each filled with its number: none may reach into another.
TEST_F(Memory, BlocksOfRandomSizesNeverOverlap) {
  struct Held {
    std::uint64_t* words;
    std::size_t bytes;
    std::uint64_t number;
  };
  std::mt19937_64 random(7);
  std::vector<Held> held;
  const auto give_back = [&](std::size_t i) {
    const Held block = held[i];
    for (std::size_t word = 0; word < block.bytes / 8; word += 64)
      ASSERT_EQ(block.words[word], block.number);
    ASSERT_EQ(block.words[block.bytes / 8 - 1], block.number);
    allocator.deallocate(block.words, block.bytes);
    held[i] = held.back();
    held.pop_back();
  };
  const auto before = memory_stats().in_use;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const std::size_t bytes = std::size_t{16} << (random() % 20) | random() % 500 * 8;  // to 8 MiB
    auto* words = static_cast<std::uint64_t*>(allocator.allocate(bytes));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(words) % 64, 0u);
    for (std::size_t word = 0; word < bytes / 8; word += 64) words[word] = number;
    words[bytes / 8 - 1] = number;
    held.push_back({words, bytes, number});
    while (held.size() > 40 || (random() % 3 == 0 && !held.empty()))
      give_back(random() % held.size());
    if (number % 100 == 99) mien::trim_memory();
  }
  while (!held.empty()) give_back(0);
  EXPECT_EQ(memory_stats().in_use, before);
}

TEST_F(Memory, AskingForTooMuchIsAnErrorAndLeavesNoTrace) {
  const auto before = memory_stats();
  EXPECT_EQ(mien::test::thrown([&] { allocator.allocate(std::size_t{1} << 60); }),
            "[memory] out of memory: cannot allocate 1152921504606846976 bytes");
  EXPECT_THROW(allocator.allocate(std::size_t{1} << 61), mien::OutOfMemory);
  EXPECT_THROW(allocator.allocate(std::numeric_limits<std::size_t>::max()), mien::Error);
  EXPECT_THROW(mien::Tensor<float>({1 << 30, 1 << 28}), mien::OutOfMemory);
  EXPECT_EQ(memory_stats().in_use, before.in_use);
  EXPECT_EQ(memory_stats().peak, before.peak);
}

TEST_F(Memory, PeakCanBeMeasuredAgain) {
  { const mien::Tensor<float> x({1 << 20}); }
  mien::reset_peak_memory();
  EXPECT_EQ(memory_stats().peak, memory_stats().in_use);
  const std::size_t before = memory_stats().in_use;
  { const mien::Tensor<float> x({1 << 20}); }
  EXPECT_EQ(memory_stats().peak, before + (4u << 20));
}

TEST_F(Memory, ManyThreadsMayAllocate) {
  const auto before = memory_stats();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        const std::int64_t n = 1 + (i * 37 + t * 101) % 3000;
        const auto x = mien::Tensor<std::int32_t>::full({n}, t);
        for (std::int64_t k = 0; k < n; ++k) ASSERT_EQ(x.data()[k], t);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(memory_stats().in_use, before.in_use);
}

struct Packed final : RefCounted {};

TEST(Derived, IsMadeOnceUntilTheBytesMayHaveChanged) {
  const auto storage = make_ref<Storage>(std::size_t{64});
  static const char kind = 0, other_kind = 0;
  int made = 0;
  const auto get = [&](const void* of, std::int64_t offset, const Shape& shape) {
    return storage->derived({of, offset, shape}, [&] {
      ++made;
      return Ref<RefCounted>(make_ref<Packed>());
    });
  };
  const auto first = get(&kind, 0, {4});
  EXPECT_EQ(get(&kind, 0, {4}), first);
  EXPECT_EQ(made, 1);
  EXPECT_FALSE(get(&other_kind, 0, {4}) == first);
  EXPECT_FALSE(get(&kind, 4, {4}) == first);
  EXPECT_FALSE(get(&kind, 0, {2, 2}) == first);
  EXPECT_EQ(made, 4);
  EXPECT_EQ(get(&kind, 0, {4}), first);
  storage->mutable_data();
  EXPECT_FALSE(get(&kind, 0, {4}) == first);
  EXPECT_EQ(made, 5);
}

TEST(Derived, IsMadeOnceForManyThreads) {
  const auto storage = make_ref<Storage>(std::size_t{64});
  static const char kind = 0;
  int made = 0;  // guarded by the storage
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i)
        EXPECT_TRUE(storage->derived({&kind, 0, {}}, [&] {
          ++made;
          return Ref<RefCounted>(make_ref<Packed>());
        }));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

struct Counted : RefCounted {
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  ~Counted() override { --alive_; }
  int& alive_;
};
struct Special final : Counted {
  using Counted::Counted;
};

TEST(Ref, OwnsItsObject) {
  int alive = 0;
  {
    auto a = make_ref<Special>(alive);
    EXPECT_EQ(a->use_count(), 1u);
    const Ref<Counted> base = a;
    EXPECT_EQ(a->use_count(), 2u);
    Ref<Special> b = a;
    b = std::move(a);
    EXPECT_FALSE(a);
    Ref<Special>& alias = b;
    b = alias;
    b = std::move(alias);
    EXPECT_TRUE(b);
    EXPECT_EQ(b->use_count(), 2u);
    EXPECT_EQ(alive, 1);
    b.reset();
    b.reset();
    EXPECT_EQ(base->use_count(), 1u);
    b = make_ref<Special>(alive);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
  const Ref<Counted> null, copy = null;
  EXPECT_FALSE(copy);
  EXPECT_EQ(copy.get(), nullptr);
}

}  // namespace
