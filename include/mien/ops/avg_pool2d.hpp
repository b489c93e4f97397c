#pragma once
// Average over windows: y[n, oy, ox, c] = sum of x over the window at (oy, ox) / its pixels;
// x (n, h, w, c). Semantics of torch.nn.functional.avg_pool2d.

#include <mien/ops/op.hpp>
#include <mien/ops/pool2d.hpp>

namespace mien {

struct AvgPool2dOptions {
  Size2d kernel;
  Size2d stride = 0;   // 0: the kernel's
  Size2d padding = 0;  // on both sides, at most half the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;  // padding counts as zeros, else it does not count
};

namespace ops {

struct AvgPool2d {
  static constexpr std::string_view name = "avg_pool2d";
  AvgPool2dOptions options;

  Shape shape(std::span<const Shape> in) const {
    const auto p = params(in[0]);
    return {p.n, p.out_h, p.out_w, p.c};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    const auto p = params(x.shape());
    Tensor<T> y(Shape{p.n, p.out_h, p.out_w, p.c});
    const auto within = [](std::int64_t i, std::int64_t size, std::int64_t pad) {
      return i >= -pad && i < size + pad;
    };
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      const std::int64_t c = at % p.c, ox = at / p.c % p.out_w, oy = at / (p.c * p.out_w) % p.out_h;
      const std::int64_t n = at / (p.c * p.out_w * p.out_h);
      Compute<T> sum = 0, count = 0;
      for (std::int64_t iy = oy * p.stride_h - p.pad_h, ky = 0; ky < p.kernel_h; ++ky, ++iy)
        for (std::int64_t ix = ox * p.stride_w - p.pad_w, kx = 0; kx < p.kernel_w; ++kx, ++ix) {
          const bool inside = within(iy, p.h, 0) && within(ix, p.w, 0);
          const bool padding = within(iy, p.h, p.pad_h) && within(ix, p.w, p.pad_w);
          if (inside) sum += static_cast<Compute<T>>(x(n, iy, ix, c));
          if (inside || (padding && p.count_padding)) count += 1;
        }
      y.mutable_data()[at] = static_cast<T>(sum / count);
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    const auto p = params(x.shape());
    Tensor<T> y(Shape{p.n, p.out_h, p.out_w, p.c}, x.device());
    with_device(x.device(),
                [&](auto device) { kernels::avg_pool2d(device, y.mutable_data(), x.data(), p); });
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Tensor<T> dx(ctx.shape(0), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::avg_pool2d_grad(device, dx.mutable_data(), dy.data(), params(dx.shape()));
    });
    return {dx};
  }

  static std::vector<Sample<AvgPool2d>> samples() {
    const AvgPool2dOptions same{.kernel = 3, .stride = 2, .padding = 1};
    AvgPool2dOptions inside = same;
    inside.count_include_pad = false;
    const AvgPool2dOptions ceil{
        .kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0}, .ceil_mode = true};
    AvgPool2dOptions ceil_inside = ceil;
    ceil_inside.count_include_pad = false;
    const std::string uneven = "nhwc(F.avg_pool2d(nchw(x[0]), (3, 2), (2, 3), (1, 0), True";
    return {
        {"3x3_stride2_pad1", {same}, {{{2, 7, 6, 5}}}, "nhwc(F.avg_pool2d(nchw(x[0]), 3, 2, 1))"},
        {"inside",
         {inside},
         {{{2, 7, 6, 19}}},
         "nhwc(F.avg_pool2d(nchw(x[0]), 3, 2, 1, False, False))"},
        {"2x2", {{.kernel = 2}}, {{{1, 6, 5, 33}}}, "nhwc(F.avg_pool2d(nchw(x[0]), 2))"},
        {"ceil", {ceil}, {{{1, 8, 8, 3}}}, uneven + "))"},
        {"ceil_inside", {ceil_inside}, {{{1, 8, 8, 3}}}, uneven + ", False))"},
    };
  }

 private:
  kernels::Pool2dParams params(const Shape& x) const {
    auto p =
        pool2d_params(x, options.kernel, options.stride, options.padding, options.ceil_mode, name);
    p.count_padding = options.count_include_pad;
    return p;
  }
};

}  // namespace ops

// x (n, h, w, c) to (n, out_h, out_w, c), out = (size + 2 padding - kernel) / stride + 1, rounded
// down or (ceil_mode) up.
template <FloatElement T>
Tensor<T> avg_pool2d(const Tensor<T>& x, const AvgPool2dOptions& options) {
  return apply(ops::AvgPool2d{options}, {x});
}

MIEN_INSTANCE(Tensor<float> avg_pool2d(const Tensor<float>&, const AvgPool2dOptions&))

}  // namespace mien
