#ifndef MIEN_OPS_PRELU_HPP
#define MIEN_OPS_PRELU_HPP
// y = x where x > 0, else slope x, with learned slopes. He, Zhang, Ren, Sun: "Delving deep into
// rectifiers", ICCV 2015. Element by element; the slopes broadcast over x.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {

// Input: x. Weight: slope.
struct Prelu {
  static constexpr std::string_view name = "prelu";
  static constexpr std::size_t first_weight = 1;

  Shape shape(std::span<const Shape> in) const { return broadcast(in[0], in[1], name); }

  template <class T>
  Tensor<T> reference(Inputs<T> in, Weights<T> weights) const {
    using C = Compute<T>;
    const Tensor<T>& x = in[0];
    const Tensor<C>& slope = weights[0];
    Tensor<T> y(broadcast(x.shape(), slope.shape(), name));
    const Shape x_strides = broadcast_strides(x.shape(), x.strides(), y.shape());
    const Shape slope_strides = broadcast_strides(slope.shape(), slope.strides(), y.shape());
    each_index(y.shape(), [&](const Shape& at) {
      const auto value = static_cast<C>(x.data()[offset_of(at, x_strides)]);
      const C factor = value > 0 ? C(1) : slope.data()[offset_of(at, slope_strides)];
      y.mutable_data()[offset_of(at, y.strides())] = static_cast<T>(factor * value);
    });
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in, Weights<T> weights) {
    const Tensor<T>& x = in[0];
    const Tensor<Compute<T>>& slope = weights[0];
    Tensor<T> y(broadcast(x.shape(), slope.shape(), name), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::binary(device, y.mutable_data(), x.data(), slope.data(),
                      {y.shape(), x.shape(), slope.shape()}, *this);
    });
    ctx.save(x);
    return y;
  }

  template <class T>
  WeightedGradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    return {{gradient<true, T>(ctx, 0, dy)}, {gradient<false, Compute<T>>(ctx, 1, dy)}};
  }

  static std::vector<Sample<Prelu>> samples() {
    const auto sample = [](const char* label, const Shape& x, const Shape& slope) {
      return Sample<Prelu>{
          label, {}, {{x, -3, 3}, {slope, -3, 3}}, "torch.where(x[0] > 0, x[0], x[1] * x[0])"};
    };
    return {sample("same", {2, 3, 17}, {2, 3, 17}), sample("channels", {2, 3, 2, 5}, {5}),
            sample("per_image", {2, 3, 2, 5}, {2, 1, 1, 5}), sample("scalar", {2, 19}, {}),
            sample("both_stretch", {3, 1, 4}, {5, 1})};
  }

 private:
  // Of x (input 0) or the slopes (1), whose elements are of type S.
  template <bool ForX, class S, class T>
  Tensor<S> gradient(const Context<T>& ctx, int input, const Tensor<T>& dy) const {
    if (!ctx.needs(input)) return {};
    const Tensor<S> out(dy.shape(), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::binary_grad<ForX>(device, out.mutable_data(), ctx.saved(0).data(),
                                 ctx.weight(0).data(), dy.data(),
                                 {dy.shape(), ctx.shape(0), ctx.shape(1)}, *this);
    });
    return sum_to(out, ctx.shape(input));
  }
};

}  // namespace ops

// x (..., c); slope (c), one per channel, or (1).
template <FloatElement T>
Tensor<T> prelu(const Tensor<T>& x, const Tensor<Compute<T>>& slope) {
  check(slope.rank() == 1 && x.rank() > 0 && (slope.dim(0) == 1 || slope.dim(0) == x.dim(-1)),
        "prelu", "expected 1 slope or one per channel of x ", x.shape(), ", got ", slope.shape());
  return apply(ops::Prelu{}, {x}, {slope});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/prelu.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> prelu(const Tensor<float>&, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Prelu> {
  template <class V>
  static MIEN_INLINE V forward(V x, V slope, const ops::Prelu&) {
    return select(V(0) < x, x, slope * x);
  }
  template <class V>
  static MIEN_INLINE V backward_a(V x, V slope, V dy, const ops::Prelu&) {
    return select(V(0) < x, dy, slope * dy);
  }
  template <class V>
  static MIEN_INLINE V backward_b(V x, V, V dy, const ops::Prelu&) {
    return select(V(0) < x, V(0), x * dy);
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
