// ONNX graphs: every constant is decoded, then the graph is taken for an EfficientNet.

#include <mien/weights/onnx.hpp>

#include "weights_limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  try {
    weights::read_onnx(fuzz::input(data, size), "input", fuzz::small_limits());
  } catch (const Error&) {
  }
  return 0;
}
