#pragma once
// Shape: up to six dimensions, stored inline.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include <mien/core/error.hpp>

namespace mien {

// Sizes, and also strides (in elements). Images are (n, h, w, c).
class Shape {
 public:
  static constexpr int max_rank = 6;

  constexpr Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims)
      : Shape(dims.begin(), static_cast<int>(dims.size())) {}
  Shape(const std::int64_t* dims, int rank) {
    check(rank <= max_rank, "shape", "at most ", max_rank, " dimensions, got ", rank);
    for (int i = 0; i < rank; ++i) push_back(dims[i]);
  }

  int rank() const { return rank_; }
  const std::int64_t* begin() const { return dims_.data(); }
  const std::int64_t* end() const { return dims_.data() + rank_; }

  // Dimension i; negative counts from the end.
  std::int64_t operator[](int i) const { return dims_[index(i)]; }
  std::int64_t& operator[](int i) { return dims_[index(i)]; }

  void push_back(std::int64_t dim) {
    check(rank_ < max_rank, "shape", "at most ", max_rank, " dimensions");
    dims_[static_cast<std::size_t>(rank_++)] = dim;
  }

  // Product of the sizes; 1 for a scalar. Throws where a size is negative or the product of the
  // others does not fit 63 bits, even beside a size of 0: strides are such products.
  std::int64_t numel() const {
    std::int64_t product = 1;
    bool empty = false;
    for (const auto dim : *this) {
      check(dim >= 0, "shape", "negative size in ", *this);
      if (dim == 0)
        empty = true;
      else
        check(!__builtin_mul_overflow(product, dim, &product), "shape", "too many elements in ",
              *this);
    }
    return empty ? 0 : product;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

  friend std::string to_string(const Shape& shape) {
    std::string text = "(";
    for (const auto dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
    return text + ")";
  }

 private:
  std::size_t index(int i) const {
    const int at = i < 0 ? i + rank_ : i;
    check(at >= 0 && at < rank_, "shape", "dimension ", i, " of a shape of rank ", rank_);
    return static_cast<std::size_t>(at);
  }

  std::array<std::int64_t, max_rank> dims_{};
  int rank_ = 0;
};

// Strides of a dense row-major tensor: (12, 4, 1) for (2, 3, 4).
inline Shape dense_strides(const Shape& shape) {
  Shape strides = shape;
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

// The shape that a and b broadcast to, by NumPy's rule: sizes are aligned at the last dimension,
// and a size of 1 stretches.
inline Shape broadcast(const Shape& a, const Shape& b, std::string_view where = "broadcast") {
  const int rank = a.rank() > b.rank() ? a.rank() : b.rank();
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const auto at = [&](const Shape& s) {
      const int j = i - (rank - s.rank());
      return j < 0 ? std::int64_t{1} : s[j];
    };
    const std::int64_t p = at(a), q = at(b);
    check(p == q || p == 1 || q == 1, where, "shapes ", a, " and ", b, " do not broadcast");
    out.push_back(p == 1 ? q : p);
  }
  return out;
}

// `shape` with a size of -1 replaced by what the number of elements of `from` asks for.
inline Shape infer_shape(const Shape& shape, const Shape& from) {
  Shape full = shape;
  std::int64_t known = 1;
  int open = -1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != -1) {
      check(!__builtin_mul_overflow(known, shape[i], &known), "reshape", "too many elements in ",
            shape);
      continue;
    }
    check(open < 0, "reshape", "more than one -1 in ", shape);
    open = i;
  }
  if (open >= 0 && known > 0) full[open] = from.numel() / known;
  check(full.numel() == from.numel(), "reshape", "expected ", from.numel(), " elements as in ",
        from, ", got shape ", shape);
  return full;
}

// `dim` as an index from the front; negative counts from the end.
inline int wrap_dim(int dim, int rank, std::string_view where) {
  const int wrapped = dim < 0 ? dim + rank : dim;
  check(wrapped >= 0 && wrapped < rank, where, "dimension ", dim, " of a tensor of rank ", rank);
  return wrapped;
}

}  // namespace mien
