#pragma once
// Maximum over windows: y[n, oy, ox, c] = max of x over the window at (oy, ox); x (n, h, w, c).
// The gradient goes to the first maximum of each window, in row-major order. NaN wins over every
// number. Semantics of torch.nn.functional.max_pool2d.

#include <cmath>
#include <limits>

#include <mien/ops/op.hpp>
#include <mien/ops/pool2d.hpp>

namespace mien {

struct MaxPool2dOptions {
  Size2d kernel;
  Size2d stride = 0;   // 0: the kernel's
  Size2d padding = 0;  // on both sides, at most half the kernel; never a maximum
  bool ceil_mode = false;
};

namespace ops {

struct MaxPool2d {
  static constexpr std::string_view name = "max_pool2d";
  MaxPool2dOptions options;

  Shape shape(std::span<const Shape> in) const {
    const auto p = params(in[0]);
    return {p.n, p.out_h, p.out_w, p.c};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    const auto p = params(x.shape());
    Tensor<T> y(Shape{p.n, p.out_h, p.out_w, p.c});
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      const std::int64_t c = at % p.c, ox = at / p.c % p.out_w, oy = at / (p.c * p.out_w) % p.out_h;
      const std::int64_t n = at / (p.c * p.out_w * p.out_h);
      auto best = -std::numeric_limits<Compute<T>>::infinity();
      for (std::int64_t iy = oy * p.stride_h - p.pad_h, ky = 0; ky < p.kernel_h; ++ky, ++iy)
        for (std::int64_t ix = ox * p.stride_w - p.pad_w, kx = 0; kx < p.kernel_w; ++kx, ++ix)
          if (iy >= 0 && iy < p.h && ix >= 0 && ix < p.w) {
            const auto value = static_cast<Compute<T>>(x(n, iy, ix, c));
            if (value > best || std::isnan(value)) best = value;
          }
      y.mutable_data()[at] = static_cast<T>(best);
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    const auto p = params(x.shape());
    Tensor<T> y(Shape{p.n, p.out_h, p.out_w, p.c}, x.device());
    with_device(x.device(),
                [&](auto device) { kernels::max_pool2d(device, y.mutable_data(), x.data(), p); });
    ctx.save(x);
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T>& x = ctx.saved(0);
    Tensor<T> dx(x.shape(), x.device());
    const Tensor<Compute<T>> taps(dy.shape(), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::max_pool2d_grad(device, dx.mutable_data(), x.data(), dy.data(), taps.mutable_data(),
                               params(x.shape()));
    });
    return {dx};
  }

  static std::vector<Sample<MaxPool2d>> samples() {
    return {
        {"3x3_stride2_pad1",
         {{.kernel = 3, .stride = 2, .padding = 1}},
         {{{2, 7, 6, 5}}},
         "nhwc(F.max_pool2d(nchw(x[0]), 3, 2, 1))"},
        {"2x2", {{.kernel = 2}}, {{{1, 6, 5, 19}}}, "nhwc(F.max_pool2d(nchw(x[0]), 2))"},
        {"ceil",
         {{.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0}, .ceil_mode = true}},
         {{{1, 8, 7, 3}}},
         "nhwc(F.max_pool2d(nchw(x[0]), (3, 2), (2, 3), (1, 0), 1, True))"},
        {"overlapping",
         {{.kernel = 5, .stride = 1, .padding = 2}},
         {{{1, 4, 6, 33}}},
         "nhwc(F.max_pool2d(nchw(x[0]), 5, 1, 2))"},
    };
  }

 private:
  kernels::Pool2dParams params(const Shape& x) const {
    return pool2d_params(x, options.kernel, options.stride, options.padding, options.ceil_mode,
                         name);
  }
};

}  // namespace ops

// x (n, h, w, c) to (n, out_h, out_w, c), out = (size + 2 padding - kernel) / stride + 1, rounded
// down or (ceil_mode) up.
template <FloatElement T>
Tensor<T> max_pool2d(const Tensor<T>& x, const MaxPool2dOptions& options) {
  return apply(ops::MaxPool2d{options}, {x});
}

MIEN_INSTANCE(Tensor<float> max_pool2d(const Tensor<float>&, const MaxPool2dOptions&))

}  // namespace mien
