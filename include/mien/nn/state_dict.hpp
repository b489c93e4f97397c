#pragma once
// State dicts and the border to PyTorch: mien keeps weights as its kernels read them, files keep
// PyTorch's names and layouts.

#include <string>
#include <utility>
#include <vector>

#include <mien/core/any_tensor.hpp>

namespace mien::nn {

// Tensors by name, in order, in PyTorch's layouts.
using StateDict = std::vector<std::pair<std::string, AnyTensor>>;

// How a tensor is kept in mien and in PyTorch.
enum class Layout {
  same,
  conv,       // (kh, kw, in, out)   <->  (out, in, kh, kw)
  depthwise,  // (kh, kw, c)         <->  (c, 1, kh, kw)
  linear,     // (in, out)           <->  (out, in)
  pointwise,  // (in, out)           <->  (out, in, 1, 1)
};

namespace detail {

inline Shape picked(const Shape& shape, std::initializer_list<int> dims) {
  Shape out;
  for (const int d : dims) out.push_back(d < 0 ? 1 : shape[d]);
  return out;
}

// A dense copy with dimensions in the order `dims`; -1 stands for a new dimension of size 1.
template <Element T>
Tensor<T> permuted_copy(const Tensor<T>& x, std::initializer_list<int> dims) {
  Shape strides;
  for (const int d : dims) strides.push_back(d < 0 ? 0 : x.strides()[d]);
  return x.as_strided(picked(x.shape(), dims), strides).clone();
}

}  // namespace detail

inline Shape torch_shape(const Shape& shape, Layout layout) {
  switch (layout) {
    case Layout::conv:
      return detail::picked(shape, {3, 2, 0, 1});
    case Layout::depthwise:
      return detail::picked(shape, {2, -1, 0, 1});
    case Layout::linear:
      return detail::picked(shape, {1, 0});
    case Layout::pointwise:
      return detail::picked(shape, {1, 0, -1, -1});
    case Layout::same:
      break;
  }
  return shape;
}

template <Element T>
Tensor<T> to_torch_layout(const Tensor<T>& x, Layout layout) {
  switch (layout) {
    case Layout::conv:
      return detail::permuted_copy(x, {3, 2, 0, 1});
    case Layout::depthwise:
      return detail::permuted_copy(x, {2, -1, 0, 1});
    case Layout::linear:
      return detail::permuted_copy(x, {1, 0});
    case Layout::pointwise:
      return detail::permuted_copy(x, {1, 0, -1, -1});
    case Layout::same:
      break;
  }
  return x.clone();
}

template <Element T>
Tensor<T> from_torch_layout(const Tensor<T>& x, Layout layout) {
  switch (layout) {
    case Layout::conv:
      return detail::permuted_copy(x, {2, 3, 1, 0});
    case Layout::depthwise:
      return detail::permuted_copy(x, {2, 3, 0});
    case Layout::linear:
    case Layout::pointwise:
      return detail::permuted_copy(x, {1, 0});
    case Layout::same:
      break;
  }
  return x.clone();
}

}  // namespace mien::nn
