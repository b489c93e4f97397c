#pragma once
// Channels to space (sub-pixel convolution): x (n, h, w, c r r) to y (n, h r, w r, c),
//   y[n, h r + dy, w r + dx, k] = x[n, h, w, k r r + dy r + dx].
// Channel order of torch.nn.PixelShuffle. Shi et al.: "Real-time single image and video
// super-resolution using an efficient sub-pixel convolutional neural network", CVPR 2016.

#include <mien/cpu/pixel_shuffle.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {

struct PixelShuffle {
  static constexpr std::string_view name = "pixel_shuffle";
  std::int64_t factor;

  Shape shape(std::span<const Shape> in) const {
    const Shape& x = in[0];
    check(x.rank() == 4, name, "expected x of shape (n, h, w, c), got ", x);
    check(factor >= 1, name, "expected a factor of at least 1, got ", factor);
    check(x[3] % (factor * factor) == 0, name, x[3], " channels are no multiple of ", factor, 'x',
          factor);
    return {x[0], x[1] * factor, x[2] * factor, x[3] / (factor * factor)};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    const std::int64_t r = factor, c = x.dim(3) / (r * r), w = x.dim(2) * r, h = x.dim(1) * r;
    Tensor<T> y(Shape{x.dim(0), h, w, c});
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      const std::int64_t k = at % c, ox = at / c % w, oy = at / (c * w) % h, n = at / (c * w * h);
      y.mutable_data()[at] = x(n, oy / r, ox / r, k * r * r + oy % r * r + ox % r);
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    const std::int64_t r = factor, c = x.dim(3) / (r * r);
    Tensor<T> y(Shape{x.dim(0), x.dim(1) * r, x.dim(2) * r, c}, x.device());
    with_device(x.device(), [&](auto device) {
      kernels::pixel_shuffle(device, y.mutable_data(), x.data(),
                             {x.dim(0), x.dim(1), x.dim(2), c, r});
    });
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    const std::int64_t r = factor, h = dy.dim(1) / r, w = dy.dim(2) / r, c = dy.dim(3);
    Tensor<T> dx(Shape{dy.dim(0), h, w, c * r * r}, dy.device());
    with_device(dy.device(), [&](auto device) {
      kernels::pixel_unshuffle(device, dx.mutable_data(), dy.data(), {dy.dim(0), h, w, c, r});
    });
    return {dx};
  }

  static std::vector<Sample<PixelShuffle>> samples() {
    return {{"x2", {2}, {{{2, 3, 5, 12}}}, "nhwc(F.pixel_shuffle(nchw(x[0]), 2))"},
            {"x3", {3}, {{{1, 2, 3, 18}}}, "nhwc(F.pixel_shuffle(nchw(x[0]), 3))"},
            {"x1", {1}, {{{1, 2, 3, 5}}}, "nhwc(F.pixel_shuffle(nchw(x[0]), 1))"}};
  }
};

}  // namespace ops

// x (n, h, w, c factor^2) to (n, h factor, w factor, c).
template <FloatElement T>
Tensor<T> pixel_shuffle(const Tensor<T>& x, std::int64_t factor) {
  return apply(ops::PixelShuffle{factor}, {x});
}

MIEN_INSTANCE(Tensor<float> pixel_shuffle(const Tensor<float>&, std::int64_t))

}  // namespace mien
