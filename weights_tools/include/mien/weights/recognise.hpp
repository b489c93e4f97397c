#pragma once
// Which network a checkpoint holds, from the names and shapes of its tensors alone; from the
// attributes of a pickled module where there are any. The user is never asked.

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mien/weights/architecture.hpp>
#include <mien/weights/checkpoint.hpp>
#include <mien/weights/names.hpp>

namespace mien::weights {

// What overrides recognition.
struct ImportOptions {
  std::string architecture;  // a name as architecture_name() gives it; empty: recognise
  std::optional<Source> source;
};

// Tensors under mien's names, for looking up shapes.
class TensorIndex {
 public:
  TensorIndex(const std::vector<NamedTensor>& tensors, std::string file) : file_(std::move(file)) {
    for (const auto& [name, tensor] : tensors) {
      const bool added = by_name_.emplace(name, &tensor).second;
      check(added, file_, "two tensors stand for ", name);
    }
  }

  const std::string& file() const { return file_; }
  const AnyTensor* find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  // Dimension d of a tensor that must be there.
  std::int64_t dim(std::string_view name, int d) const {
    const AnyTensor* tensor = find(name);
    check(tensor != nullptr, file_, "tensor ", name, " is missing");
    const Shape& shape = tensor->shape();
    check(d < shape.rank() && shape[d] > 0 && shape[d] <= 1 << 20, file_, "tensor ", name,
          " has shape ", shape);
    return shape[d];
  }
  // How many names start and end so.
  int count(std::string_view start, std::string_view end) const {
    int found = 0;
    for (const auto& [name, tensor] : by_name_)
      found += name.starts_with(start) && name.ends_with(end);
    return found;
  }

