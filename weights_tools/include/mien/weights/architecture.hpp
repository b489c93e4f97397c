#pragma once
// Architectures that mien knows, as plain descriptions from which a model can be built, and the
// tensors that a checkpoint of each must have. Names and order are those of the original
// state_dicts: timm's for EfficientNet, Real-ESRGAN's (BasicSR's) for the generators.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <mien/core/shape.hpp>

namespace mien::weights {

// Who trained an EfficientNet: decides what its files do not say.
//                 names         padding            BN eps   BN momentum
//   timm_tf       timm          TensorFlow's SAME  1e-3     0.1
//   timm          timm          symmetric          1e-5     0.1
//   torchvision   torchvision   symmetric          1e-5     0.1    (B5 to B7: 1e-3, 0.01)
//   lukemelas     lukemelas     TensorFlow's SAME  1e-3     0.01
enum class Source { timm_tf, timm, torchvision, lukemelas };

inline constexpr std::pair<std::string_view, Source> source_names[] = {
    {"timm-tf", Source::timm_tf},
    {"timm", Source::timm},
    {"torchvision", Source::torchvision},
    {"lukemelas", Source::lukemelas}};

inline std::string_view to_string(Source source) {
  return source_names[static_cast<std::size_t>(source)].first;
}
inline std::optional<Source> parse_source(std::string_view name) {
  for (const auto& [known, source] : source_names)
    if (known == name) return source;
  return {};
}

// EfficientNet B0 to B7 (Tan and Le 2019).
struct EfficientNet {
  int variant = 0;                  // 0 for B0
  std::int64_t num_classes = 1000;  // 0: no classifier
  Source source = Source::timm_tf;
  double bn_eps = 1e-3;
  double bn_momentum = 0.1;
  bool same_padding = true;  // TensorFlow's SAME: an odd pixel goes right and below

