#pragma once
// In which order blocks, and the threads of a block, take their turns. A correct kernel gives the
// same result under every order.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mien::simt {

struct Schedule {
  enum class Order { forward, reverse, random };
  Order order = Order::forward;
  std::uint64_t seed = 0;  // of a random order
  // Asynchronous copies are made when they are issued, not when they are waited for: a GPU may do
  // either. The one shows a stage that is filled too early, the other one that is read too early.
  bool copies_at_once = false;
};

std::string to_string(const Schedule& schedule);

// Launches use `schedule` while it lives.
class ScheduleScope {
 public:
  explicit ScheduleScope(const Schedule& schedule);
  ScheduleScope(const ScheduleScope&) = delete;
  ScheduleScope& operator=(const ScheduleScope&) = delete;
  ~ScheduleScope();

  static const Schedule& active();

 private:
  Schedule previous_;
};

// The numbers 0 to count - 1 in the order of the schedule, drawn anew for each round if random.
class Turns {
 public:
  Turns(const Schedule& schedule, std::int64_t count);
  const std::vector<std::int64_t>& next_round();

 private:
  bool random_;
  std::mt19937_64 generator_;
  std::vector<std::int64_t> order_;
};

}  // namespace mien::simt