 private:
  std::string file_;
  std::map<std::string_view, const AnyTensor*> by_name_;
};

namespace detail {

// The pickled layer at a path; null where the file is not a pickled module.
inline const ModuleRecord* find_module(const Checkpoint& checkpoint, const std::string& path) {
  for (const auto& module : checkpoint.modules)
    if (module.path == path) return &module;
  return nullptr;
}

// B0 to B7, with the scales in `net`, by the number of blocks and the width of the head.
inline int efficientnet_variant(const TensorIndex& tensors, EfficientNetOptions net,
                                std::string_view told) {
  for (int variant = 0; variant < 8; ++variant)
    if (told == architecture_name(EfficientNetOptions{.variant = variant})) return variant;
  const int blocks = tensors.count("blocks.", ".conv_dw.weight");
  const std::int64_t head = tensors.dim("conv_head.weight", 0);
  for (net.variant = 0; net.variant < 8; ++net.variant)
    if (efficientnet_blocks(net) == blocks && efficientnet_features(net) == head)
      return net.variant;
  fail(tensors.file(),
       str("an EfficientNet of ", blocks, " blocks with ", head, " features is none of B0 to B7"));
}

// Where the file tells who trained it; best evidence first.
inline std::optional<Source> efficientnet_source(const Checkpoint& checkpoint,
                                                 const Naming& naming) {
  const auto told = checkpoint.metadata.find("source");
  if (told != checkpoint.metadata.end()) {
    const auto source = models::parse_source(told->second);
    check(source.has_value(), checkpoint.file, "metadata names an unknown source: ", told->second);
    return source;
  }
  if (naming.convention == Convention::torchvision) return Source::torchvision;
  if (naming.convention == Convention::lukemelas) return Source::lukemelas;
  if (const auto* stem = find_module(checkpoint, naming.prefix + "conv_stem"))
    return stem->type == "Conv2dSame" ? Source::timm_tf : Source::timm;
  const auto padding = checkpoint.metadata.find("padding");  // as an ONNX graph tells
  if (padding == checkpoint.metadata.end()) return {};
  return padding->second == "same" ? Source::timm_tf : Source::timm;
}

// A positive number among the file's metadata; 0 where it has none of that name.
inline double metadata_number(const Checkpoint& checkpoint, const std::string& key) {
  const auto found = checkpoint.metadata.find(key);
  if (found == checkpoint.metadata.end()) return 0;
  const std::string& text = found->second;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  check(error == std::errc{} && end == text.data() + text.size() && number > 0, checkpoint.file,
        "metadata ", key, " is '", text, "', expected a positive number");
  return number;
}

// Epsilon and momentum of batch norm where the file tells them: in the metadata of mien's own
// files, or as attributes of a pickled layer.
inline void read_batch_norm(const Checkpoint& checkpoint, const Naming& naming,
                            EfficientNetOptions& net) {
  net.eps = metadata_number(checkpoint, "bn_eps");
  net.momentum = metadata_number(checkpoint, "bn_momentum");
  const auto* norm = find_module(checkpoint, naming.prefix + "bn1");
  if (norm == nullptr) return;
  if (norm->numbers.contains("eps")) net.eps = norm->numbers.at("eps");
  if (norm->numbers.contains("momentum")) net.momentum = norm->numbers.at("momentum");
}

inline Architecture recognise_efficientnet(const TensorIndex& tensors, const Checkpoint& checkpoint,
                                           const Naming& naming, const ImportOptions& options) {
  EfficientNetOptions net;
  net.width = metadata_number(checkpoint, "width");
  net.depth = metadata_number(checkpoint, "depth");
  check(net.width <= 16 && net.depth <= 16, tensors.file(), "expected scales of at most 16, got ",
        net.width, " and ", net.depth);
  net.variant = efficientnet_variant(tensors, net, options.architecture);
  net.num_classes = tensors.find("classifier.weight") ? tensors.dim("classifier.weight", 0) : 0;
  const auto known = options.source ? options.source : efficientnet_source(checkpoint, naming);
  net.source = known.value_or(Source::timm_tf);
  if (!options.source) read_batch_norm(checkpoint, naming, net);
  return net;
}

inline Architecture recognise_rrdbnet(const TensorIndex& tensors) {
  RrdbNetOptions net;
  const std::int64_t in = tensors.dim("conv_first.weight", 1);
  net.num_out_ch = tensors.dim("conv_last.weight", 0);
  net.num_feat = tensors.dim("conv_first.weight", 0);
  net.num_grow_ch = tensors.dim("body.0.rdb1.conv1.weight", 0);
  net.num_block = tensors.count("body.", ".rdb1.conv1.weight");
  net.num_in_ch = net.num_out_ch;
  for (const int unshuffle : {1, 2, 4})
    if (in == net.num_in_ch * unshuffle * unshuffle) {
      net.scale = 4 / unshuffle;
      return net;
    }
  fail(tensors.file(), str("an RRDBNet from ", in, " to ", net.num_out_ch,
                           " channels, expected 1, 4 or 16 times as many inputs"));
}

inline Architecture recognise_srvgg(const TensorIndex& tensors) {
  SrvggOptions net;
  check(tensors.find("body.1.weight") != nullptr, tensors.file(),
        "an SRVGGNetCompact with another activation than PReLU is not supported");
  net.num_feat = tensors.dim("body.0.weight", 0);
  net.num_in_ch = tensors.dim("body.0.weight", 1);
  net.num_out_ch = net.num_in_ch;
  // n + 2 convolutions with biases and n + 1 slopes between them; one tensor may be missing.
  net.num_conv =
      std::max(tensors.count("body.", ".bias") - 2, (tensors.count("body.", ".weight") - 2) / 2);
  check(net.num_conv >= 0, tensors.file(), "an SRVGGNetCompact without last convolution");
  const std::int64_t last = tensors.dim(str("body.", 2 * net.num_conv + 2, ".weight"), 0);
  for (int scale = 1; scale <= 16; ++scale)
    if (net.num_out_ch > 0 && last == net.num_out_ch * scale * scale) {
      net.upscale = scale;
      return net;
    }
  fail(tensors.file(), str("an SRVGGNetCompact whose last convolution has ", last,
                           " outputs, expected ", net.num_out_ch, " times a square"));
}

}  // namespace detail

// Throws where the tensors, named as `naming` says, do not let the network be told.
inline Architecture recognise(const TensorIndex& tensors, const Checkpoint& checkpoint,
                              const Naming& naming, const ImportOptions& options) {
  switch (naming.convention) {
    case Convention::rrdb:
    case Convention::first_esrgan:
    case Convention::bsrgan:
      return detail::recognise_rrdbnet(tensors);
    case Convention::srvgg:
      return detail::recognise_srvgg(tensors);
    case Convention::timm:
    case Convention::torchvision:
    case Convention::lukemelas:
      break;
  }
  return detail::recognise_efficientnet(tensors, checkpoint, naming, options);
}

}  // namespace mien::weights
