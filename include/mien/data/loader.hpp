#pragma once
// Loader: the batches of a dataset, made by several threads, handed out in order.
//
//   const Loader train(faces, {.batch_size = 48, .shuffle = true, .workers = 2});
//   for (auto& batch : train.epoch(e)) step(batch);
//
// The batches of an epoch follow from the dataset, the options and the epoch's number, bit for bit:
// the number of workers and how far they work ahead change nothing. To go on within an epoch:
//
//   auto epoch = train.epoch(e, saved_position);  // the batches before it are not loaded
//   for (auto& batch : epoch) {
//     step(batch);
//     save(epoch.position());
//   }

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/data/collate.hpp>
#include <mien/data/dataset.hpp>
#include <mien/data/ordered_queue.hpp>
#include <mien/data/sampler.hpp>

namespace mien::data {

struct LoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;                    // by RandomSampler; else the dataset's order
  std::optional<AnySampler> sampler = {};  // decides instead of shuffle
  bool drop_last = false;                  // leaves out a last batch of fewer examples
  std::uint64_t seed = 0;                  // of shuffle and of the examples' random choices
  int workers = 0;                         // threads that make batches; 0: the calling thread does
  int prefetch = 2;                        // batches that may be made ahead, per worker
};

// What makes batches of the examples of D.
template <class C, class D>
concept CollateOf = std::invocable<const C&, std::vector<Example<D>> &&>;

template <Dataset D, CollateOf<D> C>
class Epoch;

// The dataset must outlive the loader, and the loader its epochs. A dataset's get() and the collate
// function are called by several threads at once.
template <Dataset D, CollateOf<D> C = Collate>
class Loader {
 public:
  // What the collate function returns.
  using Batch = std::invoke_result_t<const C&, std::vector<Example<D>>&&>;

  Loader(const D& dataset, LoaderOptions options, C collate = {})
      : dataset_(&dataset),
        options_(std::move(options)),
        collate_(std::move(collate)),
        sampler_(chosen_sampler(dataset.size(), options_)) {
    check(options_.batch_size >= 1, "loader", "expected a batch_size from 1, got ",
          options_.batch_size);
    check(options_.workers >= 0 && options_.workers <= 1024, "loader",
          "expected 0 to 1024 workers, got ", options_.workers);
    check(options_.prefetch >= 1 && options_.prefetch <= 1024, "loader",
          "expected a prefetch of 1 to 1024, got ", options_.prefetch);
  }
  Loader(D&&, LoaderOptions, C = {}) = delete;  // the dataset would be gone at once

  // Examples that the sampler names in an epoch, and the batches that they make.
  std::int64_t examples() const { return sampler_.size(); }
  std::int64_t batches() const {
    const std::int64_t whole = examples() / options_.batch_size;
    return whole + (!options_.drop_last && examples() % options_.batch_size != 0);
  }
  const LoaderOptions& options() const { return options_; }

  // The batches first, first + 1, ... of epoch `number`. An error in the dataset is thrown when its
  // batch is due, as an Error that names the example with the original one nested in it.
  Epoch<D, C> epoch(std::int64_t number, std::int64_t first = 0) const& {
    return Epoch<D, C>(*this, number, first);
  }
  Epoch<D, C> epoch(std::int64_t, std::int64_t = 0) const&& = delete;  // must outlive the epoch

 private:
  friend Epoch<D, C>;

  static AnySampler chosen_sampler(std::int64_t size, const LoaderOptions& options) {
    check(!options.shuffle || !options.sampler, "loader",
          "expected shuffle or a sampler, got both");
    if (options.sampler) return *options.sampler;
    if (options.shuffle) return RandomSampler(size, options.seed);
    return SequentialSampler(size);
  }

  // The order of an epoch, which names examples of the dataset alone.
  std::vector<std::int64_t> order(std::int64_t epoch) const {
    check(epoch >= 0, "loader", "expected an epoch from 0, got ", epoch);
    std::vector<std::int64_t> indices = sampler_.order(epoch);
    check(std::ssize(indices) == examples(), "loader", "the sampler names ", std::ssize(indices),
          " examples in epoch ", epoch, ", its size is ", examples());
    const std::int64_t size = dataset_->size();
    for (const std::int64_t index : indices)
      check(index >= 0 && index < size, "loader", "the sampler names example ", index,
            " of a dataset of ", size);
    return indices;
  }

