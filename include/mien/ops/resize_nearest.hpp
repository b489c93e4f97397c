#pragma once
// Nearest-neighbour resizing: y[n, oy, ox, c] = x[n, iy, ix, c], iy = floor(oy * h / out_h), ix
// alike; x (n, h, w, c). torch.nn.functional.interpolate(mode="nearest").

#include <cmath>

#include <mien/cpu/resize_tensor.hpp>
#include <mien/ops/op.hpp>
#include <mien/ops/window.hpp>

namespace mien {

namespace ops {

struct ResizeNearest {
  static constexpr std::string_view name = "resize_nearest";
  Size2d size;

  Shape shape(std::span<const Shape> in) const { return resized_shape(in[0], size, name); }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(resized_shape(x.shape(), size, name));
    const auto source = [](std::int64_t o, std::int64_t in_size, std::int64_t out_size) {
      const float scale = static_cast<float>(in_size) / static_cast<float>(out_size);
      const auto at = static_cast<std::int64_t>(std::floor(static_cast<float>(o) * scale));
      return at < in_size ? at : in_size - 1;
    };
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      const std::int64_t c = at % x.dim(3), pixel = at / x.dim(3),
                         image = pixel / (size.h * size.w);
      y.mutable_data()[at] = x(image, source(pixel / size.w % size.h, x.dim(1), size.h),
                               source(pixel % size.w, x.dim(2), size.w), c);
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    Tensor<T> y(resized_shape(x.shape(), size, name), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::resize_nearest(device, y.mutable_data(), x.data(), params(x.shape()));
    });
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Tensor<T> dx(ctx.shape(0), dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::resize_nearest_grad(device, dx.mutable_data(), dy.data(), params(dx.shape()));
    });
    return {dx};
  }

  static std::vector<Sample<ResizeNearest>> samples() {
    const auto torch = [](const char* size) {
      return str("nhwc(F.interpolate(nchw(x[0]), size=", size, "))");
    };
    return {{"double", {{6, 10}}, {{{2, 3, 5, 7}}}, torch("(6, 10)")},
            {"larger", {{7, 11}}, {{{1, 3, 4, 19}}}, torch("(7, 11)")},
            {"smaller", {{3, 4}}, {{{1, 8, 7, 3}}}, torch("(3, 4)")},
            {"mixed", {{2, 9}}, {{{1, 5, 3, 33}}}, torch("(2, 9)")}};
  }

 private:
  kernels::ResizeParams<float> params(const Shape& x) const {
    return {x[0], x[3], kernels::nearest_axis(x[1], size.h), kernels::nearest_axis(x[2], size.w)};
  }
};

}  // namespace ops

// x (n, h, w, c) to (n, size.h, size.w, c).
template <FloatElement T>
Tensor<T> resize_nearest(const Tensor<T>& x, Size2d size) {
  return apply(ops::ResizeNearest{size}, {x});
}

MIEN_INSTANCE(Tensor<float> resize_nearest(const Tensor<float>&, Size2d))

}  // namespace mien
