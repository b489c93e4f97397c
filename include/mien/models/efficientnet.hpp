#pragma once
// EfficientNet B0 to B7. Tan, Le: "EfficientNet: rethinking model scaling for convolutional neural
// networks", ICML 2019: table 1 (B0) and section 3.3 (compound scaling).
//
// Names of parameters are timm's. Four sources of trained weights differ in what no state dict
// tells: padding (TensorFlow's asymmetric SAME or symmetric), and epsilon and momentum of batch
// norm.

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <mien/models/efficientnet_options.hpp>
#include <mien/nn/batch_norm.hpp>
#include <mien/nn/conv2d.hpp>
#include <mien/nn/conv_bn_act.hpp>
#include <mien/nn/init.hpp>
#include <mien/nn/linear.hpp>
#include <mien/nn/squeeze_excite.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/drop_path.hpp>
#include <mien/ops/dropout.hpp>
#include <mien/ops/global_avg_pool.hpp>
#include <mien/ops/reshape.hpp>

namespace mien::models {

namespace detail {

inline nn::Pad padding_of(const EfficientNetOptions& options, std::int64_t kernel) {
  return options.same_padding() ? nn::Pad::same() : nn::Pad(kernel / 2);
}

}  // namespace detail

// MBConv: expand 1x1, depthwise, squeeze-excite, project 1x1; residual where shapes allow. Without
// expansion (the first stage) it is a depthwise-separable block under timm's names for that.
template <FloatElement T>
class MBConv : public nn::Module<T> {
 public:
  struct Options {
    std::int64_t in, out, kernel, stride, expansion;
    double drop_path;
  };

  MBConv(const Options& o, const EfficientNetOptions& net)
      : expands_(o.expansion != 1),
        residual_(o.stride == 1 && o.in == o.out),
        drop_path_(o.drop_path) {
    const std::int64_t mid = o.in * o.expansion;
    const auto norm = [&](std::int64_t channels) {
      return nn::BatchNorm2d<T>({channels, net.bn_eps(), net.bn_momentum()});
    };
    if (expands_) {
      expand = nn::Conv2d<T>({.in = o.in, .out = mid, .bias = false});
      expand_norm = norm(mid);
    }
    depthwise = nn::DepthwiseConv2d<T>({.channels = mid,
                                        .kernel = o.kernel,
                                        .stride = o.stride,
                                        .padding = detail::padding_of(net, o.kernel),
                                        .bias = false});
    depthwise_norm = norm(mid);
    squeeze_excite = nn::SqueezeExcite<T>({.channels = mid, .reduced = o.in / 4});
    project = nn::Conv2d<T>({.in = mid, .out = o.out, .bias = false});
    project_norm = norm(o.out);
  }

  // (n, h, w, in) -> (n, ceil(h / stride), ceil(w / stride), out)
  Tensor<T> forward(const Tensor<T>& x, Generator& generator) const {
    const Tensor<T> wide = expands_ ? nn::conv_bn_act(expand, expand_norm, x, Activation::silu) : x;
    if (nn::can_fuse(depthwise, depthwise_norm)) return finish_fused(x, wide);
    Tensor<T> y = nn::conv_bn_act(depthwise, depthwise_norm, wide, Activation::silu);
    y = squeeze_excite.forward(y);
    y = nn::conv_bn_act(project, project_norm, y, Activation::none);
    if (!residual_) return y;
    if (this->training()) y = drop_path(y, drop_path_, generator);
    return y + x;
  }

  void parts(nn::Parts<T>& p) override {
    if (expands_) p.child("conv_pw", expand).child("bn1", expand_norm);
    p.child("conv_dw", depthwise).child(expands_ ? "bn2" : "bn1", depthwise_norm);
    p.child("se", squeeze_excite);
    p.child(expands_ ? "conv_pwl" : "conv_pw", project);
    p.child(expands_ ? "bn3" : "bn2", project_norm);
  }

  nn::Conv2d<T> expand, project;
  nn::DepthwiseConv2d<T> depthwise;
  nn::BatchNorm2d<T> expand_norm, depthwise_norm, project_norm;
  nn::SqueezeExcite<T> squeeze_excite;

 private:
  // The rest of the block without gradients: squeeze-excite's pooling comes with the depthwise
  // convolution, its gates and the residual go into the projection.
  Tensor<T> finish_fused(const Tensor<T>& x, const Tensor<T>& wide) const {
    Tensor<Compute<T>> sums;
    const Tensor<T> y =
        depthwise.forward_fused(wide, nn::fused_norm(depthwise_norm, Activation::silu), &sums);
    depthwise_norm.observe(y.shape(), 0);
    nn::Fused<T> end = nn::fused_norm(project_norm, Activation::none);
    end.gates = squeeze_excite.gates(sums, y.dim(1) * y.dim(2));
    if (residual_) end.epilogue.residual = x;
    const Tensor<T> out = project.forward_fused(y, end);
    project_norm.observe(out.shape(), 0);
    return out;
  }

