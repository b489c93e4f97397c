#pragma once
// Makes full ops of elementwise ones. An elementwise op (silu.hpp, mul.hpp) states only
//   name                              for errors and tests
//   torch                             its PyTorch twin: Python over x[0] (and x[1]); optional
//   reference(x) or reference(a, b)   one element
//   reads, or gradient_a, gradient_b  what backward is computed from
//   Math<Op>                          forward and backward over vectors, per instruction set
// and, where the defaults do not do, the samples' domain and example() attributes. Unary and Binary
// add shapes, broadcasting, threads, recording and samples.

#include <mien/core/index.hpp>
#include <mien/cpu/elementwise.hpp>
#include <mien/ops/op.hpp>
#include <mien/ops/sum_to.hpp>

namespace mien {

// What the gradient of a unary op is computed from, beside dy.
enum class Reads { nothing, input, output };

// What the gradient of one operand of a binary op is: dy itself, or computed from dy and ...
enum class Gradient { is_dy, from_dy, from_a, from_b, from_both };

// Interval from which an elementwise op's samples are drawn.
struct Domain {
  double low = -3, high = 3;
};

template <class Op>
constexpr Domain domain_of() {
  if constexpr (requires { Op::domain; })
    return Op::domain;
  else
    return {};
}

template <class Op>
constexpr const char* torch_of() {
  if constexpr (requires { Op::torch; })
    return Op::torch;
  else
    return "";
}

// The op with the attributes that its samples use.
template <class Op>
constexpr Op example_of() {
  if constexpr (requires { Op::example(); })
    return Op::example();
  else
    return {};
}

// y = op(x), element by element, any shape.
template <class Op>
struct Unary {
  static constexpr std::string_view name = Op::name;
  Op op = {};

  Shape shape(std::span<const Shape> in) const { return in[0]; }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    Tensor<T> y(in[0].shape());
    for (std::int64_t i = 0; i < y.numel(); ++i)
      y.mutable_data()[i] = static_cast<T>(op.reference(static_cast<Compute<T>>(in[0].data()[i])));
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    Tensor<T> y(x.shape(), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::unary(device, y.mutable_data(), x.data(), x.numel(), op);
    });
    if (Op::reads != Reads::nothing) ctx.save(Op::reads == Reads::input ? x : y);
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Tensor<T> dx(dy.shape(), dy.device());
    const Tensor<T>& read = Op::reads == Reads::nothing ? dy : ctx.saved(0);
    with_device(dy.device(), [&](auto device) {
      kernels::unary_grad(device, dx.mutable_data(), read.data(), dy.data(), dy.numel(), op);
    });
    return {dx};
  }

  static std::vector<Sample<Unary>> samples() {
    constexpr Domain domain = domain_of<Op>();
    std::vector<Sample<Unary>> cases;
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3, 5, 7}})
      cases.push_back({str("rank", shape.rank()),
                       {example_of<Op>()},
                       {{shape, domain.low, domain.high}},
                       torch_of<Op>()});
    return cases;
  }
};

// y = op(a, b), element by element, with NumPy's broadcasting.
template <class Op>
struct Binary {
  static constexpr std::string_view name = Op::name;
  Op op = {};

  Shape shape(std::span<const Shape> in) const { return broadcast(in[0], in[1], name); }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    using C = Compute<T>;
    const Tensor<T>&a = in[0], &b = in[1];
    Tensor<T> y(broadcast(a.shape(), b.shape(), name));
    const Shape a_strides = broadcast_strides(a.shape(), a.strides(), y.shape());
    const Shape b_strides = broadcast_strides(b.shape(), b.strides(), y.shape());
    each_index(y.shape(), [&](const Shape& at) {
      const auto p = static_cast<C>(a.data()[offset_of(at, a_strides)]);
      const auto q = static_cast<C>(b.data()[offset_of(at, b_strides)]);
      y.mutable_data()[offset_of(at, y.strides())] = static_cast<T>(op.reference(p, q));
    });
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>&a = in[0], &b = in[1];
    Tensor<T> y(broadcast(a.shape(), b.shape(), name), a.device());
    with_device(a.device(), [&](auto device) {
      kernels::binary(device, y.mutable_data(), a.data(), b.data(),
                      {y.shape(), a.shape(), b.shape()}, op);
    });
    const auto reads = [&](Gradient operand) {
      const auto from = [&](Gradient g) { return g == operand || g == Gradient::from_both; };
      return (ctx.needs(0) && from(Op::gradient_a)) || (ctx.needs(1) && from(Op::gradient_b));
    };
    ctx.save(reads(Gradient::from_a) ? a : Tensor<T>(), reads(Gradient::from_b) ? b : Tensor<T>());
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Gradients<T> gradients(2);
    if (ctx.needs(0)) gradients[0] = sum_to(gradient<true>(ctx, dy), ctx.shape(0));
    if (ctx.needs(1)) gradients[1] = sum_to(gradient<false>(ctx, dy), ctx.shape(1));
    return gradients;
  }

  static std::vector<Sample<Binary>> samples() {
    constexpr Domain domain = domain_of<Op>();
    std::vector<Sample<Binary>> cases;
    const auto add = [&](const char* label, const Shape& a, const Shape& b) {
      cases.push_back({label,
                       {example_of<Op>()},
                       {{a, domain.low, domain.high}, {b, domain.low, domain.high}},
                       torch_of<Op>()});
    };
    add("same", {2, 3, 17}, {2, 3, 17});
    add("channels", {2, 3, 2, 5}, {5});
    add("per_image", {2, 3, 2, 5}, {2, 1, 1, 5});
    add("scalar", {2, 19}, {});
    add("both_stretch", {3, 1, 4}, {5, 1});
    return cases;
  }

 private:
  // In the broadcast shape.
  template <bool ForA, class T>
  Tensor<T> gradient(const Context<T>& ctx, const Tensor<T>& dy) const {
    if constexpr ((ForA ? Op::gradient_a : Op::gradient_b) == Gradient::is_dy) {
      return dy;
    } else {
      // dy stands in for an operand that was not saved as no gradient reads it.
      const auto saved = [&](int i) { return (ctx.saved(i).defined() ? ctx.saved(i) : dy).data(); };
      Tensor<T> out(dy.shape(), dy.device());
      with_device(dy.device(), [&](auto device) {
        kernels::binary_grad<ForA>(device, out.mutable_data(), saved(0), saved(1), dy.data(),
                                   {dy.shape(), ctx.shape(0), ctx.shape(1)}, op);
      });
      return out;
    }
  }
};

}  // namespace mien
