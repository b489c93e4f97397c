#pragma once
// Errors: exceptions whose text names the op, what was expected and what came.
//   [conv2d] weight has 32 input channels, input has 24

#include <cstddef>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <mien/config.hpp>

namespace mien {

// Everything that mien throws by itself.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

template <class Number>
requires std::is_arithmetic_v<Number>
void append(std::string& text, Number part) {
  if constexpr (std::is_same_v<Number, char>) {
    text += part;
  } else if constexpr (std::is_floating_point_v<Number>) {
    char digits[32];  // std::to_string would show 1e-7 as 0.000000
    std::snprintf(digits, sizeof digits, "%.*g", std::numeric_limits<Number>::digits10,
                  static_cast<double>(part));
    text += digits;
  } else {
    text += std::to_string(part);
  }
}

// Anything with a to_string() found by argument-dependent lookup (Shape, DType, Device).
template <class Value>
requires requires(const Value& v) { std::string_view(to_string(v)); }
void append(std::string& text, const Value& part) { text += to_string(part); }

// A value that may become part of a text; formatted by one function per type, when it is needed.
class TextPart {
 public:
  TextPart(std::string_view text)
      : value_(text.data()),
        size_(text.size()),
        append_([](std::string& out, const TextPart& part) {
          out.append(static_cast<const char*>(part.value_), part.size_);
        }) {}
  TextPart(const char* text) : TextPart(std::string_view(text)) {}
  template <class Value>
  requires(!std::is_convertible_v<const Value&, std::string_view>) TextPart(const Value& value)
      : value_(&value), append_([](std::string& out, const TextPart& part) {
          append(out, *static_cast<const Value*>(part.value_));
        }) {}

  void append_to(std::string& out) const { append_(out, *this); }

 private:
  const void* value_;
  std::size_t size_ = 0;
  void (*append_)(std::string&, const TextPart&);
};

MIEN_NOINLINE inline std::string join(std::initializer_list<TextPart> parts) {
  std::string text;
  for (const TextPart& part : parts) part.append_to(text);
  return text;
}

}  // namespace detail

// The parts one after another as text: str("got ", shape, ", expected ", 4).
template <class... Parts>
std::string str(const Parts&... parts) {
  return detail::join({detail::TextPart(parts)...});
}

// Throws Error("[where] message").
[[noreturn]] MIEN_NOINLINE inline void fail(std::string_view where, std::string_view message) {
  throw Error(str('[', where, "] ", message));
}

namespace detail {
[[noreturn]] MIEN_NOINLINE inline void fail_with(std::string_view where,
                                                 std::initializer_list<TextPart> parts) {
  fail(where, join(parts));
}
}  // namespace detail

// Throws unless `condition` holds; the message is built only then, out of line.
template <class... Parts>
void check(bool condition, std::string_view where, const Parts&... parts) {
  if (!condition) [[unlikely]]
    detail::fail_with(where, {detail::TextPart(parts)...});
}

}  // namespace mien
