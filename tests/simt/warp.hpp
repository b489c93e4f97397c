#pragma once
// CUDA's warp operations: shuffles, votes, reductions.
// CUDA C++ Programming Guide, "Warp Shuffle Functions", "Warp Vote Functions", "Warp Reduce
// Functions"; borders of segments as in the PTX instruction shfl.sync.

#include <bit>
#include <cstring>
#include <type_traits>

#include <mien/core/error.hpp>
#include <simt/thread.hpp>

namespace mien::simt {

namespace detail {

template <class T>
concept Shuffled = std::is_trivially_copyable_v<T> &&(sizeof(T) == 4 || sizeof(T) == 8);

template <Shuffled T>
std::uint64_t to_bits(const T& value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

// The value of the lane that pick(lane, first, last) names, given its segment of `width` lanes.
template <Shuffled T, class Pick>
T shuffle(const Site& site, unsigned mask, T value, int width, Pick pick) {
  check(std::has_single_bit(static_cast<unsigned>(width)) && width <= warp_size, "simt",
        site.operation, " of width ", width, ", expected a power of two up to 32");
  const LaneValues& values = exchange(site, mask, to_bits(value));
  const int self = lane(), first = self & ~(width - 1), last = first + width - 1;
  const int source = pick(self, first, last);
  check((mask >> source & 1u) != 0, "simt", site.operation, ": lane ", self, " reads lane ", source,
        ", which its mask lacks");
  std::memcpy(&value, &values[static_cast<std::size_t>(source)], sizeof value);
  return value;
}

// combine() over what the lanes of the mask brought.
template <class T, class Combine>
T reduce(const Site& site, unsigned mask, T value, Combine combine) {
  const LaneValues& values = exchange(site, mask, static_cast<std::uint64_t>(value));
  bool first = true;
  for (std::size_t i = 0; i < warp_size; ++i) {
    if ((mask >> i & 1u) == 0) continue;
    const T other = static_cast<T>(values[i]);
    value = first ? other : combine(value, other);
    first = false;
  }
  return value;
}

}  // namespace detail

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warp_size,
              Where where = Where::current()) {
  return detail::shuffle({"__shfl_sync", where}, mask, value, width,
                         [=](int, int first, int) { return first + (source & (width - 1)); });
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warp_size,
                 Where where = Where::current()) {
  return detail::shuffle({"__shfl_up_sync", where}, mask, value, width,
                         [=](int self, int first, int) {
                           const int source = self - static_cast<int>(delta);
                           return source < first ? self : source;
                         });
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warp_size,
                   Where where = Where::current()) {
  return detail::shuffle({"__shfl_down_sync", where}, mask, value, width,
                         [=](int self, int, int last) {
                           const int source = self + static_cast<int>(delta);
                           return source > last ? self : source;
                         });
}

// Lanes of lower segments may be read, lanes of higher ones not.
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warp_size,
                  Where where = Where::current()) {
  return detail::shuffle({"__shfl_xor_sync", where}, mask, value, width,
                         [=](int self, int, int last) {
                           const int source = self ^ lane_mask;
                           return source > last ? self : source;
                         });
}

inline unsigned __ballot_sync(unsigned mask, int predicate, Where where = Where::current()) {
  const LaneValues& values = exchange({"__ballot_sync", where}, mask, predicate != 0);
  unsigned votes = 0;
  for (std::size_t i = 0; i < warp_size; ++i) votes |= static_cast<unsigned>(values[i]) << i;
  return votes;
}

inline int __any_sync(unsigned mask, int predicate, Where where = Where::current()) {
  return detail::reduce({"__any_sync", where}, mask, predicate != 0 ? 1 : 0,
                        [](int a, int b) { return a | b; });
}

inline int __all_sync(unsigned mask, int predicate, Where where = Where::current()) {
  return detail::reduce({"__all_sync", where}, mask, predicate != 0 ? 1 : 0,
                        [](int a, int b) { return a & b; });
}

// What the GPU reduces: 32-bit integers, and bits of unsigned ones.
template <class T>
concept Reduced = std::is_same_v<T, int> || std::is_same_v<T, unsigned>;

template <Reduced T>
T __reduce_add_sync(unsigned mask, T value, Where where = Where::current()) {
  return detail::reduce({"__reduce_add_sync", where}, mask, value, [](T a, T b) {
    return static_cast<T>(static_cast<unsigned>(a) + static_cast<unsigned>(b));  // wraps around
  });
}

template <Reduced T>
T __reduce_min_sync(unsigned mask, T value, Where where = Where::current()) {
  return detail::reduce({"__reduce_min_sync", where}, mask, value,
                        [](T a, T b) { return a < b ? a : b; });
}

template <Reduced T>
T __reduce_max_sync(unsigned mask, T value, Where where = Where::current()) {
  return detail::reduce({"__reduce_max_sync", where}, mask, value,
                        [](T a, T b) { return a < b ? b : a; });
}

inline unsigned __reduce_and_sync(unsigned mask, unsigned value, Where where = Where::current()) {
  return detail::reduce({"__reduce_and_sync", where}, mask, value,
                        [](unsigned a, unsigned b) { return a & b; });
}

inline unsigned __reduce_or_sync(unsigned mask, unsigned value, Where where = Where::current()) {
  return detail::reduce({"__reduce_or_sync", where}, mask, value,
                        [](unsigned a, unsigned b) { return a | b; });
}

inline unsigned __reduce_xor_sync(unsigned mask, unsigned value, Where where = Where::current()) {
  return detail::reduce({"__reduce_xor_sync", where}, mask, value,
                        [](unsigned a, unsigned b) { return a ^ b; });
}

}  // namespace mien::simt
