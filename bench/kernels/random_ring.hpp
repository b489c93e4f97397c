#pragma once
// Random numbers for benchmarks, and the comparison with a reference.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <mien/core/random.hpp>

namespace mien::bench {

// 64 MiB of random floats, lent piece after piece, round and round: when a piece comes up again it
// has left the first and second level of the cache, as the tensors of a large network have.
class RandomRing {
 public:
  static constexpr std::int64_t elements = std::int64_t{1} << 24;
  static constexpr std::int64_t bytes = elements * static_cast<std::int64_t>(sizeof(float));

  explicit RandomRing(std::uint64_t seed) {
    Generator generator(seed);
    numbers_ = rand<float>(Shape{elements}, generator, -1, 1);
  }

  float* all() { return numbers_.mutable_data(); }

  float* next(std::int64_t size) { return all() + take(size); }

  // The same as a tensor.
  Tensor<float> next(const Shape& shape) {
    return numbers_.as_strided(shape, dense_strides(shape), take(shape.numel()));
  }

 private:
  // Pieces begin at multiples of 64 bytes.
  std::int64_t take(std::int64_t size) {
    check(size <= elements, "random_ring", size, " elements asked for, it has ", elements);
    if (next_ + size > elements) next_ = 0;
    const std::int64_t at = next_;
    next_ += (size + 15) / 16 * 16;
    return at;
  }

  Tensor<float> numbers_;
  std::int64_t next_ = 0;
};

// What benchmarks read from, and what they write to.
inline RandomRing& inputs() {
  static RandomRing ring(1);
  return ring;
}
inline RandomRing& outputs() {
  static RandomRing ring(2);
  return ring;
}

// Empty where `got` is what the reference says up to rounding, else a message.
inline std::string mismatch(const Tensor<float>& got, const Tensor<float>& expected) {
  float largest = 1;
  for (std::int64_t i = 0; i < expected.numel(); ++i)
    largest = std::max(largest, std::abs(expected.data()[i]));
  for (std::int64_t i = 0; i < expected.numel(); ++i)
    if (!(std::abs(got.data()[i] - expected.data()[i]) <= 1e-4f * largest))
      return str("element ", i, " is ", got.data()[i], ", the reference says ", expected.data()[i]);
  return {};
}

}  // namespace mien::bench
