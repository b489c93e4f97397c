// The depthwise convolutions of EfficientNet-B0, float: forward with batch norm, SiLU and pooled
// sums fused as in inference; gradients of data and weights. Judged by bytes as much as by
// operations: 9 or 25 multiply-adds to an element.

#include <mien/cpu/conv_grad.hpp>
#include <mien/cpu/depthwise.hpp>

#include "kernels/ceiling.hpp"
#include "kernels/efficientnet_b0.hpp"

namespace {

using mien::Cpu;
using mien::Shape;
using mien::Tensor;
using mien::bench::Block;
using mien::bench::Cost;
using mien::bench::inputs;
using mien::bench::outputs;
using mien::kernels::DepthwiseParams;
using mien::kernels::Epilogue;

// TensorFlow's SAME padding on an image of the given size.
DepthwiseParams params(const Block& b, std::int64_t size) {
  const std::int64_t out = (size + b.stride - 1) / b.stride;
  const std::int64_t pad = ((out - 1) * b.stride + b.kernel - size) / 2;
  return {.n = 1,
          .h = size,
          .w = size,
          .c = b.mid,
          .out_h = out,
          .out_w = out,
          .kernel_h = b.kernel,
          .kernel_w = b.kernel,
          .stride_h = b.stride,
          .stride_w = b.stride,
          .pad_top = pad,
          .pad_left = pad};
}

Shape x_shape(const DepthwiseParams& p) { return {p.h, p.w, p.c}; }
Shape y_shape(const DepthwiseParams& p) { return {p.out_h, p.out_w, p.c}; }
Shape w_shape(const DepthwiseParams& p) { return {p.kernel_h, p.kernel_w, p.c}; }

// Every tap of every output is a multiply-add; x and y are moved once.
Cost cost(const DepthwiseParams& p) {
  const std::int64_t y = y_shape(p).numel(), floats = y + x_shape(p).numel() + w_shape(p).numel();
  return {.flops = 2 * p.kernel_h * p.kernel_w * y, .bytes = 4 * floats};
}

Epilogue<float> epilogue(const DepthwiseParams& p) {
  return {.scale = inputs().next(p.c),
          .shift = inputs().next(p.c),
          .activation = mien::kernels::Activation::silu};
}

struct Forward {
  static std::string check(const DepthwiseParams& p) {
    const Tensor<float> x = inputs().next(x_shape(p)), w = inputs().next(w_shape(p));
    const Tensor<float> y(y_shape(p)), expected(y_shape(p)), sums(Shape{p.c});
    const auto e = epilogue(p);
    mien::kernels::depthwise_conv2d(Cpu{}, y.mutable_data(), x.data(), w.data(), p, e,
                                    sums.mutable_data());
    mien::kernels::depthwise_conv2d_reference(expected.mutable_data(), x.data(), w.data(), p, e);
    return mien::bench::mismatch(y, expected);
  }
  static void run(const DepthwiseParams& p) {
    mien::kernels::depthwise_conv2d(
        Cpu{}, outputs().next(y_shape(p).numel()), inputs().next(x_shape(p).numel()),
        inputs().next(w_shape(p).numel()), p, epilogue(p), outputs().next(p.c));
  }
};

// Gradients by their definition: a depthwise convolution is a grouped one.
struct ExpectedGradients {
  Tensor<float> x, w, dy, dx, dw;

  explicit ExpectedGradients(const DepthwiseParams& p)
      : x(inputs().next(x_shape(p))),
        w(inputs().next(w_shape(p))),
        dy(inputs().next(y_shape(p))),
        dx(x_shape(p)),
        dw(w_shape(p)) {
    mien::kernels::conv2d_grad_reference(dx.mutable_data(), dw.mutable_data(), x.data(), dy.data(),
                                         w.data(),
                                         {.n = 1,
                                          .h = p.h,
                                          .w = p.w,
                                          .c = p.c,
                                          .out_h = p.out_h,
                                          .out_w = p.out_w,
                                          .out_c = p.c,
                                          .kernel_h = p.kernel_h,
                                          .kernel_w = p.kernel_w,
                                          .stride_h = p.stride_h,
                                          .stride_w = p.stride_w,
                                          .pad_top = p.pad_top,
                                          .pad_left = p.pad_left,
                                          .groups = p.c});
  }
};

struct DataGradient {
  static std::string check(const DepthwiseParams& p) {
    const ExpectedGradients expected(p);
    const Tensor<float> dx(x_shape(p));
    mien::kernels::depthwise_conv2d_data_grad(Cpu{}, dx.mutable_data(), expected.dy.data(),
                                              expected.w.data(), p);
    return mien::bench::mismatch(dx, expected.dx);
  }
  static void run(const DepthwiseParams& p) {
    mien::kernels::depthwise_conv2d_data_grad(Cpu{}, outputs().next(x_shape(p).numel()),
                                              inputs().next(y_shape(p).numel()),
                                              inputs().next(w_shape(p).numel()), p);
  }
};

struct WeightGradient {
  static std::string check(const DepthwiseParams& p) {
    const ExpectedGradients expected(p);
    const Tensor<float> dw(w_shape(p));
    mien::kernels::depthwise_conv2d_weight_grad(Cpu{}, dw.mutable_data(), expected.x.data(),
                                                expected.dy.data(), p);
    return mien::bench::mismatch(dw, expected.dw);
  }
  static void run(const DepthwiseParams& p) {
    mien::kernels::depthwise_conv2d_weight_grad(Cpu{}, outputs().next(w_shape(p).numel()),
                                                inputs().next(x_shape(p).numel()),
                                                inputs().next(y_shape(p).numel()), p);
  }
};

template <class Pass>
void add(const char* pass, const Block& b) {
  mien::bench::add_benchmark(mien::str(pass, "/b0_", b.name, "/1x", b.size, 'x', b.size, 'x', b.mid,
                                       "/k", b.kernel, 's', b.stride),
                             [b](benchmark::State& state) {
                               const auto wrong =
                                   Pass::check(params(b, std::min<std::int64_t>(b.size, 9)));
                               if (!wrong.empty()) return state.SkipWithError(wrong.c_str());
                               const DepthwiseParams p = params(b, b.size);
                               mien::bench::measure(state, cost(p), [&] { Pass::run(p); });
                             });
}

const bool registered = [] {
  for (const Block& b : mien::bench::efficientnet_b0_blocks()) add<Forward>("depthwise", b);
  for (const Block& b : mien::bench::efficientnet_b0_blocks()) {
    if (!b.distinct) continue;
    add<DataGradient>("depthwise_data_grad", b);
    add<WeightGradient>("depthwise_weight_grad", b);
  }
  return true;
}();

}  // namespace
