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
#include <mien/models/efficientnet_options.hpp>
#include <mien/models/rrdbnet_options.hpp>
#include <mien/models/srvgg_options.hpp>

namespace mien::weights {

using models::EfficientNetOptions;
using models::RrdbNetOptions;
using models::Source;
using models::SrvggOptions;

using Architecture = std::variant<EfficientNetOptions, RrdbNetOptions, SrvggOptions>;

// "efficientnet_b0", "rrdbnet" or "srvggnet_compact".
inline std::string architecture_name(const Architecture& architecture) {
  if (const auto* net = std::get_if<EfficientNetOptions>(&architecture))
    return str("efficientnet_b", net->variant);
  return std::holds_alternative<RrdbNetOptions>(architecture) ? "rrdbnet" : "srvggnet_compact";
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

inline void append_block(std::vector<EfficientNetConv>& convs, const std::string& at,
                         const models::EfficientNetStage& stage, std::int64_t in,
                         std::int64_t out) {
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

// The number of blocks in each of the seven stages.
inline std::vector<int> efficientnet_repeats(const EfficientNetOptions& net) {
  const models::EfficientNetScale scale(net);
  std::vector<int> repeats;
  for (const auto& stage : models::efficientnet_stages)
    repeats.push_back(static_cast<int>(scale.repeats(stage.repeats)));
  return repeats;
}

inline int efficientnet_blocks(const EfficientNetOptions& net) {
  int blocks = 0;
  for (const int repeats : efficientnet_repeats(net)) blocks += repeats;
  return blocks;
}

// Features before the classifier.
inline std::int64_t efficientnet_features(const EfficientNetOptions& net) {
  return models::EfficientNetScale(net).channels(1280);
}

// All convolutions in the order in which they are computed, which is also that of the state_dict.
inline std::vector<EfficientNetConv> efficientnet_convs(const EfficientNetOptions& net) {
  const models::EfficientNetScale scale(net);
  const auto repeats = efficientnet_repeats(net);
  std::int64_t in = scale.channels(32);
  std::vector<EfficientNetConv> convs{{"conv_stem", "bn1", {in, 3, 3, 3}}};
  for (std::size_t s = 0; s < repeats.size(); ++s) {
    const auto& stage = models::efficientnet_stages[s];
    const std::int64_t out = scale.channels(stage.channels);
    for (int b = 0; b < repeats[s]; ++b) {
      detail::append_block(convs, str("blocks.", s, '.', b, '.'), stage, in, out);
      in = out;
    }
  }
  convs.push_back({"conv_head", "bn2", {efficientnet_features(net), in, 1, 1}});
  return convs;
}

// With `folded_bn` batch norm is part of the convolutions, which all have biases then.
inline std::vector<ExpectedTensor> expected_tensors(const EfficientNetOptions& net,
                                                    bool folded_bn = false) {
  std::vector<ExpectedTensor> tensors;
  const auto convs = efficientnet_convs(net);
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

inline std::vector<ExpectedTensor> expected_tensors(const RrdbNetOptions& net) {
  std::vector<ExpectedTensor> tensors;
  const std::int64_t unshuffle = net.unshuffle(), nf = net.num_feat, gc = net.num_grow_ch;
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

inline std::vector<ExpectedTensor> expected_tensors(const SrvggOptions& net) {
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
