#pragma once
// JsonReader: pulls the pieces of a JSON text whose structure the caller knows (the header of a
// safetensors file). It never recurses. Also writes JSON strings. RFC 8259.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>

namespace mien::io {

// True where `text` is well-formed UTF-8 (no overlong forms, no surrogates).
inline bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4) return false;
    std::uint32_t code = lead & (0x3fu >> more);
    for (int k = 0; k < more; ++k) {
      if (i == text.size() || (static_cast<unsigned char>(text[i]) & 0xc0u) != 0x80u) return false;
      code = (code << 6) | (static_cast<unsigned char>(text[i++]) & 0x3fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    if (code < smallest[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  }
  return true;
}

inline void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
    return;
  }
  if (code < 0x800) {
    put(0xc0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xe0 | (code >> 12));
    } else {
      put(0xf0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3f));
    }
    put(0x80 | ((code >> 6) & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

class JsonReader {
 public:
  JsonReader(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  // Takes `symbol` if it comes next.
  bool accept(char symbol) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != symbol) return false;
    ++at_;
    return true;
  }
  void expect(char symbol) {
    const bool found = accept(symbol);
    check(found, where_, "'", symbol, "' expected at offset ", at_, " of the JSON header");
  }
  void expect_end() {
    skip_space();
    check(at_ == text_.size(), where_, "more text after the JSON header, at offset ", at_);
  }

  // Calls item() for each element between `open` and `close`, separated by commas.
  template <class Item>
  void each(char open, char close, Item&& item) {
    expect(open);
    if (accept(close)) return;
    do item();
    while (accept(','));
    expect(close);
  }

  std::uint64_t unsigned_integer() {
    skip_space();
    const std::size_t first = at_;
    std::uint64_t value = 0;
    bool overflow = false;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      overflow |= __builtin_mul_overflow(value, std::uint64_t{10}, &value);
      overflow |=
          __builtin_add_overflow(value, static_cast<std::uint64_t>(text_[at_] - '0'), &value);
    }
    const bool leading_zero = at_ - first > 1 && text_[first] == '0';
    check(at_ > first && !overflow && !leading_zero, where_,
          "a non-negative integer expected at offset ", first, " of the JSON header");
    return value;
  }

  std::string string() {
    expect('"');
    std::string out;
    for (;;) {
      const char symbol = next();
      if (symbol == '"') break;
      check(static_cast<unsigned char>(symbol) >= 0x20, where_,
            "a control character in a JSON string at offset ", at_ - 1);
      if (symbol == '\\')
        escape(out);
      else
        out += symbol;
    }
    check(is_utf8(out), where_, "a JSON string before offset ", at_, " is not UTF-8");
    return out;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }

  char next() {
    check(at_ < text_.size(), where_, "the JSON header ends early");
    return text_[at_++];
  }

  void escape(std::string& out) {
    const char symbol = next();
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    if (const auto i = names.find(symbol); i != std::string_view::npos) {
      out += values[i];
      return;
    }
    check(symbol == 'u', where_, "an unknown escape in a JSON string at offset ", at_ - 1);
    std::uint32_t code = hex4();
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const std::uint32_t low = hex4();
      check(low >= 0xdc00 && low < 0xe000, where_, "half a surrogate pair at offset ", at_);
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);  // a lone surrogate is caught as bad UTF-8
  }

  std::uint32_t hex4() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      constexpr std::string_view digits = "0123456789abcdef";
      char symbol = next();
      if (symbol >= 'A' && symbol <= 'F') symbol = static_cast<char>(symbol - 'A' + 'a');
      const auto digit = digits.find(symbol);
      check(digit != std::string_view::npos, where_, "a bad \\u escape at offset ", at_ - 1);
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return code;
  }

  std::string_view text_;
  std::string where_;
  std::size_t at_ = 0;
};

// `text` as a JSON string, quoted and escaped.
inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char symbol : text) {
    if (symbol == '"' || symbol == '\\') {
      out += '\\';
      out += symbol;
    } else if (static_cast<unsigned char>(symbol) < 0x20) {
      constexpr std::string_view digits = "0123456789abcdef";
      out += "\\u00";
      out += digits[static_cast<unsigned char>(symbol) >> 4];
      out += digits[static_cast<unsigned char>(symbol) & 15u];
    } else {
      out += symbol;
    }
  }
  return out + '"';
}

}  // namespace mien::io
