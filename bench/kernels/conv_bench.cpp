// Convolutions of EfficientNet-B0, RRDBNet and SRVGGNetCompact, float, with the epilogues that the
// networks fuse into them and weights packed once.

#include <mien/cpu/conv.hpp>

#include "kernels/ceiling.hpp"
#include "kernels/efficientnet_b0.hpp"

namespace {

using mien::Cpu;
using mien::Shape;
using mien::Tensor;
using mien::bench::inputs;
using mien::bench::outputs;
using mien::kernels::Activation;
using mien::kernels::Conv2dParams;
using mien::kernels::Epilogue;

struct Convolution {
  Conv2dParams p;
  Activation activation = Activation::none;
  bool residual = false;

  // Channels have a scale and a shift, as a frozen batch norm gives.
  Epilogue<float> epilogue() const {
    return {.scale = inputs().next(p.out_c),
            .shift = inputs().next(p.out_c),
            .activation = activation,
            .slope = 0.2f,
            .slopes = inputs().next(p.out_c),
            .residual = residual ? inputs().next(p.n * p.out_h * p.out_w * p.out_c) : nullptr};
  }
};

// Square images and kernels, stride 1, padded to keep the size.
Conv2dParams same(std::int64_t size, std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return {.n = 1,
          .h = size,
          .w = size,
          .c = in,
          .out_h = size,
          .out_w = size,
          .out_c = out,
          .kernel_h = kernel,
          .kernel_w = kernel,
          .pad_top = kernel / 2,
          .pad_left = kernel / 2};
}

// On a few rows, wide enough for every way in which the kernel reads columns.
std::string check(Convolution conv) {
  Conv2dParams& p = conv.p;
  p.h = p.out_h = std::min<std::int64_t>(p.h, 3);
  p.w = p.out_w = std::min<std::int64_t>(p.w, 60);
  const auto e = conv.epilogue();
  const Tensor<float> x = inputs().next(Shape{p.h, p.w, p.resolved().x_pixel});
  const Tensor<float> w = inputs().next(Shape{p.kernel_h, p.kernel_w, p.c, p.out_c});
  const Shape shape{p.out_h, p.out_w, p.resolved().y_pixel};
  const auto y = Tensor<float>::zeros(shape), expected = Tensor<float>::zeros(shape);
  mien::kernels::conv2d(Cpu{}, y.mutable_data(), x.data(), w.data(), p, e);
  mien::kernels::conv2d_reference(expected.mutable_data(), x.data(), w.data(), p, e);
  return mien::bench::mismatch(y, expected);
}

void conv2d(benchmark::State& state, const Convolution& conv) {
  if (const auto wrong = check(conv); !wrong.empty()) return state.SkipWithError(wrong.c_str());
  const Conv2dParams& p = conv.p;
  const std::int64_t packed = mien::kernels::packed_conv2d_size<float>(p);
  const std::int64_t x = p.h * p.w * p.c, y = p.out_h * p.out_w * p.out_c;
  const std::int64_t k = p.kernel_h * p.kernel_w * p.c, residual = conv.residual ? y : 0;
  const mien::bench::Cost cost{.flops = 2 * k * y, .bytes = 4 * (x + k * p.out_c + y + residual)};
  const auto resolved = p.resolved();
  mien::bench::measure(state, cost, [&] {
    mien::kernels::conv2d(Cpu{}, outputs().next(resolved.y_image), inputs().next(resolved.x_image),
                          mien::kernels::Packed<float>{inputs().next(packed)}, p, conv.epilogue());
  });
}

void add(const std::string& name, const Convolution& conv) {
  const auto& p = conv.p;
  mien::bench::add_benchmark(
      mien::str("conv2d/", name, "/1x", p.h, 'x', p.w, 'x', p.c, "->", p.out_c, "/k", p.kernel_h),
      [conv](benchmark::State& state) { conv2d(state, conv); });
}

void add_efficientnet_b0() {
  for (const auto& b : mien::bench::efficientnet_b0_blocks()) {
    if (!b.distinct) continue;
    const std::string name = "b0_" + b.name;
    if (b.mid != b.in) add(name + "_expand", {same(b.size, b.in, b.mid, 1), Activation::silu});
    add(name + "_project",
        {same(b.out_size, b.mid, b.out, 1), Activation::none, b.stride == 1 && b.in == b.out});
  }
  add("b0_head", {same(7, 320, 1280, 1), Activation::silu});
}

// The dense block's convolutions read and write channels of one image of 192.
void add_rrdbnet() {
  add("rrdb_first", {same(112, 3, 64, 3)});
  for (std::int64_t k = 0; k < 4; ++k) {
    Conv2dParams p = same(112, 64 + 32 * k, 32, 3);
    p.x_pixel = p.y_pixel = 192;
    add(mien::str("rrdb_conv", k + 1), {p, Activation::leaky_relu});
  }
  add("rrdb_conv5", {same(112, 192, 64, 3), Activation::none, true});
  add("rrdb_up1", {same(224, 64, 64, 3), Activation::leaky_relu});
  add("rrdb_hr", {same(448, 64, 64, 3), Activation::leaky_relu});
  add("rrdb_last", {same(448, 64, 3, 3)});
}

void add_srvgg() {
  add("srvgg_first", {same(112, 3, 64, 3), Activation::prelu});
  add("srvgg_body", {same(112, 64, 64, 3), Activation::prelu});
  add("srvgg_last", {same(112, 64, 48, 3)});
}

const bool registered = [] {
  add_efficientnet_b0();
  add_rrdbnet();
  add_srvgg();
  return true;
}();

}  // namespace
