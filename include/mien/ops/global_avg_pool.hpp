#pragma once
// Mean over the pixels of each image: y[n, 0, 0, c] = mean of x[n, :, :, c]; x (n, h, w, c).

#include <mien/cpu/channels.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace ops {

struct GlobalAvgPool {
  static constexpr std::string_view name = "global_avg_pool";

  Shape shape(std::span<const Shape> in) const {
    const Shape& x = in[0];
    check(x.rank() == 4, name, "expected x of shape (n, h, w, c), got ", x);
    check(x[1] > 0 && x[2] > 0, name, "an image of ", x[1], 'x', x[2], " pixels has no mean");
    return {x[0], 1, 1, x[3]};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& x = in[0];
    Tensor<T> y(Shape{x.dim(0), 1, 1, x.dim(3)});
    const std::int64_t pixels = x.dim(1) * x.dim(2), c = x.dim(3);
    for (std::int64_t at = 0; at < y.numel(); ++at) {
      Compute<T> sum = 0;
      for (std::int64_t i = 0; i < pixels; ++i)
        sum += static_cast<Compute<T>>(x.data()[(at / c * pixels + i) * c + at % c]);
      y.mutable_data()[at] = static_cast<T>(sum / static_cast<Compute<T>>(pixels));
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>&, Inputs<T> in) {
    const Tensor<T>& x = in[0];
    Tensor<T> y(Shape{x.dim(0), 1, 1, x.dim(3)}, x.device());
    with_device(x.device(), [&](auto device) {
      kernels::channel_means(device, y.mutable_data(), x.data(), params(x.shape()));
    });
    return y;
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    Tensor<T> dx(ctx.shape(0), dy.device());
    const auto p = params(dx.shape());
    with_device(dy.device(), [&](auto device) {
      kernels::channel_fill(device, dx.mutable_data(), dy.data(),
                            1 / static_cast<Compute<T>>(p.pixels), p);
    });
    return {dx};
  }

  static std::vector<Sample<GlobalAvgPool>> samples() {
    const char* torch = "x[0].mean((1, 2), keepdim=True)";
    return {{"7x7", {}, {{{2, 7, 7, 37}}}, torch},
            {"pixel", {}, {{{3, 1, 1, 5}}}, torch},
            {"pieces", {}, {{{1, 41, 53, 2}}}, torch}};
  }

 private:
  static kernels::ChannelParams params(const Shape& x) { return {x[0], x[1] * x[2], x[3]}; }
};

}  // namespace ops

// x (n, h, w, c) to (n, 1, 1, c).
template <FloatElement T>
Tensor<T> global_avg_pool(const Tensor<T>& x) {
  return apply(ops::GlobalAvgPool{}, {x});
}

MIEN_INSTANCE(Tensor<float> global_avg_pool(const Tensor<float>&))

}  // namespace mien
