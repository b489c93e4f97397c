#pragma once
// What is looked at of the images themselves, and of their names.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "report.hpp"

namespace mien::programs {

struct ImageChecks {
  bool decode = false;  // every image decodes
  bool digest = false;  // no two images have the same content
};

// How many of `keys` repeat an earlier one.
template <class Key>
std::int64_t count_repeats(std::vector<Key> keys) {
  std::sort(keys.begin(), keys.end());
  return keys.end() - std::unique(keys.begin(), keys.end());
}

// How many different keys are in both lists.
template <class Key>
std::int64_t count_shared(std::vector<Key> a, std::vector<Key> b) {
  std::vector<Key> shared;
  for (auto* keys : {&a, &b}) {
    std::sort(keys->begin(), keys->end());
    keys->erase(std::unique(keys->begin(), keys->end()), keys->end());
  }
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
  return std::ssize(shared);
}

// Looks at the images at `paths`, each once, with progress on stderr. Adds what it counts to
// `table` and images that cannot be read to the report's problems; returns a digest of the content
// of each image that could be read (none without `checks.digest`).
std::vector<std::uint64_t> check_images(std::vector<std::string> paths, const ImageChecks& checks,
                                        Table& table, Report& report);

}  // namespace mien::programs
