#pragma once
// Depthwise convolution, every channel by itself, with an optional activation fused behind it:
//   y[n, i, j, c] = act(b[c] + sum of x[n, i s - p + u d, j s - p + v d, c] w[u, v, c])
// over u, v; x (n, h, w, c), w (kh, kw, c), b (c), y (n, out_h, out_w, c).
// torch.nn.functional.conv2d with groups = channels, in mien's layouts.

#include <vector>

#include <mien/cpu/column_sums.hpp>
#include <mien/cpu/depthwise.hpp>
#include <mien/ops/fused_epilogue.hpp>
#include <mien/ops/packed_weights.hpp>
#include <mien/ops/window.hpp>

namespace mien {

struct DepthwiseConv2dOptions {
  Size2d stride = 1;
  Padding2d padding = 0;  // same_padding() gives TensorFlow's
  Size2d dilation = 1;
  Activation activation = Activation::none;
  double slope = 0.01;  // of leaky_relu
};

namespace ops {

// Sizes of a depthwise convolution, dense; throws where they do not fit together.
inline kernels::DepthwiseParams depthwise_params(const Shape& x, const Shape& w,
                                                 const DepthwiseConv2dOptions& o) {
  constexpr std::string_view name = "depthwise_conv2d";
  check(x.rank() == 4, name, "expected x of shape (n, h, w, channels), got ", x);
  check(w.rank() == 3, name, "expected a weight of shape (kh, kw, channels), got ", w);
  check(w[2] == x[3], name, "weight has ", w[2], " channels, input has ", x[3]);
  const auto& pad = o.padding;
  return {.n = x[0],
          .h = x[1],
          .w = x[2],
          .c = x[3],
          .out_h = window_count(x[1], pad.top, pad.bottom, w[0], o.stride.h, o.dilation.h, name),
          .out_w = window_count(x[2], pad.left, pad.right, w[1], o.stride.w, o.dilation.w, name),
          .kernel_h = w[0],
          .kernel_w = w[1],
          .stride_h = o.stride.h,
          .stride_w = o.stride.w,
          .dilation_h = o.dilation.h,
          .dilation_w = o.dilation.w,
          .pad_top = pad.top,
          .pad_left = pad.left};
}

// Input: x. Weights: w, bias (may be absent).
struct DepthwiseConv2d {
  static constexpr std::string_view name = "depthwise_conv2d";
  static constexpr std::size_t first_weight = 1, required_inputs = 2;
  DepthwiseConv2dOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape out = out_shape(depthwise_params(in[0], in[1], options));
    check(in[2].rank() == 0 || in[2] == Shape{out[3]}, name, "input has ", out[3],
          " channels, bias has shape ", in[2]);
    return out;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in, Weights<T> weights) const {
    const Tensor<Compute<T>>&w = weights[0], &bias = weights[1];
    const auto p = depthwise_params(in[0].shape(), w.shape(), options);
    Tensor<T> y(out_shape(p));
    kernels::depthwise_conv2d_reference(y.mutable_data(), in[0].data(), w.data(), p,
                                        epilogue<T>(bias));
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in, Weights<T> weights) {
    const Tensor<T>& x = in[0];
    const Tensor<Compute<T>>&w = weights[0], &bias = weights[1];
    const auto p = depthwise_params(x.shape(), w.shape(), options);
    Tensor<T> y(out_shape(p), x.device());
    ctx.save(ctx.needs(1) ? x : Tensor<T>());
    return with_device(x.device(), [&](auto device) {
      const kernels::Epilogue<T> plain{.shift = bias.data()};
      kernels::depthwise_conv2d(device, y.mutable_data(), x.data(), w.data(), p,
                                ctx.recording() ? plain : epilogue<T>(bias));
      if (!ctx.recording()) return y;
      return activate(ctx, y, options.activation, options.slope, name);
    });
  }

  template <class T>
  WeightedGradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const auto p = depthwise_params(ctx.shape(0), ctx.shape(1), options);
    const Tensor<T> g = activation_gradient(ctx, 1, dy, options.activation, options.slope, name);
    Tensor<T> dx;
    Tensor<Compute<T>> dw, dbias;
    with_device(dy.device(), [&](auto device) {
      if (ctx.needs(0)) {
        dx = Tensor<T>(ctx.shape(0), dy.device());
        kernels::depthwise_conv2d_data_grad(device, dx.mutable_data(), g.data(),
                                            ctx.weight(0).data(), p);
      }
      if (ctx.needs(1)) {
        dw = Tensor<Compute<T>>(ctx.shape(1), dy.device());
        kernels::depthwise_conv2d_weight_grad(device, dw.mutable_data(), ctx.saved(0).data(),
                                              g.data(), p);
      }
      if (ctx.needs(2)) {
        dbias = Tensor<Compute<T>>(ctx.shape(2), dy.device());
        kernels::column_sums(device, dbias.mutable_data(), g.data(), p.n * p.out_h * p.out_w, p.c);
      }
    });
    return {{dx}, {dw, dbias}};
  }

