#include <simt/block.hpp>
#include <simt/sanitizer.hpp>
#include <simt/thread.hpp>

namespace mien::simt {

void barrier(const Site& site) { Block::current().barrier(site); }

LaneValues exchange(const Site& site, unsigned mask, std::uint64_t value, bool orders_memory) {
  return Block::current().exchange(site, mask, value, orders_memory);
}

int lane() { return Block::current().lane(); }

void* dynamic_shared() { return Block::current().shared().dynamic(); }

void* shared_variable(const void* key, std::size_t bytes, std::size_t alignment) {
  const sanitizer::Quiet quiet;
  return Block::current().shared().variable(key, bytes, alignment);
}

}  // namespace mien::simt
