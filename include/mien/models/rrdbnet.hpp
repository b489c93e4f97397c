#pragma once
// RRDBNet, the generator of ESRGAN and Real-ESRGAN. Wang et al.: "ESRGAN: enhanced super-resolution
// generative adversarial networks", ECCV workshops 2018, figure 4; Wang, Xie, Dong, Shan:
// "Real-ESRGAN", ICCV workshops 2021. Names of parameters are BasicSR's.

#include <vector>

#include <mien/models/rrdbnet_options.hpp>
#include <mien/nn/conv2d.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/concat.hpp>
#include <mien/ops/leaky_relu.hpp>
#include <mien/ops/pixel_unshuffle.hpp>
#include <mien/ops/resize_nearest.hpp>
#include <mien/ops/scale_shift.hpp>

namespace mien::models {

namespace detail {

inline constexpr double rrdb_slope = 0.2;     // of every leaky ReLU
inline constexpr double rrdb_residual = 0.2;  // share of what a block adds to its input

template <FloatElement T>
nn::Conv2d<T> conv3x3(std::int64_t in, std::int64_t out) {
  return nn::Conv2d<T>({.in = in, .out = out, .kernel = 3, .padding = 1});
}

template <FloatElement T>
Tensor<T> conv_leaky(const nn::Conv2d<T>& conv, const Tensor<T>& x) {
  if (grad_enabled()) return leaky_relu(conv.forward(x), rrdb_slope);
  return conv.forward_fused(x, {.activation = Activation::leaky_relu, .slope = rrdb_slope});
}

}  // namespace detail

// x_k = lrelu(conv_k(x, x_1, ..., x_{k-1})) for k = 1..4, each of num_grow_ch channels;
// y = x + 0.2 conv_5(x, x_1, ..., x_4).
template <FloatElement T>
class ResidualDenseBlock : public nn::Module<T> {
 public:
  ResidualDenseBlock(std::int64_t num_feat, std::int64_t num_grow_ch) : grow_(num_grow_ch) {
    for (std::int64_t k = 0; k < 5; ++k)
      convs.push_back(
          detail::conv3x3<T>(num_feat + k * num_grow_ch, k < 4 ? num_grow_ch : num_feat));
  }

  // (n, h, w, num_feat) -> (n, h, w, num_feat)
  Tensor<T> forward(const Tensor<T>& x) const {
    return grad_enabled() ? forward_recorded(x) : forward_in_place(x);
  }

  void parts(nn::Parts<T>& p) override {
    for (std::size_t k = 0; k < convs.size(); ++k) p.child(str("conv", k + 1), convs[k]);
  }

  std::vector<nn::Conv2d<T>> convs;

 private:
  Tensor<T> forward_recorded(const Tensor<T>& x) const {
    std::vector<Tensor<T>> seen{x};
    for (std::size_t k = 0; k < 4; ++k)
      seen.push_back(detail::conv_leaky(convs[k], concat(seen, -1)));
    return x + convs[4].forward(concat(seen, -1)) * detail::rrdb_residual;
  }

  // Without concatenation: one image of all channels, which each convolution reads from the front
  // of and appends to.
  Tensor<T> forward_in_place(const Tensor<T>& x) const {
    const std::int64_t feat = x.dim(3), all = feat + 4 * grow_;
    const Tensor<T> grown({x.dim(0), x.dim(1), x.dim(2), all}, x.device());
    const auto channels = [&](std::int64_t first, std::int64_t count) {
      return grown.as_strided({x.dim(0), x.dim(1), x.dim(2), count}, grown.strides(), first);
    };
    channels(0, feat).copy_from(x);
    for (std::int64_t k = 0; k < 4; ++k)
      convs[static_cast<std::size_t>(k)].forward_into(
          channels(feat + k * grow_, grow_), channels(0, feat + k * grow_),
          {.activation = Activation::leaky_relu, .slope = detail::rrdb_slope});
    return convs[4].forward_fused(
        grown, {.epilogue = {.out_scale = detail::rrdb_residual, .residual = x}});
  }

  std::int64_t grow_;
};

// Residual in residual: three dense blocks, 0.2 of whose result is added to the input.
template <FloatElement T>
class Rrdb : public nn::Module<T> {
 public:
  Rrdb(std::int64_t num_feat, std::int64_t num_grow_ch) {
    for (int i = 0; i < 3; ++i) blocks.emplace_back(num_feat, num_grow_ch);
  }

  Tensor<T> forward(const Tensor<T>& x) const {
    Tensor<T> y = x;
    for (const auto& block : blocks) y = block.forward(y);
    return x + y * detail::rrdb_residual;
  }

  void parts(nn::Parts<T>& p) override {
    for (std::size_t i = 0; i < blocks.size(); ++i) p.child(str("rdb", i + 1), blocks[i]);
  }

  std::vector<ResidualDenseBlock<T>> blocks;
};

template <FloatElement T>
class RrdbNet : public nn::Module<T> {
 public:
  explicit RrdbNet(const RrdbNetOptions& o) : options_(o) {
    check(o.scale == 1 || o.scale == 2 || o.scale == 4, "rrdbnet", "expected scale 1, 2 or 4, got ",
          o.scale);
    conv_first = detail::conv3x3<T>(o.num_in_ch * o.unshuffle() * o.unshuffle(), o.num_feat);
    for (std::int64_t i = 0; i < o.num_block; ++i) body.emplace_back(o.num_feat, o.num_grow_ch);
    for (auto* conv : {&conv_body, &conv_up1, &conv_up2, &conv_hr})
      *conv = detail::conv3x3<T>(o.num_feat, o.num_feat);
    conv_last = detail::conv3x3<T>(o.num_feat, o.num_out_ch);
  }

  // (n, h, w, 3) -> (n, h scale, w scale, 3); h and w divide by 4 / scale.
  Tensor<T> forward(const Tensor<T>& x) const {
    const std::int64_t unshuffle = options_.unshuffle();
    const Tensor<T> first = conv_first.forward(unshuffle > 1 ? pixel_unshuffle(x, unshuffle) : x);
    Tensor<T> y = first;
    for (const auto& block : body) y = block.forward(y);
    y = first + conv_body.forward(y);
    for (const auto* conv : {&conv_up1, &conv_up2})
      y = detail::conv_leaky(*conv, resize_nearest(y, Size2d(2 * y.dim(1), 2 * y.dim(2))));
    return conv_last.forward(detail::conv_leaky(conv_hr, y));
  }

  void parts(nn::Parts<T>& p) override {
    p.child("conv_first", conv_first).children("body", body).child("conv_body", conv_body);
    p.child("conv_up1", conv_up1).child("conv_up2", conv_up2);
    p.child("conv_hr", conv_hr).child("conv_last", conv_last);
  }

  int scale() const { return options_.scale; }
  // Input pixels on each side that an output pixel depends on: one for each 3x3 convolution in a
  // row, 15 a block, on the unshuffled grid; those after the upsampling see less than two more.
  std::int64_t receptive_radius() const {
    return (15 * options_.num_block + 4) * options_.unshuffle();
  }
  const RrdbNetOptions& options() const { return options_; }

  nn::Conv2d<T> conv_first, conv_body, conv_up1, conv_up2, conv_hr, conv_last;
  std::vector<Rrdb<T>> body;

 private:
  RrdbNetOptions options_;
};

}  // namespace mien::models
