#pragma once
// Samplers: which examples of a dataset an epoch visits, and in which order. An order depends on
// the sampler's options and the epoch alone, so that a run can go on from any place.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/random.hpp>

namespace mien::data {

// size() is the number of examples in an epoch; order(epoch) gives that many indices.
template <class S>
concept Sampler = requires(const S& sampler, std::int64_t epoch) {
  { sampler.size() } -> std::convertible_to<std::int64_t>;
  { sampler.order(epoch) } -> std::convertible_to<std::vector<std::int64_t>>;
};

namespace detail {

// The random numbers of an epoch's order. Streams of examples are numbered (place, epoch), so the
// second number keeps clear of them where both have the same seed.
inline Generator order_stream(std::uint64_t seed, std::int64_t epoch) {
  check(epoch >= 0, "sampler", "expected an epoch from 0, got ", epoch);
  return Generator(seed).stream(static_cast<std::uint64_t>(epoch), ~std::uint64_t{0});
}

// Every order of `indices` with the same probability (Fisher and Yates).
inline void shuffle(std::vector<std::int64_t>& indices, Generator random) {
  for (std::size_t left = indices.size(); left > 1; --left)
    std::swap(indices[left - 1], indices[static_cast<std::size_t>(random.below(left))]);
}

}  // namespace detail

// 0, 1, ..., size - 1.
class SequentialSampler {
 public:
  explicit SequentialSampler(std::int64_t size) : size_(size) {
    check(size >= 0, "sampler", "expected a size from 0, got ", size);
  }

  std::int64_t size() const { return size_; }
  std::vector<std::int64_t> order(std::int64_t /*epoch*/) const {
    std::vector<std::int64_t> indices(static_cast<std::size_t>(size_));
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
  }

 private:
  std::int64_t size_;
};

// Every index once, in a random order that is another one in each epoch.
class RandomSampler {
 public:
  explicit RandomSampler(std::int64_t size, std::uint64_t seed = 0) : all_(size), seed_(seed) {}

  std::int64_t size() const { return all_.size(); }
  std::vector<std::int64_t> order(std::int64_t epoch) const {
    std::vector<std::int64_t> indices = all_.order(epoch);
    detail::shuffle(indices, detail::order_stream(seed_, epoch));
    return indices;
  }

 private:
  SequentialSampler all_;
  std::uint64_t seed_;
};

struct SubsetOptions {
  std::vector<std::int64_t> indices;
  bool shuffle = false;  // a random order in each epoch, else as given
  std::uint64_t seed = 0;
};

// The given indices.
class SubsetSampler {
 public:
  explicit SubsetSampler(SubsetOptions options) : options_(std::move(options)) {}

  std::int64_t size() const { return static_cast<std::int64_t>(options_.indices.size()); }
  std::vector<std::int64_t> order(std::int64_t epoch) const {
    std::vector<std::int64_t> indices = options_.indices;
    if (options_.shuffle) detail::shuffle(indices, detail::order_stream(options_.seed, epoch));
    return indices;
  }

 private:
  SubsetOptions options_;
};

struct WeightedOptions {
  std::vector<double> weights;  // one for each example, from 0; they need not sum to 1
  std::int64_t size = 0;        // draws in an epoch; 0: as many as there are weights
  std::uint64_t seed = 0;
};

// Draws with replacement: each is index i with probability weights[i] / (sum of all weights), by
// inversion of the cumulative sums with a uniform number of 53 bits.
class WeightedRandomSampler {
 public:
  explicit WeightedRandomSampler(const WeightedOptions& options)
      : sums_(options.weights.size()), size_(options.size), seed_(options.seed) {
    check(size_ >= 0, "sampler", "expected a size from 0, got ", size_);
    double sum = 0;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const double weight = options.weights[i];
      check(weight >= 0 && std::isfinite(weight), "sampler", "weight ", i,
            ": expected a finite number from 0, got ", weight);
      sums_[i] = sum += weight;
    }
    check(sum > 0 && std::isfinite(sum), "sampler", "expected weights with a positive sum, got ",
          sum);
    if (size_ == 0) size_ = static_cast<std::int64_t>(sums_.size());
  }

  std::int64_t size() const { return size_; }
  std::vector<std::int64_t> order(std::int64_t epoch) const {
    Generator random = detail::order_stream(seed_, epoch);
    std::vector<std::int64_t> indices(static_cast<std::size_t>(size_));
    for (std::int64_t& index : indices) {
      const auto bits = static_cast<double>(random.below(std::uint64_t{1} << 53));
      // The first sum above the number: an index of weight 0 adds nothing and is never first.
      const auto first =
          std::upper_bound(sums_.begin(), sums_.end(), bits * 0x1p-53 * sums_.back());
      index = first - sums_.begin();
    }
    return indices;
  }

 private:
  std::vector<double> sums_;  // sums_[i] = weights[0] + ... + weights[i]
  std::int64_t size_;
  std::uint64_t seed_;
};

// A sampler of any kind.
class AnySampler {
 public:
  template <class S>
  requires(!std::same_as<S, AnySampler> && Sampler<S>) AnySampler(S sampler)
      : size_(sampler.size()), order_([sampler = std::move(sampler)](std::int64_t epoch) {
          return sampler.order(epoch);
        }) {}

  std::int64_t size() const { return size_; }
  std::vector<std::int64_t> order(std::int64_t epoch) const { return order_(epoch); }

 private:
  std::int64_t size_;
  std::function<std::vector<std::int64_t>(std::int64_t)> order_;
};

}  // namespace mien::data
