#pragma once
// Two-dimensional convolution (cross-correlation), with an optional activation fused behind it:
//   y[n, i, j, o] = act(b[o] + sum of x[n, i s - p + u d, j s - p + v d, c] w[u, v, c, o])
// over u, v, c; x (n, h, w, in), w (kh, kw, in / groups, out), b (out), y (n, out_h, out_w, out).
// Group g of the output channels sees group g of the input's. torch.nn.functional.conv2d, in mien's
// layouts.

#include <vector>

#include <mien/cpu/channels.hpp>
#include <mien/cpu/column_sums.hpp>
#include <mien/cpu/conv_grad.hpp>
#include <mien/ops/fused_epilogue.hpp>
#include <mien/ops/packed_weights.hpp>
#include <mien/ops/window.hpp>

namespace mien {

struct Conv2dOptions {
  Size2d stride = 1;
  Padding2d padding = 0;  // same_padding() gives TensorFlow's
  Size2d dilation = 1;
  std::int64_t groups = 1;
  Activation activation = Activation::none;
  double slope = 0.01;  // of leaky_relu
};

namespace ops {

// Sizes of a convolution, dense; throws where they do not fit together.
inline kernels::Conv2dParams conv2d_params(const Shape& x, const Shape& w, const Conv2dOptions& o) {
  constexpr std::string_view name = "conv2d";
  check(x.rank() == 4, name, "expected x of shape (n, h, w, channels), got ", x);
  check(w.rank() == 4, name, "expected a weight of shape (kh, kw, in / groups, out), got ", w);
  check(o.groups >= 1 && w[3] % o.groups == 0, name, w[3], " output channels do not divide into ",
        o.groups, " groups");
  check(w[2] * o.groups == x[3], name, "weight has ", w[2] * o.groups,
        " input channels, input has ", x[3]);
  const auto& pad = o.padding;
  return {.n = x[0],
          .h = x[1],
          .w = x[2],
          .c = x[3],
          .out_h = window_count(x[1], pad.top, pad.bottom, w[0], o.stride.h, o.dilation.h, name),
          .out_w = window_count(x[2], pad.left, pad.right, w[1], o.stride.w, o.dilation.w, name),
          .out_c = w[3],
          .kernel_h = w[0],
          .kernel_w = w[1],
          .stride_h = o.stride.h,
          .stride_w = o.stride.w,
          .dilation_h = o.dilation.h,
          .dilation_w = o.dilation.w,
          .pad_top = pad.top,
          .pad_left = pad.left,
          .groups = o.groups};
}

template <class C, class Device>
Ref<PackedWeights<C>> packed_conv2d(Device device, const Tensor<C>& w,
                                    const kernels::Conv2dParams& p) {
  Shape layout = w.shape();
  layout.push_back(p.groups);
  return packed_weights<kernels::Conv2dParams>(
      w, layout, kernels::packed_conv2d_size<C>(p),
      [&](C* packed) { kernels::pack_conv2d(device, packed, w.data(), p); });
}

// Input: x. Weights: w, bias (may be absent).
struct Conv2d {
  static constexpr std::string_view name = "conv2d";
  static constexpr std::size_t first_weight = 1, required_inputs = 2;
  Conv2dOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape out = out_shape(conv2d_params(in[0], in[1], options));
    check(in[2].rank() == 0 || in[2] == Shape{out[3]}, name, "weight has ", out[3],
          " output channels, bias has shape ", in[2]);
    return out;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in, Weights<T> weights) const {
    const Tensor<Compute<T>>&w = weights[0], &bias = weights[1];
    const auto p = conv2d_params(in[0].shape(), w.shape(), options);
    Tensor<T> y(out_shape(p));
    kernels::conv2d_reference(y.mutable_data(), in[0].data(), w.data(), p, epilogue<T>(bias));
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in, Weights<T> weights) {
    const Tensor<T>& x = in[0];
    const Tensor<Compute<T>>&w = weights[0], &bias = weights[1];
    const auto p = conv2d_params(x.shape(), w.shape(), options);
    Tensor<T> y(out_shape(p), x.device());
    ctx.save(ctx.needs(1) ? x : Tensor<T>());
    return with_device(x.device(), [&](auto device) {
      if (ctx.recording()) {
        kernels::conv2d(device, y.mutable_data(), x.data(), w.data(), p,
                        kernels::Epilogue<T>{.shift = bias.data()});
        return activate(ctx, y, options.activation, options.slope, name);
      }
      kernels::conv2d(device, y.mutable_data(), x.data(), packed_conv2d(device, w, p)->packed(), p,
                      epilogue<T>(bias));
      return y;
    });
  }

