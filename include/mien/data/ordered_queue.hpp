#pragma once
// OrderedQueue: results that several threads make and one takes, in the order of their numbers.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace mien::data {

// The results of the jobs first, first + 1, ..., last - 1. A thread that makes results claims a
// number, then puts its result or its failure; claims run at most `capacity` ahead of take(), so no
// more than that many results wait.
template <class T>
class OrderedQueue {
 public:
  OrderedQueue(std::int64_t first, std::int64_t last, std::int64_t capacity)
      : claimed_(first), taken_(first), last_(last), slots_(static_cast<std::size_t>(capacity)) {}

  // The number of a job that nobody does yet; waits for room. None once all are claimed or a stop
  // is requested.
  std::optional<std::int64_t> claim(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool go = room_.wait(lock, stop, [&] { return claimed_ == last_ || has_room(); });
    if (!go || claimed_ == last_ || stop.stop_requested()) return std::nullopt;
    return claimed_++;
  }

  void put(std::int64_t number, T result) { fill(number, {std::move(result), nullptr}); }
  void fail(std::int64_t number, std::exception_ptr error) { fill(number, {{}, std::move(error)}); }

  // The next result; waits until it is there. A failure is thrown, by every later call too.
  T take() {
    std::unique_lock lock(mutex_);
    Slot& slot = slot_of(taken_);
    filled_.wait(lock, [&] { return slot.result || slot.error; });
    if (slot.error) std::rethrow_exception(slot.error);
    T result = std::move(*slot.result);
    slot.result.reset();
    ++taken_;
    lock.unlock();
    room_.notify_all();
    return result;
  }

 private:
  struct Slot {
    std::optional<T> result;
    std::exception_ptr error;
  };

  Slot& slot_of(std::int64_t number) {
    return slots_[static_cast<std::size_t>(number) % slots_.size()];
  }
  bool has_room() const { return claimed_ - taken_ < static_cast<std::int64_t>(slots_.size()); }

  void fill(std::int64_t number, Slot slot) {
    {
      const std::lock_guard lock(mutex_);
      slot_of(number) = std::move(slot);
    }
    filled_.notify_one();
  }

  std::mutex mutex_;  // guards all below
  std::condition_variable_any room_;
  std::condition_variable filled_;
  std::int64_t claimed_, taken_, last_;  // the next to claim, the next to take, the end
  std::vector<Slot> slots_;              // of job n: n modulo the capacity
};

}  // namespace mien::data
