#include <algorithm>
#include <numeric>

#include <simt/schedule.hpp>

namespace mien::simt {

namespace {
thread_local Schedule active_schedule;
}

std::string to_string(const Schedule& schedule) {
  if (schedule.order == Schedule::Order::forward) return "forward";
  if (schedule.order == Schedule::Order::reverse) return "reverse";
  return "random, seed " + std::to_string(schedule.seed);
}

ScheduleScope::ScheduleScope(const Schedule& schedule) : previous_(active_schedule) {
  active_schedule = schedule;
}

ScheduleScope::~ScheduleScope() { active_schedule = previous_; }

const Schedule& ScheduleScope::active() { return active_schedule; }

Turns::Turns(const Schedule& schedule, std::int64_t count)
    : random_(schedule.order == Schedule::Order::random),
      generator_(schedule.seed),
      order_(static_cast<std::size_t>(count)) {
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  if (schedule.order == Schedule::Order::reverse) std::reverse(order_.begin(), order_.end());
}

const std::vector<std::int64_t>& Turns::next_round() {
  if (random_) std::shuffle(order_.begin(), order_.end(), generator_);
  return order_;
}

}  // namespace mien::simt
