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

  template <class T>
  static Excitation of(const Tensor<T>& w1, const Tensor<T>& b1, const Tensor<T>& w2,
                       const Tensor<T>& b2) {
    return {as_compute(w1).view_as({w1.dim(-2), w1.dim(-1)}), as_compute(b1),
            as_compute(w2).view_as({w2.dim(-2), w2.dim(-1)}), as_compute(b2)};
  }
  Tensor<C> gates(const Tensor<C>& z) const {
    return linear(z, w2, b2, {.activation = Activation::sigmoid});
  }
};

// Inputs: x, w1, b1, w2, b2.
struct SqueezeExcite {
  static constexpr std::string_view name = "squeeze_excite";
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
  Tensor<T> reference(Inputs<T> in) const {
    using C = Compute<T>;
    const Tensor<T>& x = in[0];
    const std::int64_t n = x.dim(0), c = x.dim(3), r = in[2].dim(0), pixels = x.dim(1) * x.dim(2);
    const auto at = [](const Tensor<T>& t, std::int64_t i) { return static_cast<C>(t.data()[i]); };
    Tensor<T> y(x.shape());
    for (std::int64_t image = 0; image < n; ++image) {
      std::vector<C> gates(static_cast<std::size_t>(c));
      for (std::int64_t j = 0; j < c; ++j) gates[static_cast<std::size_t>(j)] = at(in[4], j);
      const T* first = x.data() + image * pixels * c;
      for (std::int64_t k = 0; k < r; ++k) {
        C z = at(in[2], k);
        for (std::int64_t j = 0; j < c; ++j) {
          C sum = 0;
          for (std::int64_t i = 0; i < pixels; ++i) sum += static_cast<C>(first[i * c + j]);
          z += static_cast<C>(static_cast<T>(sum / static_cast<C>(pixels))) * at(in[1], j * r + k);
        }
        z = with_activation(options.activation, 0, name, [&](auto op) { return op.reference(z); });
        for (std::int64_t j = 0; j < c; ++j)
          gates[static_cast<std::size_t>(j)] += z * at(in[3], k * c + j);
      }
      for (std::int64_t i = 0; i < pixels * c; ++i)
        y.mutable_data()[image * pixels * c + i] = static_cast<T>(
            static_cast<C>(first[i]) * Sigmoid{}.reference(gates[static_cast<std::size_t>(i % c)]));
    }
    return y;
  }

  // Backward computes the few numbers between pooling and gates again.
  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    const auto p = params(x.shape());
    const auto e = Excitation<Compute<T>>::of(in[1], in[2], in[3], in[4]);
    Tensor<T> y(x.shape(), x.device()), means(Shape{p.images, p.c}, x.device());
    with_device(x.device(), [&](auto device) {
      kernels::channel_means(device, means.mutable_data(), x.data(), p);
      const auto z = linear(as_compute(means), e.w1, e.b1, {.activation = options.activation});
      kernels::channel_scale<T>(device, y.mutable_data(), x.data(), e.gates(z).data(), nullptr, p);
    });
    ctx.save(x, means, in[1], in[2], in[3], in[4]);
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    using C = Compute<T>;
    const Tensor<T>& x = ctx.saved(0);
    const auto p = params(x.shape());
    const auto e = Excitation<C>::of(ctx.saved(2), ctx.saved(3), ctx.saved(4), ctx.saved(5));
    const Tensor<C> means = as_compute(ctx.saved(1)), pre = linear(means, e.w1, e.b1);
    return with_device(x.device(), [&](auto device) {
      return with_activation(options.activation, 0, name, [&](auto act) -> Gradients<T> {
        const Tensor<C> z(pre.shape()), d1(pre.shape()), dots(means.shape()), d2(means.shape());
        kernels::unary(device, z.mutable_data(), pre.data(), z.numel(), act);
        const Tensor<C> gates = e.gates(z);
        kernels::channel_dots(device, dots.mutable_data(), dy.data(), x.data(), p);
        kernels::unary_grad(device, d2.mutable_data(), gates.data(), dots.data(), d2.numel(),
                            Sigmoid{});
        const Tensor<C> dz = matmul(d2, e.w2, {.transpose_b = true});
        kernels::unary_grad(device, d1.mutable_data(), (act.reads == Reads::input ? pre : z).data(),
                            dz.data(), d1.numel(), act);
        Gradients<T> gradients(5);
        if (ctx.needs(0)) {
          const Tensor<C> share = matmul(d1, e.w1, {.transpose_b = true});
          C* values = share.mutable_data();
          for (std::int64_t i = 0; i < share.numel(); ++i) values[i] /= static_cast<C>(p.pixels);
          gradients[0] = Tensor<T>(x.shape(), x.device());
          kernels::channel_scale(device, gradients[0].mutable_data(), dy.data(), gates.data(),
                                 share.data(), p);
        }
        const auto rounded = [&](const Tensor<C>& gradient, int input) {
          return gradient.template to<T>().view_as(ctx.shape(input));
        };
        if (ctx.needs(1)) gradients[1] = rounded(matmul(means, d1, {.transpose_a = true}), 1);
        if (ctx.needs(2)) gradients[2] = rounded(sum_to(d1, e.b1.shape()), 2);
        if (ctx.needs(3)) gradients[3] = rounded(matmul(z, d2, {.transpose_a = true}), 3);
        if (ctx.needs(4)) gradients[4] = rounded(sum_to(d2, e.b2.shape()), 4);
        return gradients;
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
  static kernels::ChannelParams params(const Shape& x) { return {x[0], x[1] * x[2], x[3]}; }
};

}  // namespace ops

// x (n, h, w, c), w1 (c, r), b1 (r), w2 (r, c), b2 (c), to (n, h, w, c).
template <FloatElement T>
Tensor<T> squeeze_excite(const Tensor<T>& x, const Tensor<T>& w1, const Tensor<T>& b1,
                         const Tensor<T>& w2, const Tensor<T>& b2,
                         const SqueezeExciteOptions& options = {}) {
  return apply(ops::SqueezeExcite{options}, {x, w1, b1, w2, b2});
}

// Values only: the gates (n, c) for images whose channels sum to `sums` (n, c) over `pixels`
// pixels, as depthwise_conv2d_fused gives them. conv2d_fused multiplies them in.
template <FloatElement T>
Tensor<Compute<T>> squeeze_excite_gates(const Tensor<Compute<T>>& sums, std::int64_t pixels,
                                        const Tensor<T>& w1, const Tensor<T>& b1,
                                        const Tensor<T>& w2, const Tensor<T>& b2,
                                        const SqueezeExciteOptions& options = {}) {
  using C = Compute<T>;
  const NoGrad no_grad;
  const auto e = ops::Excitation<C>::of(w1, b1, w2, b2);
  const Tensor<C> means = sums.clone();
  C* values = means.mutable_data();
  for (std::int64_t i = 0; i < means.numel(); ++i) values[i] /= static_cast<C>(pixels);
  return e.gates(linear(means, e.w1, e.b1, {.activation = options.activation}));
}

}  // namespace mien
