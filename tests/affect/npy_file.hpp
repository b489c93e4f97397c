#pragma once
// A .npy file as numpy.save(numpy.array("text")) writes it.

#include <string>
#include <string_view>

namespace mien::test {

// `text` is ASCII of at least one character.
inline std::string npy_file(std::string_view text) {
  std::string header =
      "{'descr': '<U" + std::to_string(text.size()) + "', 'fortran_order': False, 'shape': (), }";
  header.resize(117, ' ');  // so that the elements begin at 128
  std::string file = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + '\n';
  for (const char c : text) file += std::string{c, 0, 0, 0};
  return file;
}

}  // namespace mien::test
