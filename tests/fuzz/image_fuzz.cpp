// Decoding of arbitrary bytes: an image or an error. What decodes is turned upright and written
// again as PNG, whose pixels must read back the same.

#include <cstdint>
#include <cstdlib>

#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>

#include "../support/images.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mien::data::DecodeOptions options;
  options.apply_orientation = true;
  options.limits.max_pixels = 1 << 16;
  const mien::io::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const mien::data::Image image = mien::data::decode_image(bytes, options);
    const mien::data::Image back = mien::data::decode_image(mien::data::encode_png(image));
    if (mien::test::largest_difference(image, back) != 0) std::abort();
  } catch (const mien::Error&) {
  }
  return 0;
}
