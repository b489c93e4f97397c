// How the threads of a block wait for each other, and the report where they do so in vain.

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include <mien/core/error.hpp>
#include <simt/block.hpp>
#include <simt/sanitizer.hpp>

namespace mien::simt {

namespace {

bool same_call(const Site& a, const Site& b) {
  return a.where.line == b.where.line &&
         (a.where.file == b.where.file || std::strcmp(a.where.file, b.where.file) == 0);
}

// Formatted where an error is raised, and only there.
struct Mask {
  unsigned lanes;
};

std::string to_string(const Mask& mask) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "0x%08x", mask.lanes);
  return digits;
}

}  // namespace

std::string to_string(const Site& site) {
  return str(site.operation, " (", site.where.file, ':', site.where.line, ')');
}

void Block::barrier(const Site& site) {
  meet(block_meetings_, site, 0, static_cast<int>(threads_.size()), 0, true);
}

const LaneValues& Block::exchange(const Site& site, unsigned mask, std::uint64_t value,
                                  bool orders_memory) {
  check_mask(site, mask);
  const auto warp = static_cast<std::size_t>(running_->number / warp_size);
  return meet(warp_meetings_[warp], site, mask, std::popcount(mask), value, orders_memory);
}

void Block::check_mask(const Site& site, unsigned mask) const {
  check((mask >> lane() & 1u) != 0, "simt", site, " by lane ", lane(), ", which its mask ",
        Mask{mask}, " lacks");
  const int first = running_->number - lane();
  const int lanes = std::min(static_cast<int>(threads_.size()) - first, warp_size);
  check(lanes == warp_size || mask >> lanes == 0, "simt", site, " with mask ", Mask{mask},
        " in a warp of ", lanes, " lanes: the block has ", threads_.size(), " threads");
}

Block::Meeting& Block::join(Meetings& meetings, const Site& site, unsigned mask, int expected) {
  const sanitizer::Quiet quiet;
  Meeting* idle = nullptr;
  for (const auto& meeting : meetings) {
    if (meeting->mask != mask || meeting->leaving > 0) continue;
    if (meeting->arrived == 0)
      idle = meeting.get();
    else if (same_call(meeting->site, site))
      return *meeting;
  }
  if (idle == nullptr)
    idle = meetings.emplace_back(new Meeting{.mask = mask, .expected = expected}).get();
  idle->site = site;
  return *idle;
}

const LaneValues& Block::meet(Meetings& meetings, const Site& site, unsigned mask, int expected,
                              std::uint64_t value, bool orders_memory) {
  Meeting& meeting = join(meetings, site, mask, expected);
  if (orders_memory) sanitizer::release(&meeting);
  await(meeting, value);
  if (orders_memory) sanitizer::acquire(&meeting);
  return meeting.values;
}

// Comes to the meeting with `value`, and leaves when all have come.
void Block::await(Meeting& meeting, std::uint64_t value) {
  const sanitizer::Quiet quiet;
  meeting.values[static_cast<std::size_t>(lane())] = value;
  if (++meeting.arrived == meeting.expected) {
    meeting.arrived = 0;
    meeting.leaving = meeting.expected;
    wake(meeting.mask);
  } else {
    ready_[static_cast<std::size_t>(running_->number)] = 0;
    Fiber::suspend();
    if (cancelled_) throw Cancelled{};
  }
  --meeting.leaving;
}

// The threads of `mask` in the running warp, or (mask 0) all of the block; none has ended.
void Block::wake(unsigned mask) {
  if (mask == 0) return std::fill(ready_.begin(), ready_.end(), char{1});
  const auto first = static_cast<std::size_t>(running_->number - lane());
  for (std::size_t i = 0; i < warp_size; ++i)
    if ((mask >> i & 1u) != 0) ready_[first + i] = 1;
}

std::string Block::stall_report() const {
  constexpr int most_sites = 8;
  int sites = 0;
  std::string text = str("block ", index_, " of ", threads_.size(), " threads cannot go on: ");
  const auto add = [&](const Meeting& meeting, const std::string& who) {
    if (meeting.arrived == 0) return;
    if (++sites <= most_sites)
      text += str(meeting.arrived, " of ", meeting.expected, who, " wait at ", meeting.site, ", ");
  };
  for (const auto& meeting : block_meetings_) add(*meeting, " threads");
  for (std::size_t warp = 0; warp < warp_meetings_.size(); ++warp)
    for (const auto& meeting : warp_meetings_[warp])
      add(*meeting, str(" lanes of warp ", warp, " (mask ", Mask{meeting->mask}, ')'));
  if (sites > most_sites) text += str("others at ", sites - most_sites, " more places, ");
  return text + str(threads_.size() - static_cast<std::size_t>(unfinished_), " have returned");
}

}  // namespace mien::simt
