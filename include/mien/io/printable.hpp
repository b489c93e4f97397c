#pragma once
// Text of unknown origin as part of an error message.

#include <string>
#include <string_view>

namespace mien::io {

// One line of at most `longest` bytes without control characters.
inline std::string printable(std::string_view text, std::size_t longest = 120) {
  std::string out(text.substr(0, longest));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > longest ? out + "..." : out;
}

}  // namespace mien::io
