// PyTorch's files of both formats, up to the recognised network.

#include <mien/weights/import.hpp>
#include <mien/weights/torch.hpp>

#include "weights_limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  const weights::Limits limits = fuzz::small_limits();
  const io::Bytes bytes = fuzz::input(data, size);
  try {
    const auto checkpoint = weights::ZipArchive::recognises(bytes)
                                ? weights::read_torch_zip(bytes, "input", limits)
                                : weights::read_torch_legacy(bytes, "input", limits);
    weights::import_checkpoint(checkpoint);
  } catch (const Error&) {
  }
  return 0;
}
