#pragma once
// Errors: exceptions whose text names the op, what was expected and what came.
//   [conv2d] weight has 32 input channels, input has 24

#include <cstdio>
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

inline void append(std::string& text, std::string_view part) { text += part; }

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

}  // namespace detail

// The parts one after another as text: str("got ", shape, ", expected ", 4).
template <class... Parts>
std::string str(const Parts&... parts) {
  std::string text;
  (detail::append(text, parts), ...);
  return text;
}

// Throws Error("[where] message").
[[noreturn]] MIEN_NOINLINE inline void fail(std::string_view where, std::string_view message) {
  throw Error(str('[', where, "] ", message));
}

namespace detail {
template <class... Parts>
[[noreturn]] MIEN_NOINLINE void fail_with(std::string_view where, const Parts&... parts) {
  fail(where, str(parts...));
}
}  // namespace detail

// Throws unless `condition` holds; the message is built only then, out of line.
template <class... Parts>
void check(bool condition, std::string_view where, const Parts&... parts) {
  if (!condition) [[unlikely]]
    detail::fail_with(where, parts...);
}

}  // namespace mien
