#pragma once
// Random numbers from Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011). Counter-based: element i of a draw depends on (seed, offset, i) alone, so
// the numbers do not depend on the number of threads or on the device.

#include <array>
#include <cmath>
#include <cstdint>

#include <mien/core/parallel.hpp>
#include <mien/core/tensor.hpp>

namespace mien {

// Four 32-bit words for a 128-bit counter (low and high half) under a 64-bit key.
inline std::array<std::uint32_t, 4> philox(std::uint64_t counter_low, std::uint64_t counter_high,
                                           std::uint64_t key) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::uint32_t c0 = low(counter_low), c1 = high(counter_low), c2 = low(counter_high),
                c3 = high(counter_high), k0 = low(key), k1 = high(key);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = high(p1) ^ c1 ^ k0;
    c1 = low(p1);
    c2 = high(p0) ^ c3 ^ k1;
    c3 = low(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {c0, c1, c2, c3};
}

// A stream of random numbers. Each draw takes a fresh range of counters, so copying a Generator
// repeats its draws: what SAM's second pass does with dropout masks.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }
  std::uint64_t offset() const { return offset_; }
  void set_offset(std::uint64_t offset) { offset_ = offset; }

  // A stream of its own for (a, b), such as an example and an epoch: its numbers depend on the
  // seed, a and b, not on what was drawn before.
  Generator stream(std::uint64_t a, std::uint64_t b = 0) const {
    const auto words = philox(a, b, seed_ ^ 0x9E3779B97F4A7C15u);
    return Generator((std::uint64_t{words[1]} << 32) | words[0]);
  }

  // Reserves one draw and returns its number.
  std::uint64_t next_draw() { return offset_++; }

  // One uniform number in [0, 1).
  float uniform() { return to_unit(philox(0, next_draw(), seed_)[0]); }

  // One integer in [0, n), n > 0, by multiplication of a 64-bit word (bias below n / 2^64).
  std::uint64_t below(std::uint64_t n) {
    const auto word = philox(0, next_draw(), seed_);
    const auto bits = (std::uint64_t{word[0]} << 32) | word[1];
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits) * n) >> 64);
  }

  // 24 random bits as a float in [0, 1).
  static float to_unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

 private:
  std::uint64_t seed_, offset_ = 0;
};

// The stream that layers draw from when they are given none; one per thread, of seed 0 at first.
inline Generator& default_generator() {
  static thread_local Generator generator;
  return generator;
}

inline void manual_seed(std::uint64_t seed) { default_generator() = Generator(seed); }

namespace detail {

// Calls fill(values, i) for i = 0, 4, 8, ... with the four words of each counter.
template <class T, class Fill>
Tensor<T> random_fill(const Shape& shape, Generator& generator, Fill fill) {
  Tensor<T> out(shape);
  T* p = out.mutable_data();
  const std::uint64_t draw = generator.next_draw(), seed = generator.seed();
  const std::int64_t n = out.numel();
  parallel_for((n + 3) / 4, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const auto values = fill(philox(static_cast<std::uint64_t>(block), draw, seed));
      for (std::int64_t i = 4 * block; i < 4 * block + 4 && i < n; ++i)
        p[i] = static_cast<T>(values[static_cast<std::size_t>(i % 4)]);
    }
  });
  return out;
}

}  // namespace detail

// Uniform numbers from 24 random bits each: low + (high - low) u with u in [0, 1). Rounding to T
// may give `high` itself.
template <FloatElement T>
Tensor<T> rand(const Shape& shape, Generator& generator, Compute<T> low = 0, Compute<T> high = 1) {
  return detail::random_fill<T>(shape, generator, [=](const std::array<std::uint32_t, 4>& words) {
    std::array<Compute<T>, 4> values;
    for (std::size_t i = 0; i < 4; ++i)
      values[i] = low + (high - low) * static_cast<Compute<T>>(Generator::to_unit(words[i]));
    return values;
  });
}

// Normal numbers of mean 0 and variance 1, by Box-Muller.
template <FloatElement T>
Tensor<T> randn(const Shape& shape, Generator& generator) {
  return detail::random_fill<T>(shape, generator, [](const std::array<std::uint32_t, 4>& words) {
    std::array<float, 4> values;
    for (std::size_t i = 0; i < 4; i += 2) {
      const float u = 1.0f - Generator::to_unit(words[i]);  // (0, 1]
      const float radius = std::sqrt(-2.0f * std::log(u));
      const float angle = 6.28318530718f * Generator::to_unit(words[i + 1]);
      values[i] = radius * std::cos(angle);
      values[i + 1] = radius * std::sin(angle);
    }
    return values;
  });
}

// Integers in [0, n).
inline Tensor<std::int64_t> randint(std::int64_t n, const Shape& shape, Generator& generator) {
  check(n > 0, "randint", "expected a positive bound, got ", n);
  Tensor<std::int64_t> out(shape);
  std::int64_t* p = out.mutable_data();
  for (std::int64_t i = 0; i < out.numel(); ++i)
    p[i] = static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(n)));
  return out;
}

}  // namespace mien
