// NumPy's arrays: what is read has as many elements as its shape says.

#include <cstdint>
#include <cstdlib>

#include <mien/io/npy.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mien;
  const io::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const io::NpyArray array = io::parse_npy(bytes, "input");
    const std::int64_t count = array.numbers.defined()
                                   ? array.numbers.numel()
                                   : static_cast<std::int64_t>(array.texts.size());
    if (count != array.shape.numel()) std::abort();
    for (const std::string& text : array.texts)
      if (!io::is_utf8(text)) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
