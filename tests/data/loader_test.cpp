// The loader: the same batches whatever the threads do, and an end to every way of leaving it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/loader.hpp>

#include "support/thrown.hpp"

namespace {

using mien::Error;
using mien::Generator;
using mien::Tensor;
using mien::data::AnySampler;
using mien::data::Loader;
using mien::data::LoaderOptions;
using mien::data::SubsetSampler;
using mien::data::WeightedRandomSampler;
using mien::test::thrown;
using namespace std::chrono_literals;

// Example i: the number i and two random numbers. How long it takes has no pattern.
struct Numbers {
  std::int64_t count = 0;

  std::int64_t size() const { return count; }
  std::tuple<Tensor<std::int64_t>, Tensor<float>> get(std::int64_t i, Generator& random) const {
    if (i % 5 == 1) std::this_thread::sleep_for(std::chrono::microseconds(i * 37 % 200));
    const float a = random.uniform();
    return {Tensor<std::int64_t>::scalar(i), Tensor<float>::from({2}, {a, random.uniform()})};
  }
};

// A batch as numbers; the batches of an epoch from `first` on.
using Batch = std::vector<double>;

std::vector<Batch> load(const Numbers& dataset, const LoaderOptions& options,
                        std::int64_t epoch = 0, std::int64_t first = 0) {
  std::vector<Batch> batches;
  const Loader loader(dataset, options);
  for (const auto& [numbers, random] : loader.epoch(epoch, first)) {
    Batch& batch = batches.emplace_back(numbers.data(), numbers.data() + numbers.numel());
    batch.insert(batch.end(), random.data(), random.data() + random.numel());
  }
  return batches;
}

std::vector<std::size_t> sizes(const std::vector<Batch>& batches) {
  std::vector<std::size_t> result;
  for (const Batch& batch : batches) result.push_back(batch.size() / 3);
  return result;
}

TEST(Loader, BatchesInTheOrderOfTheDataset) {
  const auto batches = load({7}, {.batch_size = 3, .workers = 2});
  EXPECT_EQ(sizes(batches), (std::vector<std::size_t>{3, 3, 1}));
  EXPECT_EQ(Batch(batches[1].begin(), batches[1].begin() + 3), (Batch{3, 4, 5}));
  Generator random = Generator(0).stream(6, 0);
  const double a = random.uniform(), b = random.uniform();
  EXPECT_EQ(batches[2], (Batch{6, a, b}));
}

TEST(Loader, SizesOfEpochs) {
  const Numbers seven{7}, six{6}, none{0};
  EXPECT_EQ(Loader(seven, {.batch_size = 3}).batches(), 3);
  EXPECT_EQ(Loader(seven, {.batch_size = 3, .drop_last = true}).batches(), 2);
  EXPECT_EQ(Loader(six, {.batch_size = 3}).batches(), 2);
  EXPECT_EQ(Loader(six, {.batch_size = 100, .drop_last = true}).batches(), 0);
  EXPECT_EQ(sizes(load(seven, {.batch_size = 3, .drop_last = true, .workers = 2})),
            (std::vector<std::size_t>{3, 3}));
  EXPECT_EQ(sizes(load(seven, {.batch_size = 100, .workers = 4})), std::vector<std::size_t>{7});
  for (const int workers : {0, 3}) {
    EXPECT_TRUE(load(none, {.batch_size = 3, .shuffle = true, .workers = workers}).empty());
    EXPECT_TRUE(load(six, {.batch_size = 7, .drop_last = true, .workers = workers}).empty());
  }
}

TEST(Loader, WorkersAndPrefetchChangeNothing) {
  const Numbers dataset{101};
  for (const std::int64_t epoch : {0, 5}) {
    const LoaderOptions plain{.batch_size = 4, .shuffle = true, .seed = 3};
    const auto expected = load(dataset, plain, epoch);
    ASSERT_EQ(expected.size(), 26u);
    for (int workers = 1; workers <= 4; ++workers)
      for (const int prefetch : {1, 2, 7}) {
        LoaderOptions options = plain;
        options.workers = workers;
        options.prefetch = prefetch;
        EXPECT_EQ(load(dataset, options, epoch), expected) << workers << " x " << prefetch;
      }
  }
}

TEST(Loader, SeedAndEpochChangeOrderAndAugmentation) {
  const LoaderOptions options{.batch_size = 20, .shuffle = true, .seed = 3};
  const auto some = load({20}, options, 1), later = load({20}, options, 2),
             other = load({20}, {.batch_size = 20, .shuffle = true, .seed = 4}, 1);
  EXPECT_NE(some[0], later[0]);
  EXPECT_NE(some[0], other[0]);
  std::set<double> all;  // no two random numbers are the same
  for (const auto& batches : {some, later, other})
    all.insert(batches[0].begin() + 20, batches[0].end());
  EXPECT_EQ(all.size(), 120u);
}

TEST(Loader, GoesOnFromAnyBatch) {
  const Numbers dataset{31};
  for (const int workers : {0, 3}) {
    const LoaderOptions options{.batch_size = 4, .shuffle = true, .seed = 9, .workers = workers};
    const auto whole = load(dataset, options, 2);
    ASSERT_EQ(whole.size(), 8u);
    for (std::int64_t first = 0; first <= 8; ++first)
      EXPECT_EQ(load(dataset, options, 2, first),
                std::vector<Batch>(whole.begin() + first, whole.end()));
  }
}

TEST(Loader, SkippedBatchesAreNotLoaded) {
  struct Watched : Numbers {
    mutable std::atomic<std::int64_t> least{1000};
    auto get(std::int64_t i, Generator& random) const {
      for (auto seen = least.load(); i < seen && !least.compare_exchange_weak(seen, i);) {
      }
      return Numbers::get(i, random);
    }
  };
  Watched dataset;
  dataset.count = 40;
  const Loader loader(dataset, {.batch_size = 4, .workers = 2});
  for (auto& batch : loader.epoch(0, 6)) EXPECT_EQ(std::get<0>(batch).numel(), 4);
  EXPECT_EQ(dataset.least, 24);
}

TEST(Loader, ALoopThatWasLeftIsContinued) {
  const Numbers dataset{10};
  const Loader loader(dataset, {.batch_size = 2, .workers = 2});
  auto epoch = loader.epoch(0, 1);
  EXPECT_EQ(epoch.position(), 1);
  std::vector<std::int64_t> seen;
  for (int part = 0; part < 2; ++part)
    for (auto& [numbers, random] : epoch) {
      seen.push_back(numbers(0));
      EXPECT_EQ(epoch.position(), numbers(0) / 2 + 1);
      if (numbers(0) == 4) break;
    }
  EXPECT_EQ(seen, (std::vector<std::int64_t>{2, 4, 6, 8}));
  EXPECT_EQ(epoch.position(), 5);
  for (auto& batch : epoch) FAIL() << "the epoch is over" << std::get<0>(batch)(0);
}

TEST(Loader, ASamplerDecides) {
  const LoaderOptions options{.batch_size = 2, .sampler = SubsetSampler({.indices = {4, 1, 4}})};
  const auto batches = load({5}, options);
  EXPECT_EQ(sizes(batches), (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(batches[0][0], 4);
  EXPECT_EQ(batches[0][1], 1);
  EXPECT_EQ(batches[1][0], 4);
  EXPECT_NE(batches[1][1], batches[0][2]);  // an example that is named twice is augmented anew

  const LoaderOptions weighted{.sampler = WeightedRandomSampler({.weights = {0, 1}, .size = 5})};
  EXPECT_EQ(load({2}, weighted).size(), 5u);
}

// Takes an epoch of ten batches of two to its error.
template <class Dataset, class C = mien::data::Collate>
void expect_error(const Dataset& dataset, int workers, const std::string& text,
                  std::int64_t batches_before, C collate = {}) {
  const Loader loader(dataset, {.batch_size = 2, .workers = workers}, collate);
  auto epoch = loader.epoch(3);
  for (int attempt = 0; attempt < 2; ++attempt) {  // the error stays
    EXPECT_EQ(thrown([&] {
                for (auto& batch : epoch) static_cast<void>(batch);
              }),
              text);
    EXPECT_EQ(epoch.position(), batches_before);
  }
  try {
    epoch.begin();
  } catch (const Error& error) {
    EXPECT_THROW(std::rethrow_if_nested(error), std::domain_error);
  }
}

struct Broken : Numbers {
  auto get(std::int64_t i, Generator& random) const {
    if (i == 13) throw std::domain_error("no such face");
    return Numbers::get(i, random);
  }
};

TEST(Loader, ErrorsNameTheExample) {
  for (const int workers : {0, 1, 4})
    expect_error(Broken{{20}}, workers, "[loader] example 13 in epoch 3: no such face", 6);
}

TEST(Loader, ErrorsOfCollateNameTheBatch) {
  using Examples = std::vector<mien::data::Example<Numbers>>;
  const auto collate = [](Examples&& examples) {
    if (std::get<0>(examples[0]).item() == 8) throw std::domain_error("too many");
    return examples.size();
  };
  for (const int workers : {0, 3})
    expect_error(Numbers{20}, workers, "[loader] batch 4 of epoch 3: too many", 4, collate);
}

TEST(Loader, CanBeLeftAtAnyTime) {
  const Numbers dataset{60};
  Generator random(1);
  for (int round = 0; round < 300; ++round) {
    const Loader loader(dataset, {.batch_size = 3,
                                  .shuffle = true,
                                  .workers = static_cast<int>(random.below(5)),
                                  .prefetch = 1 + static_cast<int>(random.below(3))});
    auto left = random.below(8);
    auto epoch = loader.epoch(round, static_cast<std::int64_t>(random.below(20)));
    if (left > 0)
      for (auto& batch : epoch) {
        EXPECT_EQ(std::get<1>(batch).dim(1), 2);
        if (--left == 0) break;
      }
  }
}

TEST(Loader, CanBeLeftWhileExamplesFail) {
  const Broken dataset{{20}};
  for (int round = 0; round < 100; ++round) {
    const Loader loader(dataset, {.workers = 3});
    auto epoch = loader.epoch(0, round % 20);
    if (round % 20 < 13) epoch.begin();
  }
}

TEST(Loader, WorksAheadButNotFarther) {
  struct Counted : Numbers {
    mutable std::atomic<std::int64_t> made{0};
    auto get(std::int64_t i, Generator& random) const {
      ++made;
      return Numbers::get(i, random);
    }
  };
  Counted dataset;
  dataset.count = 1000;
  const Loader loader(dataset, {.batch_size = 2, .workers = 2, .prefetch = 3});
  auto epoch = loader.epoch(0);
  std::int64_t taken = 0;
  for (auto batch = epoch.begin(); taken < 20; ++batch, ++taken) {
    const std::int64_t bound = 2 * (taken + 1 + 2 * 3);
    for (int wait = 0; dataset.made < bound && wait < 20000; ++wait)
      std::this_thread::sleep_for(1ms);
    EXPECT_EQ(dataset.made, bound);
  }
}

TEST(Loader, WorkersLeaveThePoolAlone) {
  struct Serial {  // refuses another number of threads where parallel_for is of one thread
    std::int64_t size() const { return 9; }
    std::string get(std::int64_t, Generator&) const {
      return thrown([] { mien::set_num_threads(mien::num_threads()); });
    }
  };
  const Serial dataset;
  const auto first = [](std::vector<std::string>&& texts) { return texts[0]; };
  for (const int workers : {0, 2}) {
    const Loader loader(dataset, {.workers = workers}, first);
    for (const std::string& text : loader.epoch(0))
      EXPECT_EQ(text, workers == 0
                          ? "nothing was thrown"
                          : "[parallel] the number of threads cannot change inside parallel_for");
  }
}

TEST(Loader, TellsHowLongItWasWaitedFor) {
  struct Slow {
    std::int64_t size() const { return 6; }
    int get(std::int64_t, Generator&) const {
      std::this_thread::sleep_for(5ms);
      return 1;
    }
  };
  const Slow dataset;
  for (const int workers : {0, 1}) {
    const Loader loader(dataset, {.workers = workers},
                        [](std::vector<int>&& ones) { return ones.size(); });
    auto epoch = loader.epoch(0);
    EXPECT_EQ(epoch.wait_seconds(), 0);
    for (auto& batch : epoch) EXPECT_EQ(batch, 1u);
    EXPECT_GE(epoch.wait_seconds(), workers == 0 ? 0.03 : 0.004);
  }
}

TEST(Loader, RefusesWhatMakesNoSense) {
  const Numbers dataset{10};
  const auto error = [&](const LoaderOptions& options, std::int64_t epoch = 0,
                         std::int64_t first = 0) {
    return thrown([&] { load(dataset, options, epoch, first); });
  };
  EXPECT_EQ(error({.batch_size = 0}), "[loader] expected a batch_size from 1, got 0");
  EXPECT_EQ(error({.workers = -1}), "[loader] expected 0 to 1024 workers, got -1");
  EXPECT_EQ(error({.prefetch = 0}), "[loader] expected a prefetch of 1 to 1024, got 0");
  EXPECT_EQ(error({}, -1), "[loader] expected an epoch from 0, got -1");
  EXPECT_EQ(error({}, 0, 11), "[loader] expected a first batch of 0 to 10, got 11");
  EXPECT_EQ(error({}, 0, -1), "[loader] expected a first batch of 0 to 10, got -1");
  const SubsetSampler beyond({.indices = {3, 10}}), before({.indices = {-1}});
  EXPECT_EQ(error({.sampler = beyond}), "[loader] the sampler names example 10 of a dataset of 10");
  EXPECT_EQ(error({.sampler = before}), "[loader] the sampler names example -1 of a dataset of 10");
  EXPECT_EQ(error({.shuffle = true, .sampler = beyond}),
            "[loader] expected shuffle or a sampler, got both");
  struct Short {
    std::int64_t size() const { return 2; }
    std::vector<std::int64_t> order(std::int64_t) const { return {1}; }
  };
  EXPECT_EQ(error({.sampler = Short()}),
            "[loader] the sampler names 1 examples in epoch 0, its size is 2");
}

}  // namespace
