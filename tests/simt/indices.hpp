#pragma once
// Sizes of grids and blocks, and places in them: CUDA's dim3 and uint3.

#include <cstdint>
#include <string>

#include <mien/core/error.hpp>

namespace mien::simt {

struct uint3 {
  unsigned x = 0, y = 0, z = 0;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}

  std::int64_t count() const { return std::int64_t{x} * y * z; }

  // The place of number `i` in the order of CUDA: x varies first.
  uint3 place(std::int64_t i) const {
    return {static_cast<unsigned>(i % x), static_cast<unsigned>(i / x % y),
            static_cast<unsigned>(i / x / y)};
  }
};

inline std::string to_string(const uint3& i) { return str('(', i.x, ", ", i.y, ", ", i.z, ')'); }
inline std::string to_string(const dim3& d) { return str(d.x, 'x', d.y, 'x', d.z); }

// A call of a kernel is in these places: threadIdx and its like. One CUDA thread runs at a time, on
// one thread of the operating system, so there is one set of them.
struct Indices {
  uint3 thread, block;
  dim3 block_size, grid_size;
};
inline constinit Indices indices;

}  // namespace mien::simt
