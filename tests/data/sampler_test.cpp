// Samplers against their definitions.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/sampler.hpp>

#include "support/thrown.hpp"

namespace {

using mien::Generator;
using mien::data::AnySampler;
using mien::data::RandomSampler;
using mien::data::Sampler;
using mien::data::SequentialSampler;
using mien::data::SubsetSampler;
using mien::data::WeightedRandomSampler;
using mien::test::thrown;
using Indices = std::vector<std::int64_t>;

static_assert(Sampler<SequentialSampler> && Sampler<RandomSampler> && Sampler<SubsetSampler> &&
              Sampler<WeightedRandomSampler> && Sampler<AnySampler>);

Indices first(std::int64_t n) {
  Indices indices(static_cast<std::size_t>(n));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Indices sorted(Indices indices) {
  std::sort(indices.begin(), indices.end());
  return indices;
}

// Pearson's statistic of counts that are expected to be equal to `expected`.
double chi_squared(const std::vector<double>& counts, const std::vector<double>& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  return sum;
}

TEST(Samplers, SequentialCounts) {
  EXPECT_EQ(SequentialSampler(4).order(9), (Indices{0, 1, 2, 3}));
  EXPECT_EQ(SequentialSampler(0).order(0), Indices{});
  EXPECT_EQ(thrown([] { SequentialSampler(-1); }), "[sampler] expected a size from 0, got -1");
}

TEST(Samplers, RandomPermutesEachEpoch) {
  const RandomSampler sampler(1000, 7);
  const Indices third = sampler.order(3);
  EXPECT_EQ(sampler.size(), 1000);
  EXPECT_EQ(sorted(third), first(1000));
  EXPECT_NE(sampler.order(4), third);
  EXPECT_NE(RandomSampler(1000, 8).order(3), third);
  EXPECT_EQ(RandomSampler(1000, 7).order(3), third);  // whatever was asked for before
  EXPECT_EQ(RandomSampler(0).order(0), Indices{});
  EXPECT_EQ(thrown([&] { sampler.order(-1); }), "[sampler] expected an epoch from 0, got -1");
}

TEST(Samplers, RandomGivesEveryOrderAlike) {
  const RandomSampler sampler(4, 1);
  std::map<Indices, double> counts;
  for (int epoch = 0; epoch < 24000; ++epoch) ++counts[sampler.order(epoch)];
  ASSERT_EQ(counts.size(), 24u);
  std::vector<double> values;
  for (const auto& [order, count] : counts) values.push_back(count);
  EXPECT_LT(chi_squared(values, std::vector<double>(24, 1000)), 49.7);  // p = 0.001, 23 degrees
}

TEST(Samplers, SubsetKeepsToItsIndices) {
  const Indices chosen = {5, 2, 9, 2};
  EXPECT_EQ(SubsetSampler({.indices = chosen}).order(1), chosen);
  const SubsetSampler shuffled({.indices = first(500), .shuffle = true, .seed = 3});
  EXPECT_EQ(shuffled.size(), 500);
  EXPECT_EQ(shuffled.order(2), RandomSampler(500, 3).order(2));
}

// The definition: the first index whose cumulative weight passes a uniform share of the whole.
TEST(Samplers, WeightedEqualsItsDefinition) {
  std::vector<double> weights(300);
  Generator draw(5);
  for (double& weight : weights) weight = draw.below(3) == 0 ? 0 : draw.uniform();
  const double whole = std::accumulate(weights.begin(), weights.end(), 0.0);
  const WeightedRandomSampler sampler({.weights = weights, .size = 2000, .seed = 11});
  EXPECT_EQ(sampler.size(), 2000);
  Generator random = Generator(11).stream(4, ~std::uint64_t{0});
  for (const std::int64_t index : sampler.order(4)) {
    const double share = std::ldexp(static_cast<double>(random.below(1ull << 53)), -53) * whole;
    double sum = 0;
    std::int64_t expected = -1;
    while (sum <= share) sum += weights[static_cast<std::size_t>(++expected)];
    ASSERT_EQ(index, expected);
  }
}

TEST(Samplers, WeightedFollowsItsWeights) {
  const std::vector<double> weights = {1, 0, 2, 5, 0, 8, 0};
  std::vector<double> counts(weights.size());
  for (const auto index : WeightedRandomSampler({.weights = weights, .size = 160000}).order(0))
    ++counts[static_cast<std::size_t>(index)];
  EXPECT_EQ(counts[1] + counts[4] + counts[6], 0);
  EXPECT_LT(chi_squared({counts[0], counts[2], counts[3], counts[5]}, {10000, 20000, 50000, 80000}),
            16.3);  // p = 0.001, 3 degrees
}

TEST(Samplers, WeightedDrawsAsManyAsThereAreWeights) {
  const WeightedRandomSampler sampler({.weights = {0, 3, 0}});
  EXPECT_EQ(sampler.order(0), (Indices{1, 1, 1}));
}

TEST(Samplers, WeightedRefusesWhatIsNoWeight) {
  const auto error = [](std::vector<double> weights, std::int64_t size = 0) {
    return thrown([&] { WeightedRandomSampler({.weights = std::move(weights), .size = size}); });
  };
  EXPECT_EQ(error({1, -2}), "[sampler] weight 1: expected a finite number from 0, got -2");
  EXPECT_EQ(error({std::nan("")}), "[sampler] weight 0: expected a finite number from 0, got nan");
  EXPECT_EQ(error({0, 0}), "[sampler] expected weights with a positive sum, got 0");
  EXPECT_EQ(error({}), "[sampler] expected weights with a positive sum, got 0");
  const double most = std::numeric_limits<double>::max();
  EXPECT_EQ(error({most, most}), "[sampler] expected weights with a positive sum, got inf");
  EXPECT_EQ(error({1}, -1), "[sampler] expected a size from 0, got -1");
}

}  // namespace