  template <class T>
  WeightedGradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const auto p = conv2d_params(ctx.shape(0), ctx.shape(1), options);
    const Tensor<T> g = activation_gradient(ctx, 1, dy, options.activation, options.slope, name);
    Tensor<T> dx;
    Tensor<Compute<T>> dw, dbias;
    with_device(dy.device(), [&](auto device) {
      if (ctx.needs(0)) {
        dx = Tensor<T>(ctx.shape(0), dy.device());
        kernels::conv2d_data_grad(device, dx.mutable_data(), g.data(), ctx.weight(0).data(), p);
      }
      if (ctx.needs(1)) {
        dw = Tensor<Compute<T>>(ctx.shape(1), dy.device());
        kernels::conv2d_weight_grad(device, dw.mutable_data(), ctx.saved(0).data(), g.data(), p);
      }
      if (ctx.needs(2)) {
        dbias = Tensor<Compute<T>>(ctx.shape(2), dy.device());
        kernels::column_sums(device, dbias.mutable_data(), g.data(), p.n * p.out_h * p.out_w,
                             p.out_c);
      }
    });
    return {{dx}, {dw, dbias}};
  }

  static std::vector<Sample<Conv2d>> samples();

  static Shape out_shape(const kernels::Conv2dParams& p) {
    return {p.n, p.out_h, p.out_w, p.out_c};
  }

 private:
  template <class T>
  kernels::Epilogue<T> epilogue(const Tensor<Compute<T>>& bias) const {
    return {.shift = bias.data(),
            .activation = options.activation,
            .slope = static_cast<Compute<T>>(options.slope)};
  }
};

inline std::vector<Sample<Conv2d>> Conv2d::samples() {
  const SampleInput none{{}, 0, 0, true};
  const auto torch = [](const char* rest) {
    return str("nhwc(F.conv2d(nchw(x[0]), oihw(x[1]), ", rest, "))");
  };
  const SampleInput image{{2, 6, 7, 3}}, kernel{{3, 3, 3, 5}}, bias{{5}};
  return {
      {"3x3", {{.padding = 1}}, {image, kernel, bias}, torch("x[2], padding=1")},
      {"stride2", {{.stride = 2, .padding = 1}}, {image, kernel, none}, torch("None, 2, 1")},
      {"tf_same",
       {{.stride = 2, .padding = same_padding({1, 6, 7, 3}, 3, 2)}},
       {{{1, 6, 7, 3}}, {{3, 3, 3, 17}}, none},
       "nhwc(F.conv2d(F.pad(nchw(x[0]), (1, 1, 0, 1)), oihw(x[1]), None, 2))"},
      {"dilated",
       {{.padding = Size2d(2, 1), .dilation = {2, 1}}},
       {image, kernel, bias},
       torch("x[2], 1, (2, 1), (2, 1)")},
      {"groups",
       {{.stride = {1, 2}, .padding = 1, .groups = 2}},
       {{{1, 5, 6, 6}}, {{3, 3, 3, 4}}, {{4}}},
       torch("x[2], (1, 2), 1, 1, 2")},
      {"1x1", {}, {{{2, 4, 5, 19}}, {{1, 1, 19, 33}}, none}, torch("None")},
      {"1x1_stride2", {{.stride = 2}}, {{{1, 5, 4, 7}}, {{1, 1, 7, 4}}, {{4}}}, torch("x[2], 2")},
      {"5x3_valid", {}, {{{1, 7, 16, 4}}, {{5, 3, 4, 6}}, none}, torch("None")},
      {"silu",
       {{.padding = 1, .activation = Activation::silu}},
       {image, kernel, bias},
       "F.silu(" + torch("x[2], padding=1") + ")"},
      {"leaky",
       {{.padding = 1, .activation = Activation::leaky_relu, .slope = 0.2}},
       {image, kernel, bias},
       "F.leaky_relu(" + torch("x[2], padding=1") + ", 0.2)"},
  };
}

}  // namespace ops

// x (n, h, w, in), w (kh, kw, in / groups, out), bias (out) or an undefined tensor, to
// (n, out_h, out_w, out) with out_h = (h + padding - dilation (kh - 1) - 1) / stride + 1.
template <FloatElement T>
Tensor<T> conv2d(const Tensor<T>& x, const Tensor<Compute<T>>& w,
                 const Tensor<Compute<T>>& bias = {}, const Conv2dOptions& options = {}) {
  return apply(ops::Conv2d{options}, {x}, {w, bias});
}