  const D* dataset_;
  LoaderOptions options_;
  C collate_;
  AnySampler sampler_;
};

// A range over the batches of an epoch, to go through once: a loop that was left is continued by
// the next one. It may be destroyed at any time; a batch that is being made is waited for.
template <Dataset D, CollateOf<D> C>
class Epoch {
 public:
  using Batch = typename Loader<D, C>::Batch;

  class Iterator {
   public:
    explicit Iterator(Epoch& epoch) : epoch_(&epoch) {}
    Batch& operator*() const { return *epoch_->batch_; }
    Iterator& operator++() {
      epoch_->advance();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !epoch_->batch_; }

   private:
    Epoch* epoch_;
  };

  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;
  ~Epoch() {
    for (std::jthread& worker : workers_) worker.request_stop();
  }

  Iterator begin() {
    advance();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  // Batches of the epoch that are done or in use, those before the first one included: where an
  // epoch begins that goes on after the batch in use.
  std::int64_t position() const { return position_; }

  // How long the caller has waited for batches. A large part of the epoch's time says that loading
  // holds it up.
  double wait_seconds() const { return waited_.count(); }

 private:
  friend Loader<D, C>;

  Epoch(const Loader<D, C>& loader, std::int64_t number, std::int64_t first)
      : loader_(loader),
        number_(number),
        order_(loader.order(number)),
        position_(first),
        last_(loader.batches()),
        queue_(first, last_, std::int64_t{loader.options().workers} * loader.options().prefetch) {
    check(first >= 0 && first <= last_, "loader", "expected a first batch of 0 to ", last_,
          ", got ", first);
    try {
      for (int i = 0; i < loader.options().workers; ++i)
        workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    } catch (const std::system_error& error) {
      fail("loader", str("cannot start ", loader.options().workers, " workers: ", error.what()));
    }
  }

  // A worker's life. The pool's threads are left to the one who computes.
  void work(const std::stop_token& stop) {
    const SerialScope serial;
    while (const auto number = queue_.claim(stop)) {
      try {
        queue_.put(*number, make(*number));
      } catch (...) {
        queue_.fail(*number, std::current_exception());
      }
    }
  }

  // Puts the next batch into batch_; none at the end.
  void advance() {
    batch_.reset();  // its memory serves the next ones
    if (position_ == last_) return;
    const auto begin = std::chrono::steady_clock::now();
    batch_ = workers_.empty() ? make(position_) : queue_.take();
    waited_ += std::chrono::steady_clock::now() - begin;
    ++position_;
  }

  Batch make(std::int64_t batch) const {
    const std::int64_t size = loader_.options().batch_size, first = batch * size;
    std::vector<Example<D>> examples;
    for (std::int64_t place = first; place < first + size && place < std::ssize(order_); ++place)
      examples.push_back(example(place));
    try {
      return loader_.collate_(std::move(examples));
    } catch (const std::exception& error) {
      std::throw_with_nested(
          Error(str("[loader] batch ", batch, " of epoch ", number_, ": ", error.what())));
    }
  }

  // The example at `place` in the epoch's order. Its random choices belong to the place: where a
  // sampler names an example twice, the two differ.
  Example<D> example(std::int64_t place) const {
    const std::int64_t index = order_[static_cast<std::size_t>(place)];
    Generator random =
        Generator(loader_.options().seed)
            .stream(static_cast<std::uint64_t>(place), static_cast<std::uint64_t>(number_));
    try {
      return loader_.dataset_->get(index, random);
    } catch (const std::exception& error) {
      std::throw_with_nested(
          Error(str("[loader] example ", index, " in epoch ", number_, ": ", error.what())));
    }
  }

  const Loader<D, C>& loader_;
  std::int64_t number_;
  std::vector<std::int64_t> order_;
  std::int64_t position_, last_;
  std::optional<Batch> batch_;
  std::chrono::duration<double> waited_{};
  OrderedQueue<Batch> queue_;
  std::vector<std::jthread> workers_;  // last: they end before what they use
};

}  // namespace mien::data
