#pragma once
// Values: named numbers in order, as validation gives them and the history keeps them.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mien::train {

using Values = std::vector<std::pair<std::string, double>>;

// Adds to the value of that name, at first 0.
inline void add_to(Values& values, std::string_view name, double more) {
  for (auto& [known, value] : values)
    if (known == name) {
      value += more;
      return;
    }
  values.emplace_back(name, more);
}

// Means of values over the steps of an epoch.
struct RunningMeans {
  Values sums = {};
  std::int64_t steps = 0;

  void add(const Values& values) {
    for (const auto& [name, value] : values) add_to(sums, name, value);
    ++steps;
  }
  Values means() const {
    Values all = sums;
    for (auto& [name, value] : all) value /= static_cast<double>(steps);
    return all;
  }
};

}  // namespace mien::train
