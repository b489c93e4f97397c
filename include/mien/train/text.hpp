#pragma once
// Numbers and lines as logs, terminals and charts show them. Nothing here depends on the locale.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace mien::train {

// The shortest text that reads back as the same number: "0.1", "1e-05", "nan", "-inf".
inline std::string shortest(double value) {
  if (std::isnan(value)) return "nan";  // whatever its sign
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

inline std::string fixed(double value, int decimals) {
  char digits[400];  // 1e308 has 309 digits
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, decimals).ptr;
  return {digits, end};
}

// As many digits as tell something: significant(0.000123456, 3) is "0.000123".
inline std::string significant(double value, int digits) {
  char text[400];
  return {text,
          std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr};
}

// Seconds as 59s, 3m20s, 2h05m.
inline std::string duration(double seconds) {
  const auto total = static_cast<long>(std::min(seconds, 1e9) + 0.5);
  const auto two = [](long number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  if (total < 60) return std::to_string(total) + "s";
  if (total < 3600) return std::to_string(total / 60) + "m" + two(total % 60) + "s";
  return std::to_string(total / 3600) + "h" + two(total / 60 % 60) + "m";
}

// `text` with every control character, such as a line feed, turned into '?'.
inline std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& symbol : line)
    if (static_cast<unsigned char>(symbol) < 0x20 || symbol == 0x7f) symbol = '?';
  return line;
}

// The bytes of the character that begins at `at`, and the columns it takes at most on a terminal:
// two from Hangul on, where wide scripts begin. A byte that is not UTF-8 counts as a character.
struct Character {
  std::size_t bytes = 1;
  int columns = 1;
};
inline Character character_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (at + bytes > text.size()) return {};
  for (std::size_t i = 1; i < bytes; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0u) != 0x80u) return {};
  const bool narrow =
      lead < 0xe1 || (lead == 0xe1 && static_cast<unsigned char>(text[at + 1]) < 0x84);
  return {bytes, narrow ? 1 : 2};
}

inline int columns_of(std::string_view text) {
  int columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    columns += character.columns;
    at += character.bytes;
  }
  return columns;
}

// `text`, cut and ended with "..." if it takes more than `columns` columns.
inline std::string clipped(std::string_view text, int columns) {
  if (columns_of(text) <= columns) return std::string(text);
  const std::string dots(static_cast<std::size_t>(std::clamp(columns, 0, 3)), '.');
  int room = columns - columns_of(dots);
  std::size_t end = 0;
  while (end < text.size()) {
    const Character character = character_at(text, end);
    if (character.columns > room) break;
    room -= character.columns;
    end += character.bytes;
  }
  return std::string(text.substr(0, end)).append(dots);
}

}  // namespace mien::train
