#pragma once
// What the running CUDA thread can ask of its block; CUDA's own functions are written with these.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace mien::simt {

inline constexpr int warp_size = 32;
inline constexpr unsigned full_mask = 0xffffffffu;

// A place in a source file: of the call whose default argument current() is. Clang 14 has no
// std::source_location. Two calls on one line are one place.
struct Where {
  const char* file;
  int line;
  static constexpr Where current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

// The call at which threads wait for each other.
struct Site {
  const char* operation;
  Where where;
};
std::string to_string(const Site& site);

// What the lanes of a mask bring to a warp operation.
using LaneValues = std::array<std::uint64_t, warp_size>;

// Waits for every thread of the block.
void barrier(const Site& site);

// Waits for the lanes of `mask` at the same call and returns what each of them brought, which stays
// until the thread waits again. Memory is ordered only if asked for: CUDA's shuffles and votes do
// not order it.
const LaneValues& exchange(const Site& site, unsigned mask, std::uint64_t value,
                           bool orders_memory = false);

int lane();

// cp.async of the running thread; from null: zeros. Made when the thread waits, or at once
// (Schedule).
void copy_async(void* to, const void* from, std::size_t bytes);
void commit_copies();
void wait_copies(std::size_t pending);

void* dynamic_shared();

// The block's array that `key` stands for.
void* shared_variable(const void* key, std::size_t bytes, std::size_t alignment);

template <class Array>
Array& shared(const void* key) {
  return *static_cast<Array*>(shared_variable(key, sizeof(Array), alignof(Array)));
}

}  // namespace mien::simt
