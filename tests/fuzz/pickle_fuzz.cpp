// The pickle machine, and the walk through what it made.

#include <mien/weights/pickle.hpp>
#include <mien/weights/torch_objects.hpp>

#include "weights_limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  static constexpr std::byte storage[64] = {};
  const weights::Limits limits = fuzz::small_limits();
  weights::MemoryBudget budget(limits, size);
  try {
    const auto document = weights::pickle::read(fuzz::input(data, size), "input", limits);
    weights::Checkpoint out;
    const auto find = [](std::string_view) { return io::Bytes(storage); };
    const weights::torch::TensorReader tensors("input", find, size % 2 == 1, budget);
    weights::torch::StateReader(tensors, limits, out).read(*document.root);
  } catch (const Error&) {
  }
  return 0;
}
