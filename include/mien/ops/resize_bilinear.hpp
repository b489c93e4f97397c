#pragma once
// Bilinear resizing without antialiasing: y[n, oy, ox, c] is interpolated between the four pixels
// around (sy, sx), sy = (oy + 1/2) h / out_h - 1/2 (at least 0), or oy (h - 1) / (out_h - 1) where
// the corners' centres are aligned, sx alike; x (n, h, w, c).
// torch.nn.functional.interpolate(mode="bilinear"). Images of bytes are resized by data/, as Pillow
// does it.

#include <algorithm>
#include <cmath>

#include <mien/cpu/resize_tensor.hpp>
#include <mien/ops/op.hpp>
#include <mien/ops/window.hpp>

namespace mien {

struct ResizeBilinearOptions {
  bool align_corners = false;
};

namespace ops {

struct ResizeBilinear {
  static constexpr std::string_view name = "resize_bilinear";
  Size2d size;
  ResizeBilinearOptions options = {};

  Shape shape(std::span<const Shape> in) const { return resized_shape(in[0], size, name); }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    using C = Compute<T>;
    const Tensor<T>& x = in[0];
    Tensor<T> y(resized_shape(x.shape(), size, name));
    const auto source = [&](std::int64_t o, std::int64_t in_size, std::int64_t out_size) {
      const C first = static_cast<C>(in_size), second = static_cast<C>(out_size);
      if (options.align_corners)
        return out_size == 1 ? C(0) : static_cast<C>(o) * ((first - 1) / (second - 1));
      return std::max(C(0), (static_cast<C>(o) + C(0.5)) * (first / second) - C(0.5));
    };
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      const std::int64_t c = at % x.dim(3), pixel = at / x.dim(3),
                         image = pixel / (size.h * size.w);
      const C sy = source(pixel / size.w % size.h, x.dim(1), size.h);
      const C sx = source(pixel % size.w, x.dim(2), size.w);
      C sum = 0;
      for (std::int64_t iy = 0; iy < x.dim(1); ++iy)
        for (std::int64_t ix = 0; ix < x.dim(2); ++ix)
          sum +=
              hat(sy, iy, x.dim(1)) * hat(sx, ix, x.dim(2)) * static_cast<C>(x(image, iy, ix, c));
      y.mutable_data()[at] = static_cast<T>(sum);
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    Tensor<T> y(resized_shape(x.shape(), size, name), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::resize_bilinear(device, y.mutable_data(), x.data(), params<T>(x.shape()));
    });
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Tensor<T> dx(ctx.shape(0), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::resize_bilinear_grad(device, dx.mutable_data(), dy.data(), params<T>(dx.shape()));
    });
    return {dx};
  }

  static std::vector<Sample<ResizeBilinear>> samples() {
    const auto torch = [](const char* size, const char* align) {
      return str("nhwc(F.interpolate(nchw(x[0]), size=", size,
                 ", mode='bilinear', align_corners=", align, "))");
    };
    return {
        {"larger", {{7, 11}}, {{{2, 3, 4, 19}}}, torch("(7, 11)", "False")},
        {"double", {{6, 10}}, {{{1, 3, 5, 7}}}, torch("(6, 10)", "False")},
        {"smaller", {{3, 4}}, {{{1, 8, 7, 3}}}, torch("(3, 4)", "False")},
        {"corners", {{7, 4}, {.align_corners = true}}, {{{2, 4, 9, 5}}}, torch("(7, 4)", "True")},
        {"one_pixel",
         {{1, 5}, {.align_corners = true}},
         {{{1, 4, 1, 33}}},
         torch("(1, 5)", "True")}};
  }

 private:
  // Weight of pixel i for a sample at s; beyond the last pixel that pixel counts.
  template <class C>
  static C hat(C s, std::int64_t i, std::int64_t size) {
    return std::max(C(0), 1 - std::abs(std::min(s, static_cast<C>(size - 1)) - static_cast<C>(i)));
  }

  template <class T>
  kernels::ResizeParams<Compute<T>> params(const Shape& x) const {
    using C = Compute<T>;
    return {x[0], x[3], kernels::linear_axis<C>(x[1], size.h, options.align_corners),
            kernels::linear_axis<C>(x[2], size.w, options.align_corners)};
  }
};

}  // namespace ops

// x (n, h, w, c) to (n, size.h, size.w, c).
template <FloatElement T>
Tensor<T> resize_bilinear(const Tensor<T>& x, Size2d size,
                          const ResizeBilinearOptions& options = {}) {
  return apply(ops::ResizeBilinear{size, options}, {x});
}

MIEN_INSTANCE(Tensor<float> resize_bilinear(const Tensor<float>&, Size2d,
                                            const ResizeBilinearOptions&))

}  // namespace mien
