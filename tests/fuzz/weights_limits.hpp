#pragma once
// Limits for fuzzing weight files: the same checks, reached by small inputs.

#include <mien/weights/checkpoint.hpp>

namespace mien::fuzz {

inline weights::Limits small_limits() {
  weights::Limits limits;
  limits.pickle_opcodes = 20'000;
  limits.visits = 100'000;
  limits.tensors = 1'000;
  limits.graph_nodes = 1'000;
  limits.memory_floor = 1 << 20;
  return limits;
}

inline io::Bytes input(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

}  // namespace mien::fuzz
