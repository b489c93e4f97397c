// ncnn networks: the input is a .param file up to the first zero byte, then a .bin file.

#include <mien/weights/ncnn.hpp>

#include <algorithm>

#include "weights_limits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  const io::Bytes bytes = fuzz::input(data, size);
  const auto zero =
      static_cast<std::size_t>(std::find(bytes.begin(), bytes.end(), std::byte{0}) - bytes.begin());
  try {
    weights::read_ncnn(bytes.first(zero), bytes.subspan(std::min(zero + 1, size)), "param", "bin",
                       fuzz::small_limits());
  } catch (const Error&) {
  }
  return 0;
}