  bool expands_, residual_;
  double drop_path_;
};

// A run of blocks of equal width.
template <FloatElement T>
class Stage : public nn::Module<T> {
 public:
  std::vector<MBConv<T>> blocks;
  void parts(nn::Parts<T>& p) override { p.children("", blocks); }
};

template <FloatElement T>
class EfficientNet : public nn::Module<T> {
 public:
  explicit EfficientNet(const EfficientNetOptions& options) : options_(options) {
    const EfficientNetScale scale = EfficientNetScale(options);
    const auto norm = [&](std::int64_t channels) {
      return nn::BatchNorm2d<T>({channels, options.bn_eps(), options.bn_momentum()});
    };
    std::int64_t width = scale.channels(32);
    stem = nn::Conv2d<T>({.in = 3,
                          .out = width,
                          .kernel = 3,
                          .stride = 2,
                          .padding = detail::padding_of(options, 3),
                          .bias = false});
    stem_norm = norm(width);

    std::int64_t total = 0, index = 0;
    for (const auto& s : efficientnet_stages) total += scale.repeats(s.repeats);
    for (const auto& s : efficientnet_stages) {
      Stage<T>& stage = blocks.emplace_back();
      for (std::int64_t i = 0; i < scale.repeats(s.repeats); ++i, ++index) {
        const std::int64_t out = scale.channels(s.channels);
        stage.blocks.emplace_back(
            typename MBConv<T>::Options{
                .in = width,
                .out = out,
                .kernel = s.kernel,
                .stride = i == 0 ? s.stride : 1,
                .expansion = s.expansion,
                .drop_path =
                    options.drop_path * static_cast<double>(index) / static_cast<double>(total)},
            options);
        width = out;
      }
    }
    num_features_ = scale.channels(1280);
    head = nn::Conv2d<T>({.in = width, .out = num_features_, .bias = false});
    head_norm = norm(num_features_);
    dropout_ = scale.dropout;
    if (options.num_classes > 0)
      classifier = nn::Linear<T>({.in = num_features_, .out = options.num_classes});
  }

  // Random values as timm draws them for training from scratch: He's, by fan out.
  void initialize(Generator& generator) {
    for (const auto& part : this->named_parameters()) {
      const Shape& s = part.tensor->shape();
      if (part.layout == nn::Layout::conv)
        nn::kaiming_normal_init(*part.tensor, s[0] * s[1] * s[3], generator);
      else if (part.layout == nn::Layout::depthwise)
        nn::kaiming_normal_init(*part.tensor, s[0] * s[1], generator);
      else if (part.layout == nn::Layout::pointwise)
        nn::kaiming_normal_init(*part.tensor, s[1], generator);
      else if (part.layout == nn::Layout::linear)
        nn::uniform_init(*part.tensor, 1.0 / std::sqrt(static_cast<double>(s[1])), generator);
    }
  }

  // (n, h, w, 3) -> (n, num_features): what the classifier sees.
  Tensor<T> features(const Tensor<T>& x, Generator& generator = default_generator()) const {
    check(x.rank() == 4 && x.dim(3) == 3, "efficientnet", "expected images (n, h, w, 3), got ",
          x.shape());
    Tensor<T> y = nn::conv_bn_act(stem, stem_norm, x, Activation::silu);
    for (const auto& stage : blocks)
      for (const auto& block : stage.blocks) y = block.forward(y, generator);
    y = nn::conv_bn_act(head, head_norm, y, Activation::silu);
    return reshape(global_avg_pool(y), {x.dim(0), num_features_});
  }

  // (n, num_features) -> (n, num_classes)
  Tensor<T> classify(const Tensor<T>& features, Generator& generator = default_generator()) const {
    check(options_.num_classes > 0, "efficientnet", "this network has no classifier");
    return classifier.forward(this->training() ? dropout(features, dropout_, generator) : features);
  }

  // (n, h, w, 3) -> (n, num_classes)
  Tensor<T> forward(const Tensor<T>& x, Generator& generator = default_generator()) const {
    return classify(features(x, generator), generator);
  }

  void parts(nn::Parts<T>& p) override {
    p.child("conv_stem", stem).child("bn1", stem_norm);
    p.children("blocks", blocks);
    p.child("conv_head", head).child("bn2", head_norm);
    if (options_.num_classes > 0) p.child("classifier", classifier);
  }

  const EfficientNetOptions& options() const { return options_; }
  std::int64_t num_features() const { return num_features_; }
  std::int64_t input_size() const { return options_.input_size(); }

  nn::Conv2d<T> stem, head;
  nn::BatchNorm2d<T> stem_norm, head_norm;
  std::vector<Stage<T>> blocks;
  nn::Linear<T> classifier;

 private:
  EfficientNetOptions options_;
  std::int64_t num_features_ = 0;
  double dropout_ = 0;
};

}  // namespace mien::models