// Values only: the convolution with everything that follows it fused into its stores, written to
// `y`. x, y and the residual may be channels of wider images (slices of the last dimension); x and
// y may lie in one image as long as they share no channel. Fails where a gradient would be lost.
template <FloatElement T>
void conv2d_into(const Tensor<T>& y, const Tensor<T>& x, const Tensor<Compute<T>>& w,
                 const Conv2dOptions& options, const FusedEpilogue<T>& epilogue = {}) {
  constexpr std::string_view name = "conv2d_into";
  ops::check_not_recorded(name, x, w, y);
  check(w.is_contiguous(), name, "the weight has strides ", w.strides());
  auto p = ops::conv2d_params(x.shape(), w.shape(), options);
  check(y.shape() == ops::Conv2d::out_shape(p), name, "expected an output of shape ",
        ops::Conv2d::out_shape(p), ", got ", y.shape());
  const ops::ImageStrides from(x, name), to(y, name);
  p.x_pixel = from.pixel;
  p.x_row = from.row;
  p.x_image = from.image;
  p.y_pixel = to.pixel;
  p.y_row = to.row;
  p.y_image = to.image;
  const auto e = ops::kernel_epilogue(epilogue, options.activation, options.slope, y.shape(), name);
  with_device(x.device(), [&](auto device) {
    kernels::conv2d(device, y.mutable_data(), x.data(), ops::packed_conv2d(device, w, p)->packed(),
                    p, e);
  });
}

// The same into a new tensor.
template <FloatElement T>
Tensor<T> conv2d_fused(const Tensor<T>& x, const Tensor<Compute<T>>& w,
                       const Conv2dOptions& options, const FusedEpilogue<T>& epilogue = {}) {
  const auto p = ops::conv2d_params(x.shape(), w.shape(), options);
  const Tensor<T> y(ops::Conv2d::out_shape(p), x.device());
  conv2d_into(y, x, w, options, epilogue);
  return y;
}

namespace ops {
// w (kh, kw, in, out) with what multiplies input channel c scaled by gates[c].
template <class C>
Tensor<C> gated_weights(const Tensor<C>& w, const C* gates) {
  const std::int64_t in = w.dim(2), out = w.dim(3), rows = w.dim(0) * w.dim(1) * in;
  const Tensor<C> gated(w.shape(), w.device());
  const C* from = w.data();
  C* to = gated.mutable_data();
  for (std::int64_t row = 0; row < rows; ++row) {
    const C gate = gates[row % in];
    for (std::int64_t o = row * out; o < (row + 1) * out; ++o) to[o] = gate * from[o];
  }
  return gated;
}
}  // namespace ops

// Values only: conv2d_fused of x * gates; gates (n, in) are squeeze-excite's. Where the weights are
// smaller than an image, they are scaled instead, for each image, and x is read once: as fast as no
// gates, where scaling x takes 1.2 to 1.9 times as long (EfficientNet-B0 at 28x28 and above).
template <FloatElement T>
Tensor<T> conv2d_gated(const Tensor<T>& x, const Tensor<Compute<T>>& gates,
                       const Tensor<Compute<T>>& w, const Conv2dOptions& options,
                       const FusedEpilogue<T>& epilogue = {}) {
  ops::check_not_recorded("conv2d_gated", x, w);
  const auto p = ops::conv2d_params(x.shape(), w.shape(), options);
  check(gates.shape() == Shape{p.n, p.c} && gates.is_contiguous(), "conv2d_gated",
        "expected gates of shape ", Shape{p.n, p.c}, ", got ", gates.shape());
  if (p.groups != 1 || w.numel() >= p.h * p.w * p.c) {
    const Tensor<T> dense = x.dense(), scaled(x.shape(), x.device());
    with_device(x.device(), [&](auto device) {
      kernels::channel_scale<T>(device, scaled.mutable_data(), dense.data(), gates.data(), nullptr,
                                {p.n, p.h * p.w, p.c});
    });
    return conv2d_fused(scaled, w, options, epilogue);
  }
  const Tensor<T> y(ops::Conv2d::out_shape(p), x.device());
  const auto image = [](const Tensor<T>& images, std::int64_t i) {
    Shape one = images.shape();
    one[0] = 1;
    return images.as_strided(one, images.strides(), i * images.strides()[0]);
  };
  parallel_for(p.n, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      FusedEpilogue<T> own = epilogue;
      if (own.residual.defined()) own.residual = image(epilogue.residual, i);
      conv2d_into(image(y, i), image(x, i), ops::gated_weights(w, gates.data() + i * p.c), options,
                  own);
    }
  });
  return y;
}

MIEN_INSTANCE(Tensor<float> conv2d(const Tensor<float>&, const Tensor<float>&, const Tensor<float>&,
                                   const Conv2dOptions&))
MIEN_INSTANCE(void conv2d_into(const Tensor<float>&, const Tensor<float>&, const Tensor<float>&,
                               const Conv2dOptions&, const FusedEpilogue<float>&))
MIEN_INSTANCE(Tensor<float> conv2d_gated(const Tensor<float>&, const Tensor<float>&,
                                         const Tensor<float>&, const Conv2dOptions&,
                                         const FusedEpilogue<float>&))

}  // namespace mien
