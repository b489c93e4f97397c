#include <algorithm>
#include <cstring>

#include <simt/shared_memory.hpp>

#include <mien/core/error.hpp>

namespace mien::simt {

SharedMemory::SharedMemory(std::size_t dynamic_bytes, bool may_be_large)
    : dynamic_bytes_(dynamic_bytes),
      may_be_large_(may_be_large),
      dynamic_(allocate(dynamic_bytes, 16)) {}

SharedMemory::Piece SharedMemory::allocate(std::size_t bytes, std::size_t alignment) {
  const auto aligned = static_cast<std::align_val_t>(std::max<std::size_t>(alignment, 16));
  Piece piece(::operator new(bytes, aligned), Release{aligned});
  std::memset(piece.get(), 0xFF, bytes);
  return piece;
}

void* SharedMemory::variable(const void* key, std::size_t bytes, std::size_t alignment) {
  for (const Variable& v : variables_)
    if (v.key == key) return v.memory.get();
  static_bytes_ += bytes;
  check(static_bytes_ <= default_shared_bytes, "simt", "static shared memory of ", static_bytes_,
        " bytes, at most ", default_shared_bytes, " can be had");
  const std::size_t limit = may_be_large_ ? largest_shared_bytes : default_shared_bytes;
  check(static_bytes_ + dynamic_bytes_ <= limit, "simt", "shared memory of ", dynamic_bytes_,
        " dynamic and ", static_bytes_, " static bytes, at most ", limit, " in this launch");
  return variables_.emplace_back(Variable{key, allocate(bytes, alignment)}).memory.get();
}

}  // namespace mien::simt
