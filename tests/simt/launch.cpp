#include <map>
#include <vector>

#include <simt/block.hpp>
#include <simt/launch.hpp>
#include <simt/sanitizer.hpp>
#include <simt/schedule.hpp>

#include <mien/core/error.hpp>

namespace mien::simt {

namespace {

// Bytes of dynamic shared memory by kernel, where more than the default was asked for.
std::map<const void*, std::size_t>& allowed_shared() {
  static std::map<const void*, std::size_t> bytes;
  return bytes;
}

void check_sizes(const Launch& l) {
  check(l.block.count() > 0 && l.block.count() <= 1024, "launch", "a block of ", l.block,
        " threads, expected 1 to 1024");
  check(l.block.z <= 64, "launch", "a block of ", l.block, " threads, at most 64 along z");
  check(l.grid.count() > 0, "launch", "a grid of ", l.grid, " blocks, expected one or more");
  check(l.grid.x <= 2147483647u, "launch", "a grid of ", l.grid,
        " blocks, at most 2147483647 along x");
  check(l.grid.y <= 65535 && l.grid.z <= 65535, "launch", "a grid of ", l.grid,
        " blocks, at most 65535 along y and z");
}

}  // namespace

void allow_dynamic_shared(const void* kernel, std::size_t bytes) {
  check(bytes <= largest_shared_bytes, "launch", bytes, " bytes of shared memory, at most ",
        largest_shared_bytes, " can be had");
  allowed_shared()[kernel] = bytes;
}

void run(const void* kernel, Launch& launch) {
  static bool busy = false;
  check(!busy, "launch", "a kernel launches another one");
  check_sizes(launch);
  // What the host did is ordered before the launch, what its threads did before what follows.
  struct Borders {
    Launch& launch;
    explicit Borders(Launch& launch) : launch(launch) { sanitizer::release(&launch.started); }
    ~Borders() { sanitizer::acquire(&launch.ended); }
  } const borders(launch);
  const sanitizer::Quiet quiet;
  const auto allowed = allowed_shared().find(kernel);
  launch.large_shared = allowed != allowed_shared().end();
  const std::size_t limit = launch.large_shared ? allowed->second : default_shared_bytes;
  check(launch.dynamic_shared_bytes <= limit, "launch", launch.dynamic_shared_bytes,
        " bytes of dynamic shared memory, the kernel was allowed ", limit);

  struct Busy {
    Busy() { busy = true; }
    ~Busy() { busy = false; }
  } const while_running;
  indices.grid_size = launch.grid;
  indices.block_size = launch.block;

  // Blocks are unordered. To ThreadSanitizer the next block's use of the same addresses would be a
  // race with the last one: a block that is over keeps its memory until the launch ends.
  std::vector<std::unique_ptr<Block>> over;
  Turns turns(ScheduleScope::active(), launch.grid.count());
  for (const std::int64_t number : turns.next_round()) {
    auto block = std::make_unique<Block>(launch, launch.grid.place(number));
    block->run();
    if constexpr (MIEN_TSAN) over.push_back(std::move(block));
  }
}

}  // namespace mien::simt
