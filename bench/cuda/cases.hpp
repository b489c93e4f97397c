#pragma once
// The list of benchmarks, which the *_bench.cpp of this folder fill: each kernel at each shape of
// the networks, named kernel/shape/dtype/batchN; what a peer does for the same shape is called the
// same with the peer's name behind it.

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>

#include "cuda/arrays.hpp"
#include "cuda/cost.hpp"
#include "kernels/efficientnet_b0.hpp"

namespace mien::bench {

// What is launched on one set of the arrays; what checks set 0 after one launch, empty where it is
// right; and what every set needs before its first launch.
struct Work {
  std::function<void(const Cuda& device, int set)> launch;
  std::function<std::string()> verify = nullptr;
  std::function<void(const Cuda& device, int set)> prepare = nullptr;
};

// Gives the work its memory.
inline void allocate(Arrays& arrays, const Work& work, int sets) {
  arrays.allocate(sets);
  for (int set = 0; work.prepare && set < sets; ++set) work.prepare(Cuda{}, set);
  cuda::check_cuda(cudaDeviceSynchronize(), "preparation");
}

struct Case {
  std::string name;
  Cost cost;
  bool quick = false;                              // part of the short list
  std::function<Work(Arrays&)> make;               // as it is timed
  std::function<Work(Arrays&)> reduced = nullptr;  // small enough for a reference on the host
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

inline std::string case_name(const std::string& kernel, const std::string& shape, const char* dtype,
                             std::int64_t batch) {
  return str(kernel, '/', shape, '/', dtype, "/batch", batch);
}

inline constexpr int batches[] = {1, 8, 64, 256};

// The short list: every shape in bf16 at batch 64; those that are `typical` in float too, and at
// batch 1.
template <kernels::Storage T>
bool is_quick(int batch, bool typical) {
  if (std::is_same_v<T, bf16>) return batch == 64 || (batch == 1 && typical);
  return std::is_same_v<T, float> && batch == 64 && typical;
}

// Calls f.template operator()<T>() for each storage type.
template <class F>
void for_each_storage(const F& f) {
  f.template operator()<float>();
  f.template operator()<f16>();
  f.template operator()<bf16>();
}

// The blocks of EfficientNet-B0 that differ from each other.
inline std::vector<Block> distinct_blocks() {
  std::vector<Block> all = efficientnet_b0_blocks();
  std::erase_if(all, [](const Block& b) { return !b.distinct; });
  return all;
}

// With a classifier of 1000 classes: 5 288 548, as published.
inline std::int64_t efficientnet_b0_parameters() {
  // Convolution without bias and the two parameters of its batch norm.
  const auto conv_norm = [](std::int64_t weights, std::int64_t out) {
    return weights * out + 2 * out;
  };
  std::int64_t sum = conv_norm(3 * 9, 32), last = 0;
  for (const Block& b : efficientnet_b0_blocks()) {
    const std::int64_t reduced = b.in / 4;
    if (b.mid != b.in) sum += conv_norm(b.in, b.mid);
    sum += conv_norm(b.kernel * b.kernel, b.mid) + conv_norm(b.mid, b.out);
    sum += 2 * b.mid * reduced + reduced + b.mid;  // squeeze-excite
    last = b.out;
  }
  return sum + conv_norm(last, 1280) + 1280 * 1000 + 1000;
}

// A large early and a small late one.
inline bool is_typical(const Block& b) { return b.name == "blocks.1.0" || b.name == "blocks.4.1"; }

// Empty where every element of `got` is what the reference says, up to `roundings` to T and to the
// errors of sums in float, relative to the largest element.
template <class T>
std::string mismatch(const std::vector<T>& got, const std::vector<double>& expected,
                     double roundings = 1) {
  if (got.size() != expected.size()) return "another number of elements";
  const double one = std::is_same_v<T, float> ? 2e-5 : std::is_same_v<T, f16> ? 0x1p-10 : 0x1p-7;
  double largest = 0;
  for (const double e : expected) largest = std::max(largest, std::abs(e));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double value = static_cast<double>(got[i]);
    if (!(std::abs(value - expected[i]) <= one * roundings * largest))
      return str("element ", i, " is ", value, ", the reference says ", expected[i]);
  }
  return {};
}

// Of random weights whose products with fan_in inputs keep their size, as a power of two.
inline float weight_range(std::int64_t fan_in) {
  return std::exp2(std::round(0.5f * std::log2(3.0f / static_cast<float>(fan_in))));
}

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline double silu(double x) { return x * sigmoid(x); }

}  // namespace mien::bench
