#pragma once
// The largest or smallest element of x over some dimensions; max.hpp and min.hpp name them.
// The gradient is shared evenly by all elements that equal the extremum, as of torch.amax and
// torch.amin (torch.max over one dimension gives it to one of them). NaN where an element is NaN.

#include <limits>

#include <mien/ops/div.hpp>
#include <mien/ops/equal.hpp>
#include <mien/ops/expand.hpp>
#include <mien/ops/mul.hpp>
#include <mien/ops/reduce.hpp>

namespace mien::ops {

template <kernels::Reduction Kind>
struct Extremum {
  static constexpr bool largest = Kind == kernels::Reduction::max;
  static constexpr std::string_view name = largest ? "max" : "min";
  Over over = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape out = reduced_shape(in[0], over, name);
    check(in[0].numel() > 0 || out.numel() == 0, name, "no elements to choose from in ", in[0]);
    return out;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    constexpr Compute<T> infinity = std::numeric_limits<Compute<T>>::infinity();
    return reduce_reference(in[0], reduced_keepdim(in[0].shape(), over, name),
                            largest ? -infinity : infinity,
                            [](auto a, auto b) {
                              const bool first = largest ? a > b : a < b;
                              return first || a != a ? a : b;
                            })
        .view_as(reduced_shape(in[0].shape(), over, name));
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    const auto extrema = reduce_to<Kind>(x, reduced_keepdim(x.shape(), over, name));
    const Tensor<T> y = rounded_to<T>(extrema);
    ctx.save(x, y);
    return y.view_as(reduced_shape(x.shape(), over, name));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T>&x = ctx.saved(0), &y = ctx.saved(1);
    const Tensor<T> chosen = equal(x, y);
    return {chosen * (dy.view_as(y.shape()) / sum_to(chosen, y.shape()))};
  }

  static std::vector<Sample<Extremum>> samples() {
    return reduction_samples<Extremum>(largest ? "amax" : "amin");
  }
};

}  // namespace mien::ops