  static std::vector<Sample<DepthwiseConv2d>> samples() {
    const SampleInput none{{}, 0, 0, true};
    const auto torch = [](const char* rest) {
      return str("nhwc(F.conv2d(nchw(x[0]), dw(x[1]), ", rest, ", groups=x[1].shape[2]))");
    };
    const SampleInput image{{2, 6, 7, 5}}, kernel{{3, 3, 5}}, bias{{5}};
    return {
        {"3x3", {{.padding = 1}}, {image, kernel, bias}, torch("x[2], padding=1")},
        {"5x5_stride2",
         {{.stride = 2, .padding = 2}},
         {{{1, 7, 8, 19}}, {{5, 5, 19}}, none},
         torch("None, 2, 2")},
        {"tf_same",
         {{.stride = 2, .padding = same_padding({1, 6, 7, 17}, 3, 2)}},
         {{{1, 6, 7, 17}}, {{3, 3, 17}}, none},
         "nhwc(F.conv2d(F.pad(nchw(x[0]), (1, 1, 0, 1)), dw(x[1]), None, 2, groups=17))"},
        {"dilated",
         {{.stride = {1, 2}, .padding = Size2d(2, 1), .dilation = {2, 1}}},
         {image, kernel, bias},
         torch("x[2], (1, 2), (2, 1), (2, 1)")},
        {"valid", {}, {{{1, 5, 18, 33}}, {{2, 3, 33}}, none}, torch("None")},
        {"silu",
         {{.padding = 1, .activation = Activation::silu}},
         {image, kernel, bias},
         "F.silu(" + torch("x[2], padding=1") + ")"},
    };
  }

  static Shape out_shape(const kernels::DepthwiseParams& p) { return {p.n, p.out_h, p.out_w, p.c}; }

 private:
  template <class T>
  kernels::Epilogue<T> epilogue(const Tensor<Compute<T>>& bias) const {
    return {.shift = bias.data(),
            .activation = options.activation,
            .slope = static_cast<Compute<T>>(options.slope)};
  }
};

}  // namespace ops

// x (n, h, w, c), w (kh, kw, c), bias (c) or an undefined tensor, to (n, out_h, out_w, c) with
// out_h = (h + padding - dilation (kh - 1) - 1) / stride + 1.
template <FloatElement T>
Tensor<T> depthwise_conv2d(const Tensor<T>& x, const Tensor<Compute<T>>& w,
                           const Tensor<Compute<T>>& bias = {},
                           const DepthwiseConv2dOptions& options = {}) {
  return apply(ops::DepthwiseConv2d{options}, {x}, {w, bias});
}

// Values only: the convolution with everything that follows it fused into its stores. Where `sums`
// is given, it becomes (n, c), the sums of y over pixels: squeeze-excite's pooling for free. Fails
// where a gradient would be lost.
template <FloatElement T>
Tensor<T> depthwise_conv2d_fused(const Tensor<T>& x, const Tensor<Compute<T>>& w,
                                 const DepthwiseConv2dOptions& options,
                                 const FusedEpilogue<T>& epilogue = {},
                                 Tensor<Compute<T>>* sums = nullptr) {
  constexpr std::string_view name = "depthwise_conv2d_fused";
  ops::check_not_recorded(name, x, w);
  check(x.is_contiguous() && w.is_contiguous(), name, "expected dense tensors, strides are ",
        x.strides(), " and ", w.strides());
  const auto p = ops::depthwise_params(x.shape(), w.shape(), options);
  const Tensor<T> y(ops::DepthwiseConv2d::out_shape(p), x.device());
  if (sums != nullptr) *sums = Tensor<Compute<T>>(Shape{p.n, p.c}, x.device());
  with_device(x.device(), [&](auto device) {
    kernels::depthwise_conv2d(
        device, y.mutable_data(), x.data(), w.data(), p,
        ops::kernel_epilogue(epilogue, options.activation, options.slope, y.shape(), name),
        sums == nullptr ? nullptr : sums->mutable_data());
  });
  return y;
}

MIEN_INSTANCE(Tensor<float> depthwise_conv2d(const Tensor<float>&, const Tensor<float>&,
                                             const Tensor<float>&, const DepthwiseConv2dOptions&))
MIEN_INSTANCE(Tensor<float> depthwise_conv2d_fused(const Tensor<float>&, const Tensor<float>&,
                                                   const DepthwiseConv2dOptions&,
                                                   const FusedEpilogue<float>&, Tensor<float>*))

}  // namespace mien
