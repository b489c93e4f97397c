// The zip reader: the directory, and the contents of every entry.

#include <mien/weights/zip.hpp>

#include "weights_limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  const weights::Limits limits = fuzz::small_limits();
  weights::MemoryBudget budget(limits, size);
  try {
    weights::ZipArchive archive(fuzz::input(data, size), "input", limits, budget);
    for (const auto& entry : archive.entries()) archive.contents(entry);
  } catch (const Error&) {
  }
  return 0;
}
