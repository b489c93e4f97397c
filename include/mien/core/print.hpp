#pragma once
// Tensors as text, in NumPy's manner: nested brackets, long dimensions shortened with "...".

#include <cstdio>
#include <string>

#include <mien/core/tensor.hpp>

namespace mien {

struct PrintOptions {
  int digits = 4;          // significant digits of floating-point elements
  std::int64_t edge = 3;   // elements shown at each end of a long dimension
  std::int64_t limit = 8;  // dimensions longer than this are shortened
};

namespace detail {

template <Element T>
std::string element_text(T value, int digits) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (FloatElement<T>) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*g", digits, static_cast<double>(value));
    return text;
  } else {
    return std::to_string(value);
  }
}

template <Element T>
void print_dim(std::string& text, const T* data, const Tensor<T>& x, int d,
               const PrintOptions& options) {
  if (d == x.rank()) {
    text += element_text(*data, options.digits);
    return;
  }
  const bool innermost = d == x.rank() - 1;
  const std::string separator =
      innermost ? ", " : ",\n" + std::string(static_cast<std::size_t>(d) + 1, ' ');
  text += '[';
  const std::int64_t n = x.dim(d);
  const bool shortened = n > options.limit && n > 2 * options.edge;
  for (std::int64_t i = 0; i < n; ++i) {
    if (i > 0) text += separator;
    if (shortened && i == options.edge) {
      text += "...";
      i = n - options.edge - 1;
      continue;
    }
    print_dim(text, data + i * x.strides()[d], x, d + 1, options);
  }
  text += ']';
}

}  // namespace detail

// [[1, 2], [3, 4]] f32 (2, 2)
template <Element T>
std::string to_string(const Tensor<T>& x, const PrintOptions& options = {}) {
  if (!x.defined()) return "undefined tensor";
  std::string text;
  if (x.numel() > 0)
    detail::print_dim(text, x.data(), x, 0, options);
  else
    text = "[]";
  return text + str(' ', dtype_of<T>, ' ', x.shape());
}

}  // namespace mien
