#pragma once
// y = x with its elements dense in memory, in row-major order.

#include <mien/ops/op.hpp>

namespace mien {

namespace ops {
struct Contiguous {
  static constexpr std::string_view name = "contiguous";

  Shape shape(std::span<const Shape> in) const { return in[0]; }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    return in[0].clone();
  }

  // Inputs arrive dense: apply() has copied x already.
  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    return in[0];
  }

  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    return {dy};
  }

  static std::vector<Sample<Contiguous>> samples() {
    return {{"dense", {}, {{{2, 3}}}, "x[0].contiguous()"}};
  }
};
}  // namespace ops

// x itself where it is dense, else a copy.
template <FloatElement T>
Tensor<T> contiguous(const Tensor<T>& x) {
  return x.is_contiguous() ? x : apply(ops::Contiguous{}, {x});
}

}  // namespace mien
