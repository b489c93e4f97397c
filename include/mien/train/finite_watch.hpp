#pragma once
// Ends a run whose loss is no longer a number, and says where that shows:
//
//   [train] step 812: loss is NaN, gradient norm is NaN; 23 of 312 gradients are non-finite, first
//   conv_stem.weight (17 of 864 elements: 16 NaN, 1 Inf; largest finite 3.1e+38), last
//   blocks.2.0.conv_pw.weight; all 312 parameters are finite, largest 4.2 in classifier.weight

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/dtype.hpp>
#include <mien/core/error.hpp>
#include <mien/train/text.hpp>

namespace mien::train {

// The elements of a gradient or a parameter.
template <FloatElement T>
struct NamedSpan {
  std::string name;
  std::span<const T> elements;
};

struct FiniteCount {
  std::int64_t elements = 0, nan = 0, inf = 0;
  double largest = 0;  // of the finite elements' absolute values

  bool all_finite() const { return nan + inf == 0; }
};

template <FloatElement T>
FiniteCount count_finite(std::span<const T> elements) {
  FiniteCount count{.elements = static_cast<std::int64_t>(elements.size())};
  for (const T element : elements) {
    const double value = std::abs(static_cast<double>(element));
    if (std::isnan(value))
      ++count.nan;
    else if (std::isinf(value))
      ++count.inf;
    else
      count.largest = std::max(count.largest, value);
  }
  return count;
}

struct StepNumbers {
  std::int64_t step = 0;
  double loss = 0;
  double gradient_norm = 0;
};

namespace detail {

inline std::string number_or_kind(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "Inf";
  return significant(value, 6);
}

// "; 2 of 9 gradients are non-finite, first ..., last ...", or that all are finite.
template <FloatElement T>
std::string finite_report(std::string_view kind, const std::vector<NamedSpan<T>>& spans) {
  if (spans.empty()) return {};
  FiniteCount first;
  std::string_view first_name, last_name, largest_name;
  double largest = -1;
  std::int64_t damaged = 0;
  for (const auto& [name, elements] : spans) {
    const FiniteCount count = count_finite(elements);
    if (!count.all_finite()) {
      if (damaged++ == 0) {
        first = count;
        first_name = name;
      }
      last_name = name;
    }
    if (count.largest > largest) {
      largest = count.largest;
      largest_name = name;
    }
  }
  if (damaged == 0)
    return str("; all ", spans.size(), ' ', kind, "s are finite, largest ", significant(largest, 3),
               " in ", largest_name);
  return str("; ", damaged, " of ", spans.size(), ' ', kind, "s are non-finite, first ", first_name,
             " (", first.nan + first.inf, " of ", first.elements, " elements: ", first.nan,
             " NaN, ", first.inf, " Inf; largest finite ", significant(first.largest, 3),
             "), last ", last_name);
}

}  // namespace detail

// Throws unless loss and gradient norm are finite. `gradients` and `parameters` give the named
// spans in the order of the network; they are called only then.
template <class Gradients, class Parameters>
void check_finite(const StepNumbers& numbers, Gradients&& gradients, Parameters&& parameters) {
  if (std::isfinite(numbers.loss) && std::isfinite(numbers.gradient_norm)) [[likely]]
    return;
  fail("train", str("step ", numbers.step, ": loss is ", detail::number_or_kind(numbers.loss),
                    ", gradient norm is ", detail::number_or_kind(numbers.gradient_norm),
                    detail::finite_report("gradient", gradients()),
                    detail::finite_report("parameter", parameters())));
}

}  // namespace mien::train