  // Sets what follows from the source.
  void set_source(Source value) {
    const bool late = value == Source::torchvision && variant >= 5;
    source = value;
    same_padding = value == Source::timm_tf || value == Source::lukemelas;
    bn_eps = same_padding || late ? 1e-3 : 1e-5;
    bn_momentum = value == Source::lukemelas || late ? 0.01 : 0.1;
  }
};

// RRDBNet of ESRGAN (Wang et al. 2018). Scales 2 and 1 put a pixel unshuffle before the first
// convolution, whose input has num_in_ch * (4 / scale)^2 channels.
struct RrdbNet {
  int scale = 4;  // 4, 2, 1
  std::int64_t num_in_ch = 3, num_out_ch = 3, num_feat = 64, num_block = 23, num_grow_ch = 32;
};

// SRVGGNetCompact of Real-ESRGAN with PReLU: num_conv convolutions between the first and the last.
struct SrvggNetCompact {
  int upscale = 4;
  std::int64_t num_in_ch = 3, num_out_ch = 3, num_feat = 64, num_conv = 16;
};

using Architecture = std::variant<EfficientNet, RrdbNet, SrvggNetCompact>;

// "efficientnet_b0", "rrdbnet" or "srvggnet_compact".
inline std::string architecture_name(const Architecture& architecture) {
  if (const auto* net = std::get_if<EfficientNet>(&architecture))
    return str("efficientnet_b", net->variant);
  return std::holds_alternative<RrdbNet>(architecture) ? "rrdbnet" : "srvggnet_compact";
}

struct ExpectedTensor {
  std::string name;
  Shape shape;
  bool optional = false;  // num_batches_tracked: not used, absent from some files
};

// One convolution of an EfficientNet and the batch norm after it (none after those of a
// squeeze-excite, which have biases instead).
struct EfficientNetConv {
  std::string name;
  std::string norm;
  Shape shape;  // OIHW
};

namespace detail {

struct EfficientNetScale {
  double width, depth;
  int input_size;
};
inline constexpr EfficientNetScale efficientnet_scales[] = {
    {1.0, 1.0, 224}, {1.0, 1.1, 240}, {1.1, 1.2, 260}, {1.2, 1.4, 300},
    {1.4, 1.8, 380}, {1.6, 2.2, 456}, {1.8, 2.6, 528}, {2.0, 3.1, 600}};

struct EfficientNetStage {
  int kernel, expansion, channels, repeats;
};
inline constexpr EfficientNetStage efficientnet_stages[] = {
    {3, 1, 16, 1},  {3, 6, 24, 2},  {5, 6, 40, 2}, {3, 6, 80, 3},
    {5, 6, 112, 3}, {5, 6, 192, 4}, {3, 6, 320, 1}};

// Scaled channels: to the nearest multiple of 8, but not down by more than a tenth.
inline std::int64_t scaled_channels(int channels, double width) {
  const double scaled = channels * width;
  const auto rounded = static_cast<std::int64_t>(scaled + 4) / 8 * 8;
  return static_cast<double>(rounded) < 0.9 * scaled ? rounded + 8 : rounded;
}

inline int scaled_repeats(int repeats, double depth) {
  const double scaled = repeats * depth;
  const int whole = static_cast<int>(scaled);
  return whole < scaled ? whole + 1 : whole;
}

inline void append_block(std::vector<EfficientNetConv>& convs, const std::string& at,
                         const EfficientNetStage& stage, std::int64_t in, std::int64_t out) {
  const std::int64_t wide = in * stage.expansion, squeezed = in / 4;
  const bool expands = stage.expansion > 1;
  if (expands) convs.push_back({at + "conv_pw", at + "bn1", {wide, in, 1, 1}});
  convs.push_back(
      {at + "conv_dw", at + (expands ? "bn2" : "bn1"), {wide, 1, stage.kernel, stage.kernel}});
  convs.push_back({at + "se.conv_reduce", "", {squeezed, wide, 1, 1}});
  convs.push_back({at + "se.conv_expand", "", {wide, squeezed, 1, 1}});
  convs.push_back(
      {at + (expands ? "conv_pwl" : "conv_pw"), at + (expands ? "bn3" : "bn2"), {out, wide, 1, 1}});
}

inline void append_layer(std::vector<ExpectedTensor>& tensors, const std::string& name,
                         const Shape& weight) {
  tensors.push_back({name + ".weight", weight});
  tensors.push_back({name + ".bias", {weight[0]}});
}

}  // namespace detail

// Side of the square images that a variant was made for.
inline int efficientnet_input_size(int variant) {
  return detail::efficientnet_scales[variant].input_size;
}

// The number of blocks in each of the seven stages.
inline std::vector<int> efficientnet_repeats(int variant) {
  std::vector<int> repeats;
  for (const auto& stage : detail::efficientnet_stages)
    repeats.push_back(
        detail::scaled_repeats(stage.repeats, detail::efficientnet_scales[variant].depth));
  return repeats;
}

inline int efficientnet_blocks(int variant) {
  int blocks = 0;
  for (const int repeats : efficientnet_repeats(variant)) blocks += repeats;
  return blocks;
}

// Features before the classifier.
inline std::int64_t efficientnet_features(int variant) {
  return detail::scaled_channels(1280, detail::efficientnet_scales[variant].width);
}

// All convolutions in the order in which they are computed, which is also that of the state_dict.
inline std::vector<EfficientNetConv> efficientnet_convs(int variant) {
  const double width = detail::efficientnet_scales[variant].width;
  const auto repeats = efficientnet_repeats(variant);
  std::int64_t in = detail::scaled_channels(32, width);
  std::vector<EfficientNetConv> convs{{"conv_stem", "bn1", {in, 3, 3, 3}}};
  for (std::size_t s = 0; s < repeats.size(); ++s) {
    const auto& stage = detail::efficientnet_stages[s];
    const std::int64_t out = detail::scaled_channels(stage.channels, width);
    for (int b = 0; b < repeats[s]; ++b) {
      detail::append_block(convs, str("blocks.", s, '.', b, '.'), stage, in, out);
      in = out;
    }
  }
  convs.push_back({"conv_head", "bn2", {efficientnet_features(variant), in, 1, 1}});
  return convs;
}

// With `folded_bn` batch norm is part of the convolutions, which all have biases then.
inline std::vector<ExpectedTensor> expected_tensors(const EfficientNet& net,
                                                    bool folded_bn = false) {
  std::vector<ExpectedTensor> tensors;
  const auto convs = efficientnet_convs(net.variant);
  for (const auto& conv : convs) {
    const Shape channels{conv.shape[0]};
    if (folded_bn || conv.norm.empty()) {
      detail::append_layer(tensors, conv.name, conv.shape);
      continue;
    }
    tensors.push_back({conv.name + ".weight", conv.shape});
    for (const auto* part : {".weight", ".bias", ".running_mean", ".running_var"})
      tensors.push_back({conv.norm + part, channels});
    tensors.push_back({conv.norm + ".num_batches_tracked", {}, true});
  }
  if (net.num_classes > 0)
    detail::append_layer(tensors, "classifier", {net.num_classes, convs.back().shape[0]});
  return tensors;
}

inline std::vector<ExpectedTensor> expected_tensors(const RrdbNet& net) {
  std::vector<ExpectedTensor> tensors;
  const std::int64_t unshuffle = 4 / net.scale, nf = net.num_feat, gc = net.num_grow_ch;
  const auto conv = [&](const std::string& name, std::int64_t in, std::int64_t out) {
    detail::append_layer(tensors, name, {out, in, 3, 3});
  };
  conv("conv_first", net.num_in_ch * unshuffle * unshuffle, nf);
  for (std::int64_t block = 0; block < net.num_block; ++block)
    for (int rdb = 1; rdb <= 3; ++rdb)
      for (int k = 1; k <= 5; ++k)
        conv(str("body.", block, ".rdb", rdb, ".conv", k), nf + (k - 1) * gc, k < 5 ? gc : nf);
  for (const auto* name : {"conv_body", "conv_up1", "conv_up2", "conv_hr"}) conv(name, nf, nf);
  conv("conv_last", nf, net.num_out_ch);
  return tensors;
}

inline std::vector<ExpectedTensor> expected_tensors(const SrvggNetCompact& net) {
  std::vector<ExpectedTensor> tensors;
  const std::int64_t nf = net.num_feat;
  const std::int64_t last = 2 * net.num_conv + 2;
  for (std::int64_t i = 0; i <= last; i += 2) {
    const std::int64_t in = i == 0 ? net.num_in_ch : nf;
    const std::int64_t out = i == last ? net.num_out_ch * net.upscale * net.upscale : nf;
    detail::append_layer(tensors, str("body.", i), {out, in, 3, 3});
    if (i != last) tensors.push_back({str("body.", i + 1, ".weight"), {nf}});
  }
  return tensors;
}

// The tensors of a state_dict, in its order.
inline std::vector<ExpectedTensor> expected_tensors(const Architecture& architecture) {
  return std::visit([](const auto& net) { return expected_tensors(net); }, architecture);
}

}  // namespace mien::weights
