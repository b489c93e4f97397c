#pragma once
// Arrays for testing kernels: random numbers between guards that show writes out of bounds, and the
// comparison with what a reference computes in double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/dtype.hpp>
#include <mien/core/random.hpp>

namespace mien::test {

template <class T>
class Guarded {
 public:
  explicit Guarded(std::int64_t size)
      : size_(size), values_(static_cast<std::size_t>(size) + 2 * guard, T(canary)) {
    if (values_.empty()) values_.reserve(1);  // an empty tensor has an address, too
  }

  // Uniform in [-1, 1).
  static Guarded random(std::int64_t size, Generator& generator) {
    Guarded g(size);
    const Tensor<float> numbers = rand<float>({std::max<std::int64_t>(size, 1)}, generator);
    for (std::int64_t i = 0; i < size; ++i) g.data()[i] = static_cast<T>(2 * numbers.data()[i] - 1);
    return g;
  }

  std::int64_t size() const { return size_; }
  T* data() { return values_.data() + guard; }
  const T* data() const { return values_.data() + guard; }

  bool guards_stand() const {
    const auto is_canary = [](T value) { return static_cast<float>(value) == canary; };
    return std::all_of(values_.begin(), values_.begin() + guard, is_canary) &&
           std::all_of(values_.end() - guard, values_.end(), is_canary);
  }

  Guarded<double> in_double() const {
    Guarded<double> g(size_);
    for (std::int64_t i = 0; i < size_; ++i) g.data()[i] = static_cast<double>(data()[i]);
    return g;
  }

 private:
  // None under AddressSanitizer, which sees reads out of bounds as well.
  static constexpr std::ptrdiff_t guard = MIEN_ASAN ? 0 : 64;
  static constexpr float canary = -1232.0f;  // exact in every type

  std::int64_t size_;
  std::vector<T> values_;
};

// Relative to the largest expected magnitude, at least 1; sums of up to a few thousand products.
template <class T>
constexpr double kernel_tolerance = std::is_same_v<T, double>  ? 1e-13
                                    : std::is_same_v<T, float> ? 3e-6
                                    : std::is_same_v<T, f16>   ? 1e-3
                                                               : 8e-3;

// Empty where `got` is close to `expected` and neither wrote out of bounds, else the difference.
template <class T>
std::string difference(const Guarded<T>& got, const Guarded<double>& expected) {
  if (!got.guards_stand()) return "written out of bounds";
  double scale = 1;
  for (std::int64_t i = 0; i < expected.size(); ++i)
    scale = std::max(scale, std::abs(expected.data()[i]));
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    const double x = static_cast<double>(got.data()[i]), y = expected.data()[i];
    if (!(std::abs(x - y) <= kernel_tolerance<T> * scale))
      return "element " + std::to_string(i) + " is " + std::to_string(x) + ", expected " +
             std::to_string(y);
  }
  return {};
}

}  // namespace mien::test
