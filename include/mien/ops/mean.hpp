#pragma once
// y = the mean of x over some dimensions. Accumulated in float (double for double), rounded once.

#include <mien/ops/expand.hpp>
#include <mien/ops/reduce.hpp>
#include <mien/ops/scale_shift.hpp>

namespace mien {

namespace ops {
struct Mean {
  static constexpr std::string_view name = "mean";
  Over over = {};

  Shape shape(std::span<const Shape> in) const { return reduced_shape(in[0], over, name); }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Shape kept = reduced_keepdim(in[0].shape(), over, name);
    const auto share = static_cast<Compute<T>>(1 / count(in[0].shape()));
    return reduce_reference(in[0], kept, 0, [=](auto mean, auto x) { return mean + share * x; })
        .view_as(reduced_shape(in[0].shape(), over, name));
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Shape& x = in[0].shape();
    const auto sums = reduce_to<kernels::Reduction::sum>(in[0], reduced_keepdim(x, over, name));
    return rounded_to<T>(sums / count(x)).view_as(reduced_shape(x, over, name));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Shape& x = ctx.shape(0);
    return {expanded((dy / count(x)).view_as(reduced_keepdim(x, over, name)), x)};
  }

  static std::vector<Sample<Mean>> samples() { return reduction_samples<Mean>("mean"); }

 private:
  // Elements per mean.
  double count(const Shape& x) const {
    const Shape kept = reduced_keepdim(x, over, name);
    double elements = 1;
    for (int d = 0; d < x.rank(); ++d)
      if (kept[d] != x[d]) elements *= static_cast<double>(x[d]);
    return elements;
  }
};
}  // namespace ops

// Any shape. The mean of no elements is NaN.
template <FloatElement T>
Tensor<T> mean(const Tensor<T>& x, const Over& over = {}) {
  return apply(ops::Mean{.over = over}, {x});
}

MIEN_INSTANCE(Tensor<float> mean(const Tensor<float>&, const Over&))

}  // namespace mien
