#pragma once
// Base64 (RFC 4648, section 4): every three bytes as four characters.

#include <cstddef>
#include <cstdint>
#include <string>

#include <mien/io/mapped_file.hpp>

namespace mien::io {

// With padding, without line breaks.
inline std::string base64(Bytes bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](std::size_t i) {
      return at + i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0;
    };
    const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    text += digits[bits >> 18];
    text += digits[bits >> 12 & 63];
    text += at + 1 < bytes.size() ? digits[bits >> 6 & 63] : '=';
    text += at + 2 < bytes.size() ? digits[bits & 63] : '=';
  }
  return text;
}

}  // namespace mien::io
