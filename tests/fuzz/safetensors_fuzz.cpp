// Whatever is read as safetensors can be recognised or not, and its header written again.

#include <mien/weights/import.hpp>

#include "weights_limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  try {
    const auto file = io::parse_safetensors(fuzz::input(data, size), "input");
    io::detail::check_writable(file, "output");
    io::detail::header_json(file, io::detail::data_order(file.tensors));
    weights::import_checkpoint({"input", "safetensors", file.tensors, file.metadata, {}});
  } catch (const Error&) {
  }
  return 0;
}
