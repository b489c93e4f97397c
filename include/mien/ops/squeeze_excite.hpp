#pragma once
// Squeeze-and-excitation: channels rescaled by gates computed from their means,
//   m = mean of x over pixels, z = act(m w1 + b1), g = sigmoid(z w2 + b2), y = x * g;
// x (n, h, w, c), w1 (c, r), b1 (r), w2 (r, c), b2 (c), m and g (n, c). Weights of 1x1
// convolutions, (1, 1, c, r) and (1, 1, r, c), are the same elements and are accepted too. Hu,
// Shen, Sun: "Squeeze-and-excitation networks", CVPR 2018.

#include <vector>

#include <mien/cpu/channels.hpp>
#include <mien/ops/activation.hpp>
#include <mien/ops/linear.hpp>
#include <mien/ops/matmul.hpp>

namespace mien {

struct SqueezeExciteOptions {
  Activation activation = Activation::silu;  // none, relu, silu or sigmoid
};

namespace ops {

// The part between pooling and scaling, on (n, c) numbers, in the type that kernels compute with.
template <class C>
struct Excitation {
  Tensor<C> w1, b1, w2, b2;  // (c, r), (r), (r, c), (c)

  // Matrices, or weights of 1x1 convolutions.
  static Excitation of(const Tensor<C>& w1, const Tensor<C>& b1, const Tensor<C>& w2,
                       const Tensor<C>& b2) {
    return {w1.view_as({w1.dim(-2), w1.dim(-1)}), b1, w2.view_as({w2.dim(-2), w2.dim(-1)}), b2};
  }
  Tensor<C> gates(const Tensor<C>& means, Activation activation) const {
    return gates_of(linear(means, w1, b1, {.activation = activation}));
  }
  Tensor<C> gates_of(const Tensor<C>& z) const {
    return linear(z, w2, b2, {.activation = Activation::sigmoid});
  }
};

// Input: x. Weights: w1, b1, w2, b2.
struct SqueezeExcite {
  static constexpr std::string_view name = "squeeze_excite";
  static constexpr std::size_t first_weight = 1;
  SqueezeExciteOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape& x = in[0];
    check(x.rank() == 4 && x[1] > 0 && x[2] > 0, name, "expected images (n, h, w, c), got ", x);
    const auto matrix = [](const Shape& w) {
      const bool point = w.rank() == 4 && w[0] == 1 && w[1] == 1;
      return point ? Shape{w[2], w[3]} : w;
    };
    const Shape w1 = matrix(in[1]);
    check(w1.rank() == 2 && w1[0] == x[3], name, "expected a first weight (", x[3],
          ", reduced), got ", in[1]);
    check(matrix(in[3]) == Shape{w1[1], x[3]}, name, "expected a second weight (", w1[1], ", ",
          x[3], "), got ", in[3]);
    check(in[2] == Shape{w1[1]} && in[4] == Shape{x[3]}, name, "expected biases (", w1[1],
          ") and (", x[3], "), got ", in[2], " and ", in[4]);
    return x;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in, Weights<T> weights) const {
    using C = Compute<T>;
    const Tensor<T>& x = in[0];
    const C *w1 = weights[0].data(), *b1 = weights[1].data(), *w2 = weights[2].data();
    const std::int64_t n = x.dim(0), c = x.dim(3), pixels = x.dim(1) * x.dim(2);
    const std::int64_t r = weights[1].dim(0);
    Tensor<T> y(x.shape());
    for (std::int64_t image = 0; image < n; ++image) {
      std::vector<C> gates(weights[3].data(), weights[3].data() + c);
      const T* first = x.data() + image * pixels * c;
      for (std::int64_t k = 0; k < r; ++k) {
        C z = b1[k];
        for (std::int64_t j = 0; j < c; ++j) {
          C sum = 0;
          for (std::int64_t i = 0; i < pixels; ++i) sum += static_cast<C>(first[i * c + j]);
          z += static_cast<C>(static_cast<T>(sum / static_cast<C>(pixels))) * w1[j * r + k];
        }
        z = with_activation(options.activation, 0, name, [&](auto op) { return op.reference(z); });
        for (std::int64_t j = 0; j < c; ++j)
          gates[static_cast<std::size_t>(j)] += z * w2[k * c + j];
      }
      for (std::int64_t i = 0; i < pixels * c; ++i)
        y.mutable_data()[image * pixels * c + i] = static_cast<T>(
            static_cast<C>(first[i]) * Sigmoid{}.reference(gates[static_cast<std::size_t>(i % c)]));
    }
    return y;
  }

  // Backward computes the few numbers between pooling and gates again.
  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in, Weights<T> weights) {
    const Tensor<T>& x = in[0];
    const auto p = params(x.shape());
    const Tensor<T> means(Shape{p.images, p.c}, x.device());
    with_device(x.device(), [&](auto device) {
      kernels::channel_means(device, means.mutable_data(), x.data(), p);
    });
    ctx.save(x, means);
    return gated(x, means,
                 Excitation<Compute<T>>::of(weights[0], weights[1], weights[2], weights[3]));
  }

  template <class T>
  Tensor<T> recompute(const Context<T>& ctx) const {
    return gated(ctx.saved(0), ctx.saved(1), excitation(ctx));
  }

