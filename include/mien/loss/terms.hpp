#pragma once
// What losses are made of: which elements count, what classes weigh, and how terms become one
// number. Sums are in double, and the same bits for any number of threads.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/core/tensor.hpp>

namespace mien::loss {

// mean: the sum divided by the number of elements that count; NaN where none does.
enum class Reduction { mean, sum };

// The elements of a tensor that count: all of them without a mask. A mask has the tensor's shape,
// or its leading dimensions: (n) decides for whole rows of (n, c).
class Mask {
 public:
  Mask(const Tensor<bool>& mask, const Shape& x, std::string_view where)
      : mask_(mask.dense()), elements_(x.numel()) {
    if (!mask_.defined()) return;
    bool leading = mask.rank() > 0 && mask.rank() <= x.rank();
    for (int d = 0; leading && d < mask.rank(); ++d) leading = mask.dim(d) == x[d];
    check(leading, where, "expected a mask of shape ", x, " or of its leading dimensions, got ",
          mask.shape());
    for (int d = mask.rank(); d < x.rank(); ++d) step_ *= x[d];
  }

  bool operator()(std::int64_t i) const { return !mask_.defined() || mask_.data()[i / step_]; }

  std::int64_t count() const {
    if (!mask_.defined()) return elements_;
    std::int64_t kept = 0;
    for (std::int64_t i = 0; i < mask_.numel(); ++i) kept += mask_.data()[i] ? step_ : 0;
    return kept;
  }

 private:
  Tensor<bool> mask_;
  std::int64_t elements_, step_ = 1;  // of x: all, and for each element of the mask
};

// Weights of classes, (classes) finite numbers of at least 0; 1 where none are given.
class Weights {
 public:
  // `what` names them in errors: "weight".
  Weights(const Tensor<double>& weights, std::int64_t classes, std::string_view where,
          std::string_view what)
      : weights_(weights.dense()) {
    if (!weights_.defined()) return;
    check(weights.shape() == Shape{classes}, where, "expected ", what, " of shape ", Shape{classes},
          ", got ", weights.shape());
    for (std::int64_t c = 0; c < classes; ++c)
      check(std::isfinite((*this)(c)) && (*this)(c) >= 0, where, "expected finite ", what,
            " of at least 0, got ", (*this)(c), " for class ", c);
  }

  double operator()(std::int64_t c) const { return weights_.defined() ? weights_.data()[c] : 1; }

 private:
  Tensor<double> weights_;
};

// The sum of term(i) for i < n. A term costs about as much as `cost` additions.
template <class Term>
double sum_terms(std::int64_t n, std::int64_t cost, Term&& term) {
  const std::int64_t chunk = (1 << 14) / (cost + 1) + 1;
  std::vector<double> sums(static_cast<std::size_t>((n + chunk - 1) / chunk));
  parallel_for(n, chunk, [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += term(i);
    sums[static_cast<std::size_t>(begin / chunk)] = sum;
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

// A tensor with value(i), a double, in element i.
template <FloatElement T, class Value>
Tensor<T> tensor_of(const Shape& shape, Value&& value) {
  const Tensor<T> out(shape);
  T* const elements = out.mutable_data();
  parallel_for(out.numel(), 1 << 12, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) elements[i] = static_cast<T>(value(i));
  });
  return out;
}

}  // namespace mien::loss
