#pragma once
// Space to channels, the inverse of pixel_shuffle: x (n, h r, w r, c) to y (n, h, w, c r r),
//   y[n, h, w, k r r + dy r + dx] = x[n, h r + dy, w r + dx, k].
// Channel order of torch.nn.PixelUnshuffle.

#include <mien/cpu/pixel_shuffle.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {

struct PixelUnshuffle {
  static constexpr std::string_view name = "pixel_unshuffle";
  std::int64_t factor;

  Shape shape(std::span<const Shape> in) const {
    const Shape& x = in[0];
    check(x.rank() == 4, name, "expected x of shape (n, h, w, c), got ", x);
    check(factor >= 1, name, "expected a factor of at least 1, got ", factor);
    check(x[1] % factor == 0 && x[2] % factor == 0, name, "an image of ", x[1], 'x', x[2],
          " pixels does not divide into blocks of ", factor, 'x', factor);
    return {x[0], x[1] / factor, x[2] / factor, x[3] * factor * factor};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    const std::int64_t r = factor, h = x.dim(1) / r, w = x.dim(2) / r, c = x.dim(3) * r * r;
    Tensor<T> y(Shape{x.dim(0), h, w, c});
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      const std::int64_t k = at % c, ox = at / c % w, oy = at / (c * w) % h, n = at / (c * w * h);
      y.mutable_data()[at] = x(n, oy * r + k / r % r, ox * r + k % r, k / (r * r));
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    const std::int64_t r = factor, h = x.dim(1) / r, w = x.dim(2) / r, c = x.dim(3);
    Tensor<T> y(Shape{x.dim(0), h, w, c * r * r}, x.device());
    with_device(x.device(), [&](auto device) {
      kernels::pixel_unshuffle(device, y.mutable_data(), x.data(), {x.dim(0), h, w, c, r});
    });
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    const std::int64_t r = factor, c = dy.dim(3) / (r * r);
    Tensor<T> dx(Shape{dy.dim(0), dy.dim(1) * r, dy.dim(2) * r, c}, dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::pixel_shuffle(device, dx.mutable_data(), dy.data(),
                             {dy.dim(0), dy.dim(1), dy.dim(2), c, r});
    });
    return {dx};
  }

  static std::vector<Sample<PixelUnshuffle>> samples() {
    return {{"x2", {2}, {{{2, 4, 6, 3}}}, "nhwc(F.pixel_unshuffle(nchw(x[0]), 2))"},
            {"x3", {3}, {{{1, 6, 3, 2}}}, "nhwc(F.pixel_unshuffle(nchw(x[0]), 3))"}};
  }
};

}  // namespace ops

// x (n, h factor, w factor, c) to (n, h, w, c factor^2).
template <FloatElement T>
Tensor<T> pixel_unshuffle(const Tensor<T>& x, std::int64_t factor) {
  return apply(ops::PixelUnshuffle{factor}, {x});
}

MIEN_INSTANCE(Tensor<float> pixel_unshuffle(const Tensor<float>&, std::int64_t))

}  // namespace mien
