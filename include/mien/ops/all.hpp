#pragma once
// Every op, in groups. Tests and goldens walk these lists; programs include the ops they use.

#include <mien/ops/abs.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/avg_pool2d.hpp>
#include <mien/ops/batch_norm.hpp>
#include <mien/ops/cast.hpp>
#include <mien/ops/clamp.hpp>
#include <mien/ops/concat.hpp>
#include <mien/ops/contiguous.hpp>
#include <mien/ops/conv2d.hpp>
#include <mien/ops/depthwise_conv2d.hpp>
#include <mien/ops/div.hpp>
#include <mien/ops/drop_path.hpp>
#include <mien/ops/dropout.hpp>
#include <mien/ops/exp.hpp>
#include <mien/ops/expand.hpp>
#include <mien/ops/gather.hpp>
#include <mien/ops/global_avg_pool.hpp>
#include <mien/ops/leaky_relu.hpp>
#include <mien/ops/linear.hpp>
#include <mien/ops/log.hpp>
#include <mien/ops/matmul.hpp>
#include <mien/ops/max.hpp>
#include <mien/ops/max_pool2d.hpp>
#include <mien/ops/maximum.hpp>
#include <mien/ops/mean.hpp>
#include <mien/ops/min.hpp>
#include <mien/ops/minimum.hpp>
#include <mien/ops/mul.hpp>
#include <mien/ops/neg.hpp>
#include <mien/ops/pad.hpp>
#include <mien/ops/permute.hpp>
#include <mien/ops/pixel_shuffle.hpp>
#include <mien/ops/pixel_unshuffle.hpp>
#include <mien/ops/prelu.hpp>
#include <mien/ops/relu.hpp>
#include <mien/ops/reshape.hpp>
#include <mien/ops/resize_bilinear.hpp>
#include <mien/ops/resize_nearest.hpp>
#include <mien/ops/scale_shift.hpp>
#include <mien/ops/sigmoid.hpp>
#include <mien/ops/silu.hpp>
#include <mien/ops/slice.hpp>
#include <mien/ops/softmax.hpp>
#include <mien/ops/sqrt.hpp>
#include <mien/ops/squeeze_excite.hpp>
#include <mien/ops/stack.hpp>
#include <mien/ops/sub.hpp>
#include <mien/ops/sum.hpp>
#include <mien/ops/tanh.hpp>

namespace mien {

template <class... Ops>
struct TypeList {};

namespace ops {

using ArithmeticOps = TypeList<Binary<Add>, Binary<Sub>, Binary<Mul>, Binary<Div>, Binary<Maximum>,
                               Binary<Minimum>, Unary<Neg>, Unary<ScaleShift>>;
using FunctionOps = TypeList<Unary<Abs>, Unary<Exp>, Unary<Log>, Unary<Sqrt>, Unary<Clamp>>;
using ActivationOps =
    TypeList<Unary<Relu>, Unary<LeakyRelu>, Prelu, Unary<Sigmoid>, Unary<Silu>, Unary<Tanh>, Drop>;
using ReductionOps = TypeList<Sum, Mean, Max, Min, Expand, Softmax, LogSoftmax>;
using MatrixOps = TypeList<Linear, Matmul>;
using ConvolutionOps = TypeList<Conv2d, DepthwiseConv2d>;
using NormalizationOps = TypeList<BatchNorm<double>, SqueezeExcite>;
using ImageOps = TypeList<MaxPool2d, AvgPool2d, GlobalAvgPool, ResizeNearest, ResizeBilinear,
                          PixelShuffle, PixelUnshuffle>;
using LayoutOps = TypeList<Reshape, Permute, Contiguous, Slice, Concat, Pad, Gather>;

// Calls f with each group.
template <class F>
void with_all_ops(F&& f) {
  f(ArithmeticOps{});
  f(FunctionOps{});
  f(ActivationOps{});
  f(ReductionOps{});
  f(MatrixOps{});
  f(ConvolutionOps{});
  f(NormalizationOps{});
  f(ImageOps{});
  f(LayoutOps{});
}

}  // namespace ops
}  // namespace mien
