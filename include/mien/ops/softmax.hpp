#pragma once
// y_i = exp(x_i - m) / sum_j exp(x_j - m) over one dimension, with m = max x, and its logarithm
// x_i - m - log(sum_j exp(x_j - m)), whose large negative values keep their precision.

#include <cmath>

#include <mien/core/index.hpp>
#include <mien/cpu/softmax.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {

template <bool Log>
struct SoftmaxOver {
  static constexpr std::string_view name = Log ? "log_softmax" : "softmax";
  int dim = -1;

  Shape shape(std::span<const Shape> in) const {
    wrap_dim(dim, in[0].rank(), name);
    return in[0];
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(x.shape());
    Shape firsts = x.shape();
    firsts[dim] = 1;
    each_index(firsts, [&](const Shape& first) {
      const std::int64_t at = offset_of(first, x.strides()), n = x.dim(dim),
                         step = x.strides()[dim];
      const T* row = x.data() + at;
      double top = row[0], sum = 0;
      for (std::int64_t i = 1; i < n; ++i) top = std::max<double>(top, row[i * step]);
      for (std::int64_t i = 0; i < n; ++i) sum += std::exp(row[i * step] - top);
      for (std::int64_t i = 0; i < n; ++i) {
        const double log_y = row[i * step] - top - std::log(sum);
        y.mutable_data()[at + i * step] = static_cast<T>(Log ? log_y : std::exp(log_y));
      }
    });
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    Tensor<T> y(x.shape(), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::softmax<Log>(device, y.mutable_data(), x.data(), params(x.shape()));
    });
    ctx.save(y);
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Tensor<T> dx(dy.shape(), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::softmax_grad<Log>(device, dx.mutable_data(), ctx.saved(0).data(), dy.data(),
                                 params(dy.shape()));
    });
    return {dx};
  }

  static std::vector<Sample<SoftmaxOver>> samples() {
    const auto torch = [](int dim) { return str("F.", name, "(x[0], dim=", dim, ")"); };
    return {{"last", {}, {{{5, 10}, -6, 6}}, torch(-1)},
            {"long_rows", {}, {{{3, 67}, -20, 20}}, torch(-1)},
            {"first", {.dim = 0}, {{{7, 37}, -6, 6}}, torch(0)},
            {"middle", {.dim = 1}, {{{2, 9, 3, 5}}}, torch(1)}};
  }

 private:
  kernels::SoftmaxParams params(const Shape& x) const {
    const int at = wrap_dim(dim, x.rank(), name);
    kernels::SoftmaxParams p{.n = x[at]};
    for (int d = 0; d < x.rank(); ++d)
      if (d != at) (d < at ? p.pre : p.post) *= x[d];
    return p;
  }
};

using Softmax = SoftmaxOver<false>;
using LogSoftmax = SoftmaxOver<true>;

}  // namespace ops

// Any shape; sums to 1 over dimension dim.
template <FloatElement T>
Tensor<T> softmax(const Tensor<T>& x, int dim = -1) {
  return apply(ops::Softmax{.dim = dim}, {x});
}

// Any shape; the logarithm of softmax(x, dim).
template <FloatElement T>
Tensor<T> log_softmax(const Tensor<T>& x, int dim = -1) {
  return apply(ops::LogSoftmax{.dim = dim}, {x});
}

MIEN_INSTANCE(Tensor<float> softmax(const Tensor<float>&, int))
MIEN_INSTANCE(Tensor<float> log_softmax(const Tensor<float>&, int))

}  // namespace mien
