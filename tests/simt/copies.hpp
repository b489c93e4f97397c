#pragma once
// The asynchronous copies of a CUDA thread that are made when it waits for them.

#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

namespace mien::simt {

struct Copy {
  void* to;
  const void* from;  // null: zeros
  std::size_t bytes;

  void make() const {
    if (from == nullptr)
      std::memset(to, 0, bytes);
    else
      std::memcpy(to, from, bytes);
  }
};

class Copies {
 public:
  void add(const Copy& copy) { open_.push_back(copy); }

  void commit() {
    groups_.push_back(std::move(open_));
    open_.clear();
  }

  // The copies of all groups but the `pending` newest ones, to be made now.
  std::vector<Copy> take(std::size_t pending) {
    std::vector<Copy> due;
    if (groups_.size() <= pending) return due;
    const auto end = groups_.end() - static_cast<std::ptrdiff_t>(pending);
    for (auto group = groups_.begin(); group != end; ++group)
      due.insert(due.end(), group->begin(), group->end());
    groups_.erase(groups_.begin(), end);
    return due;
  }

  // Empty groups are nothing to wait for.
  bool all_made() const {
    for (const Group& group : groups_)
      if (!group.empty()) return false;
    return open_.empty();
  }

 private:
  using Group = std::vector<Copy>;

  Group open_;
  std::vector<Group> groups_;
};

}  // namespace mien::simt
