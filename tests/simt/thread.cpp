#include <simt/block.hpp>
#include <simt/sanitizer.hpp>
#include <simt/thread.hpp>

namespace mien::simt {

void barrier(const Site& site) { Block::current().barrier(site); }

const LaneValues& exchange(const Site& site, unsigned mask, std::uint64_t value,
                           bool orders_memory) {
  return Block::current().exchange(site, mask, value, orders_memory);
}

void copy_async(void* to, const void* from, std::size_t bytes) {
  const auto misaligned = [=](const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) % bytes != 0;
  };
  check(!misaligned(to) && !misaligned(from), "simt", "an asynchronous copy of ", bytes,
        " bytes is not aligned to them");
  const Copy copy{to, from, bytes};
  if (ScheduleScope::active().copies_at_once) return copy.make();
  const sanitizer::Quiet quiet;
  Block::current().copies().add(copy);
}

void commit_copies() {
  const sanitizer::Quiet quiet;
  Block::current().copies().commit();
}

// The copies themselves are the thread's own reads and writes: not quiet.
void wait_copies(std::size_t pending) {
  std::vector<Copy> due;
  {
    const sanitizer::Quiet quiet;
    due = Block::current().copies().take(pending);
  }
  for (const Copy& copy : due) copy.make();
}

int lane() { return Block::current().lane(); }

void* dynamic_shared() { return Block::current().shared().dynamic(); }

void* shared_variable(const void* key, std::size_t bytes, std::size_t alignment) {
  const sanitizer::Quiet quiet;
  return Block::current().shared().variable(key, bytes, alignment);
}

}  // namespace mien::simt
