#pragma once
// Convolution layers. Weights lie as the kernels read them; files have PyTorch's layouts
// (nn/state_dict.hpp).

#include <mien/nn/init.hpp>
#include <mien/nn/module.hpp>
#include <mien/ops/conv2d.hpp>
#include <mien/ops/depthwise_conv2d.hpp>

namespace mien::nn {

// Zeros around the input: so many on every side, or TensorFlow's SAME, which follows the image.
class Pad {
 public:
  constexpr Pad(std::int64_t sides = 0) : sides_(sides) {}
  static constexpr Pad same() {
    Pad pad;
    pad.same_ = true;
    return pad;
  }
  Padding2d of(const Shape& image, std::int64_t kernel, std::int64_t stride,
               std::int64_t dilation) const {
    return same_ ? same_padding(image, kernel, stride, dilation) : Padding2d(sides_);
  }

 private:
  std::int64_t sides_ = 0;
  bool same_ = false;
};

// What is fused behind a convolution where no gradient is recorded.
template <FloatElement T>
struct Fused {
  Activation activation = Activation::none;
  double slope = 0.01;            // of leaky_relu
  Tensor<Compute<T>> gates = {};  // (n, in), of the input's channels; Conv2d only
  FusedEpilogue<T> epilogue = {};
};

struct Conv2dOptions {
  std::int64_t in, out;
  std::int64_t kernel = 1, stride = 1;
  Pad padding = 0;
  std::int64_t dilation = 1, groups = 1;
  bool bias = true;
};

// weight (kernel, kernel, in / groups, out), bias (out). For groups = channels use DepthwiseConv2d.
template <FloatElement T>
class Conv2d : public Module<T> {
 public:
  Conv2d() = default;
  explicit Conv2d(const Conv2dOptions& o)
      : weight({o.kernel, o.kernel, o.in / o.groups, o.out}), options_(o) {
    check(o.groups >= 1 && o.in % o.groups == 0 && o.out % o.groups == 0, "Conv2d", o.in, " to ",
          o.out, " channels do not divide into ", o.groups, " groups");
    if (o.bias) bias = Tensor<Compute<T>>(Shape{o.out});
    init_layer(weight, bias, o.kernel * o.kernel * o.in / o.groups);
  }

  // (n, h, w, in) -> (n, out_h, out_w, out)
  Tensor<T> forward(const Tensor<T>& x) const {
    Tensor<T> y = conv2d(x, weight, bias, attributes(x.shape()));
    observe_result(y.shape());
    return y;
  }

  // The same under NoGrad with what follows fused. The bias is added unless the epilogue has a
  // shift.
  Tensor<T> forward_fused(const Tensor<T>& x, const Fused<T>& fused) const {
    const auto options = attributes(x.shape(), fused);
    const auto epilogue = with_bias(fused.epilogue);
    Tensor<T> y = fused.gates.defined() ? conv2d_gated(x, fused.gates, weight, options, epilogue)
                                        : conv2d_fused(x, weight, options, epilogue);
    observe_result(y.shape());
    return y;
  }
  // Into `y`; x and y may be channels of wider images.
  void forward_into(const Tensor<T>& y, const Tensor<T>& x, const Fused<T>& fused) const {
    conv2d_into(y, x, weight, attributes(x.shape(), fused), with_bias(fused.epilogue));
    observe_result(y.shape());
  }

  void parts(Parts<T>& p) override {
    p.parameter("weight", weight, Layout::conv).parameter("bias", bias);
  }

  const Conv2dOptions& options() const { return options_; }

  Tensor<Compute<T>> weight, bias;

 private:
  mien::Conv2dOptions attributes(const Shape& x, const Fused<T>& fused = {}) const {
    const auto& o = options_;
    return {.stride = o.stride,
            .padding = o.padding.of(x, o.kernel, o.stride, o.dilation),
            .dilation = o.dilation,
            .groups = o.groups,
            .activation = fused.activation,
            .slope = fused.slope};
  }
  FusedEpilogue<T> with_bias(FusedEpilogue<T> epilogue) const {
    if (!epilogue.shift.defined()) epilogue.shift = bias;
    return epilogue;
  }
  void observe_result(const Shape& y) const {
    this->observe(y, y.numel() * weight.numel() / options_.out);
  }

  Conv2dOptions options_{};
};

struct DepthwiseConv2dOptions {
  std::int64_t channels;
  std::int64_t kernel = 3, stride = 1;
  Pad padding = 0;
  std::int64_t dilation = 1;
  bool bias = true;
};

// Each channel by itself: weight (kernel, kernel, channels), bias (channels).
template <FloatElement T>
class DepthwiseConv2d : public Module<T> {
 public:
  DepthwiseConv2d() = default;
  explicit DepthwiseConv2d(const DepthwiseConv2dOptions& o)
      : weight({o.kernel, o.kernel, o.channels}), options_(o) {
    if (o.bias) bias = Tensor<Compute<T>>(Shape{o.channels});
    init_layer(weight, bias, o.kernel * o.kernel);
  }

  // (n, h, w, channels) -> (n, out_h, out_w, channels)
  Tensor<T> forward(const Tensor<T>& x) const {
    Tensor<T> y = depthwise_conv2d(x, weight, bias, attributes(x.shape()));
    observe_result(y.shape());
    return y;
  }

  // The same under NoGrad with what follows fused. The bias is added unless the epilogue has a
  // shift. `sums`, where given, becomes (n, channels): the sums of the result over pixels.
  Tensor<T> forward_fused(const Tensor<T>& x, const Fused<T>& fused,
                          Tensor<Compute<T>>* sums = nullptr) const {
    FusedEpilogue<T> epilogue = fused.epilogue;
    if (!epilogue.shift.defined()) epilogue.shift = bias;
    Tensor<T> y = depthwise_conv2d_fused(x, weight, attributes(x.shape(), fused), epilogue, sums);
    observe_result(y.shape());
    return y;
  }

  void parts(Parts<T>& p) override {
    p.parameter("weight", weight, Layout::depthwise).parameter("bias", bias);
  }

  const DepthwiseConv2dOptions& options() const { return options_; }

  Tensor<Compute<T>> weight, bias;

 private:
  mien::DepthwiseConv2dOptions attributes(const Shape& x, const Fused<T>& fused = {}) const {
    const auto& o = options_;
    return {.stride = o.stride,
            .padding = o.padding.of(x, o.kernel, o.stride, o.dilation),
            .dilation = o.dilation,
            .activation = fused.activation,
            .slope = fused.slope};
  }
  void observe_result(const Shape& y) const {
    this->observe(y, y.numel() * options_.kernel * options_.kernel);
  }

  DepthwiseConv2dOptions options_{};
};

}  // namespace mien::nn
