#pragma once
// Makes full ops of elementwise ones. An elementwise op (silu.hpp, add.hpp) states only
//   name, torch                       PyTorch's name for it, as Python over x[0] (and x[1])
//   reference(x) or reference(a, b)   one element
//   reads (unary)                     whether backward reads the input or the output
//   Math<Op>                          forward and backward over vectors, per instruction set
// Unary and Binary add shapes, broadcasting, threads, recording and samples.

#include <mien/cpu/elementwise.hpp>
#include <mien/ops/op.hpp>
#include <mien/ops/sum_to.hpp>

namespace mien {

enum class Reads { input, output };

// Interval from which an elementwise op's samples are drawn; ops with a smaller domain state theirs.
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
    ctx.save(Op::reads == Reads::input ? x : y);
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Tensor<T> dx(dy.shape(), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::unary_grad(device, dx.mutable_data(), ctx.saved(0).data(), dy.data(), dy.numel(),
                          op);
    });
    return {dx};
  }

  static std::vector<Sample<Unary>> samples() {
    const Domain domain = domain_of<Op>();
    std::vector<Sample<Unary>> cases;
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3, 5, 7}})
      cases.push_back({str("rank", shape.rank()), {}, {{shape, domain.low, domain.high}}, Op::torch});
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
    const Shape out = broadcast(in[0].shape(), in[1].shape(), name);
    Tensor<T> y(out);
    const auto element = [&](const Tensor<T>& x, std::int64_t flat) {
      std::int64_t at = 0;
      for (int i = 1; i <= out.rank(); ++i) {
        const std::int64_t index = flat % out[-i];
        flat /= out[-i];
        if (i <= x.rank() && x.dim(-i) != 1) at += index * x.strides()[-i];
      }
      return static_cast<Compute<T>>(x.data()[at]);
    };
    for (std::int64_t i = 0; i < y.numel(); ++i)
      y.mutable_data()[i] = static_cast<T>(op.reference(element(in[0], i), element(in[1], i)));
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>&a = in[0], &b = in[1];
    Tensor<T> y(broadcast(a.shape(), b.shape(), name), a.device());
    const kernels::BroadcastRows rows(y.shape(), a.shape(), b.shape());
    if (y.numel() > 0) {
      with_device(a.device(), [&](auto device) {
        kernels::binary(device, y.mutable_data(), a.data(), b.data(), rows, op);
      });
    }
    ctx.save(a, b);
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T>&a = ctx.saved(0), &b = ctx.saved(1);
    const kernels::BroadcastRows rows(dy.shape(), a.shape(), b.shape());
    const auto gradient = [&]<bool ForA>(std::bool_constant<ForA>, const Shape& shape) {
      Tensor<T> full(dy.shape(), dy.device());
      if (dy.numel() > 0) {
        with_device(dy.device(), [&](auto device) {
          kernels::binary_grad<ForA>(device, full.mutable_data(), a.data(), b.data(), dy.data(),
                                     rows, op);
        });
      }
      return sum_to(full, shape);
    };
    Gradients<T> gradients(2);
    if (ctx.needs(0)) gradients[0] = gradient(std::true_type{}, a.shape());
    if (ctx.needs(1)) gradients[1] = gradient(std::false_type{}, b.shape());
    return gradients;
  }

  static std::vector<Sample<Binary>> samples() {
    const Domain domain = domain_of<Op>();
    std::vector<Sample<Binary>> cases;
    const auto add = [&](const char* label, const Shape& a, const Shape& b) {
      cases.push_back({label, {}, {{a, domain.low, domain.high}, {b, domain.low, domain.high}}, Op::torch});
    };
    add("same", {2, 3, 17}, {2, 3, 17});
    add("channels", {2, 3, 2, 5}, {5});
    add("per_image", {2, 3, 2, 5}, {2, 1, 1, 5});
    add("scalar", {2, 19}, {});
    add("both_stretch", {3, 1, 4}, {5, 1});
    return cases;
  }
};

}  // namespace mien