  template <class T>
  WeightedGradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    using C = Compute<T>;
    const Tensor<T>& x = ctx.saved(0);
    const auto p = params(x.shape());
    const auto e = excitation(ctx);
    const Tensor<C> means = as_compute(ctx.saved(1)), pre = linear(means, e.w1, e.b1);
    return with_device(x.device(), [&](auto device) {
      return with_activation(options.activation, 0, name, [&](auto act) -> WeightedGradients<T> {
        const Tensor<C> z(pre.shape()), d1(pre.shape()), dots(means.shape()), d2(means.shape());
        kernels::unary(device, z.mutable_data(), pre.data(), z.numel(), act);
        const Tensor<C> gates = e.gates_of(z);
        kernels::channel_dots(device, dots.mutable_data(), dy.data(), x.data(), p);
        kernels::unary_grad(device, d2.mutable_data(), gates.data(), dots.data(), d2.numel(),
                            Sigmoid{});
        const Tensor<C> dz = matmul(d2, e.w2, {.transpose_b = true});
        kernels::unary_grad(device, d1.mutable_data(), (act.reads == Reads::input ? pre : z).data(),
                            dz.data(), d1.numel(), act);
        Tensor<T> dx;
        Gradients<C> dw(4);
        if (ctx.needs(0)) {
          const Tensor<C> share = matmul(d1, e.w1, {.transpose_b = true});
          C* values = share.mutable_data();
          for (std::int64_t i = 0; i < share.numel(); ++i) values[i] /= static_cast<C>(p.pixels);
          dx = Tensor<T>(x.shape(), x.device());
          kernels::channel_scale(device, dx.mutable_data(), dy.data(), gates.data(), share.data(),
                                 p);
        }
        if (ctx.needs(1)) dw[0] = matmul(means, d1, {.transpose_a = true}).view_as(ctx.shape(1));
        if (ctx.needs(2)) dw[1] = sum_to(d1, e.b1.shape());
        if (ctx.needs(3)) dw[2] = matmul(z, d2, {.transpose_a = true}).view_as(ctx.shape(3));
        if (ctx.needs(4)) dw[3] = sum_to(d2, e.b2.shape());
        return {{dx}, std::move(dw)};
      });
    });
  }

  static std::vector<Sample<SqueezeExcite>> samples() {
    const auto torch = [](const char* act) {
      return str("x[0] * torch.sigmoid(", act, "(x[0].mean((1, 2), keepdim=True) @ x[1] + x[2]) @ ",
                 "x[3] + x[4])");
    };
    const std::vector<SampleInput> small{{{2, 3, 5, 7}}, {{7, 2}}, {{2}}, {{2, 7}}, {{7}}};
    return {{"silu", {}, small, torch("F.silu")},
            {"relu", {{.activation = Activation::relu}}, small, torch("F.relu")},
            {"conv_weights",
             {},
             {{{1, 7, 6, 33}}, {{1, 1, 33, 5}}, {{5}}, {{1, 1, 5, 33}}, {{33}}},
             torch("F.silu")}};
  }

 private:
  template <class T>
  static Excitation<Compute<T>> excitation(const Context<T>& ctx) {
    return Excitation<Compute<T>>::of(ctx.weight(0), ctx.weight(1), ctx.weight(2), ctx.weight(3));
  }

  // y from x (n, h, w, c) and its means (n, c).
  template <class T>
  Tensor<T> gated(const Tensor<T>& x, const Tensor<T>& means,
                  const Excitation<Compute<T>>& e) const {
    const Tensor<Compute<T>> gates = e.gates(as_compute(means), options.activation);
    const Tensor<T> y(x.shape(), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::channel_scale<T>(device, y.mutable_data(), x.data(), gates.data(), nullptr,
                                params(x.shape()));
    });
    return y;
  }

  static kernels::ChannelParams params(const Shape& x) { return {x[0], x[1] * x[2], x[3]}; }
};

}  // namespace ops

// x (n, h, w, c), w1 (c, r), b1 (r), w2 (r, c), b2 (c), to (n, h, w, c).
template <FloatElement T>
Tensor<T> squeeze_excite(const Tensor<T>& x, const Tensor<Compute<T>>& w1,
                         const Tensor<Compute<T>>& b1, const Tensor<Compute<T>>& w2,
                         const Tensor<Compute<T>>& b2, const SqueezeExciteOptions& options = {}) {
  return apply(ops::SqueezeExcite{options}, {x}, {w1, b1, w2, b2});
}

// Values only: the gates (n, c) for images whose channels sum to `sums` (n, c) over `pixels`
// pixels, as depthwise_conv2d_fused gives them. conv2d_fused multiplies them in.
template <class C>
Tensor<C> squeeze_excite_gates(const Tensor<C>& sums, std::int64_t pixels, const Tensor<C>& w1,
                               const Tensor<C>& b1, const Tensor<C>& w2, const Tensor<C>& b2,
                               const SqueezeExciteOptions& options = {}) {
  const NoGrad no_grad;
  const auto e = ops::Excitation<C>::of(w1, b1, w2, b2);
  const Tensor<C> means = sums.clone();
  C* values = means.mutable_data();
  for (std::int64_t i = 0; i < means.numel(); ++i) values[i] /= static_cast<C>(pixels);
  return e.gates(means, options.activation);
}

}  // namespace mien
