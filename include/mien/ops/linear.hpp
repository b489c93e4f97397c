#pragma once
// Fully connected layer with an optional activation fused behind it: y = act(x w + b);
// x (..., in), w (in, out), b (out), y (..., out).

#include <vector>

#include <mien/cpu/column_sums.hpp>
#include <mien/cpu/gemm.hpp>
#include <mien/ops/activation.hpp>
#include <mien/ops/op.hpp>
#include <mien/ops/packed_weights.hpp>

namespace mien {

struct LinearOptions {
  Activation activation = Activation::none;
  double slope = 0.01;  // of leaky_relu
};

namespace ops {

// Input: x. Weights: w, bias (may be absent).
struct Linear {
  static constexpr std::string_view name = "linear";
  static constexpr std::size_t first_weight = 1, required_inputs = 2;
  LinearOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape &x = in[0], &w = in[1];
    check(x.rank() >= 1, name, "expected x of shape (..., features), got ", x);
    check(w.rank() == 2, name, "expected a weight of shape (in, out), got ", w);
    check(x[-1] > 0 && w[1] > 0, name, "shapes ", x, " and ", w, " have no features");
    check(x[-1] == w[0], name, "weight has ", w[0], " input features, input has ", x[-1]);
    check(in[2].rank() == 0 || in[2] == Shape{w[1]}, name, "weight has ", w[1],
          " output features, bias has shape ", in[2]);
    return out_shape(x, w[1]);
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in, Weights<T> weights) const {
    using C = Compute<T>;
    const Tensor<T>& x = in[0];
    const Tensor<C>&w = weights[0], &bias = weights[1];
    const std::int64_t k = w.dim(0), n = w.dim(1);
    Tensor<T> y(out_shape(x.shape(), n));
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      C sum = bias.defined() ? bias(at % n) : C(0);
      for (std::int64_t i = 0; i < k; ++i)
        sum += static_cast<C>(x.data()[at / n * k + i]) * w(i, at % n);
      y.mutable_data()[at] = with_activation(options.activation, options.slope, name, [&](auto op) {
        return static_cast<T>(op.reference(sum));
      });
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in, Weights<T> weights) {
    const Tensor<T>& x = in[0];
    const Tensor<Compute<T>>&w = weights[0], &bias = weights[1];
    const std::int64_t k = w.dim(0), n = w.dim(1);
    const kernels::GemmParams p{.m = x.numel() / k,
                                .n = n,
                                .k = k,
                                .a_row = k,
                                .a_col = 1,
                                .b_row = n,
                                .b_col = 1,
                                .c_row = n};
    kernels::Epilogue<T> epilogue{.shift = bias.data()};
    Tensor<T> y(out_shape(x.shape(), n), x.device());
    ctx.save(ctx.needs(1) ? x : Tensor<T>());
    return with_device(x.device(), [&](auto device) {
      if (ctx.recording()) {
        kernels::gemm(device, y.mutable_data(), x.data(), w.data(), p, epilogue);
        return activate(ctx, y, options.activation, options.slope, name);
      }
      epilogue.activation = options.activation;
      epilogue.slope = static_cast<Compute<T>>(options.slope);
      const auto packed = packed_weights<Linear>(
          w, w.shape(), kernels::packed_size<T>(k, n),
          [&](Compute<T>* to) { kernels::pack_b(device, to, w.data(), k, n, n, 1); });
      kernels::gemm(device, y.mutable_data(), x.data(), packed->packed(), p, epilogue);
      return y;
    });
  }

  template <class T>
  WeightedGradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    using C = Compute<T>;
    const std::int64_t k = ctx.shape(1)[0], n = ctx.shape(1)[1], rows = dy.numel() / n;
    const Tensor<T> g = activation_gradient(ctx, 1, dy, options.activation, options.slope, name);
    Tensor<T> dx;
    Tensor<C> dw, dbias;
    with_device(dy.device(), [&](auto device) {
      if (ctx.needs(0)) {  // g w^T
        dx = Tensor<T>(ctx.shape(0), dy.device());
        kernels::gemm(device, dx.mutable_data(), g.data(), ctx.weight(0).data(),
                      {.m = rows,
                       .n = k,
                       .k = n,
                       .a_row = n,
                       .a_col = 1,
                       .b_row = 1,
                       .b_col = n,
                       .c_row = k});
      }
      if (ctx.needs(1)) {  // x^T g
        const Tensor<C> x = as_compute(ctx.saved(0)), wide = as_compute(g);
        dw = Tensor<C>(ctx.shape(1), dy.device());
        kernels::gemm(device, dw.mutable_data(), x.data(), wide.data(),
                      {.m = k,
                       .n = n,
                       .k = rows,
                       .a_row = 1,
                       .a_col = k,
                       .b_row = n,
                       .b_col = 1,
                       .c_row = n});
      }
      if (ctx.needs(2)) {
        dbias = Tensor<C>(ctx.shape(2), dy.device());
        kernels::column_sums(device, dbias.mutable_data(), g.data(), rows, n);
      }
    });
    return {{dx}, {dw, dbias}};
  }

  static std::vector<Sample<Linear>> samples() {
    const std::vector<SampleInput> with_bias{{{3, 7}}, {{7, 5}}, {{5}}};
    const std::string torch = "x[0] @ x[1] + x[2]";
    return {{"bias", {}, with_bias, torch},
            {"no_bias", {}, {{{2, 3, 19}}, {{19, 33}}, {{}, 0, 0, true}}, "x[0] @ x[1]"},
            {"vector", {}, {{{9}}, {{9, 4}}, {{4}}}, torch},
            {"relu", {{.activation = Activation::relu}}, with_bias, "F.relu(" + torch + ")"},
            {"silu", {{.activation = Activation::silu}}, with_bias, "F.silu(" + torch + ")"},
            {"leaky",
             {{.activation = Activation::leaky_relu, .slope = 0.2}},
             with_bias,
             "F.leaky_relu(" + torch + ", 0.2)"},
            {"sigmoid",
             {{.activation = Activation::sigmoid}},
             {{{2, 40}}, {{40, 17}}, {{17}}},
             "torch.sigmoid(" + torch + ")"}};
  }

 private:
  static Shape out_shape(Shape x, std::int64_t features) {
    x[-1] = features;
    return x;
  }
};

}  // namespace ops

// x (..., in), w (in, out), bias (out) or an undefined tensor, to (..., out).
template <FloatElement T>
Tensor<T> linear(const Tensor<T>& x, const Tensor<Compute<T>>& w,
                 const Tensor<Compute<T>>& bias = {}, const LinearOptions& options = {}) {
  return apply(ops::Linear{options}, {x}, {w, bias});
}

MIEN_INSTANCE(Tensor<float> linear(const Tensor<float>&, const Tensor<float>&, const Tensor<float>&,
                                   const LinearOptions&))

}  // namespace mien
