#pragma once
// Names of tensors: which convention a file follows, and the translation into mien's own names,
// which are timm's for EfficientNet and Real-ESRGAN's for the generators.
//
//   EfficientNet        timm                     torchvision                 lukemelas
//   stem                conv_stem, bn1           features.0.{0,1}            _conv_stem, _bn0
//   block b of stage s  blocks.{s}.{b}           features.{s+1}.{b}.block    _blocks.{n}
//   head                conv_head, bn2           features.8.{0,1}            _conv_head, _bn1
//   classifier          classifier               classifier.1                _fc
//
//   RRDBNet             Real-ESRGAN              first ESRGAN                BSRGAN, RealSR
//                       conv_first               model.0                     conv_first
//                       body.{i}.rdb{j}.conv{k}  model.1.sub.{i}.RDB{j}... RRDB_trunk.{i}.RDB{j}...
//                       conv_body                model.1.sub.{blocks}        trunk_conv
//                       conv_up1, conv_up2       model.3, model.6            upconv1, upconv2
//                       conv_hr, conv_last       model.8, model.10           HRconv, conv_last

#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/weights/architecture.hpp>
#include <mien/weights/checkpoint.hpp>

namespace mien::weights {

enum class Convention { timm, torchvision, lukemelas, rrdb, first_esrgan, bsrgan, srvgg };

// The convention of a file, and what its names start with besides ("module.").
struct Naming {
  Convention convention;
  std::string prefix;
};

namespace detail {

// A tensor that only files of this convention have.
inline constexpr std::pair<std::string_view, Convention> convention_signs[] = {
    {"conv_stem.weight", Convention::timm},
    {"_conv_stem.weight", Convention::lukemelas},
    {"features.1.0.block.0.0.weight", Convention::torchvision},
    {"body.0.rdb1.conv1.weight", Convention::rrdb},
    {"model.1.sub.0.RDB1.conv1.0.weight", Convention::first_esrgan},
    {"RRDB_trunk.0.RDB1.conv1.weight", Convention::bsrgan},
    {"body.0.weight", Convention::srvgg}};

// Whether a prefix is made of what wrappers such as DataParallel and torch.compile put before
// names.
inline bool is_wrapper_prefix(std::string_view prefix) {
  constexpr std::string_view known[] = {"module.", "_orig_mod.", "model.", "backbone.", "net."};
  while (!prefix.empty()) {
    const std::size_t before = prefix.size();
    for (const auto part : known)
      if (prefix.starts_with(part)) prefix.remove_prefix(part.size());
    if (prefix.size() == before) return false;
  }
  return true;
}

using Pairs = std::span<const std::pair<std::string_view, std::string_view>>;

inline std::string_view translate(std::string_view key, Pairs table) {
  for (const auto& [from, to] : table)
    if (from == key) return to;
  return {};
}

inline std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return {};
  return value;
}

// A dotted name, taken apart from the front.
class Dotted {
 public:
  explicit Dotted(std::string_view name) : rest_(name) {}
  std::string_view rest() const { return rest_; }

  std::string_view next() {
    const auto dot = rest_.find('.');
    const auto part = rest_.substr(0, dot);
    rest_ = dot == std::string_view::npos ? std::string_view{} : rest_.substr(dot + 1);
    return part;
  }

  // Splits the rest into the layer's and the parameter's name: "0.1", "running_mean".
  std::pair<std::string_view, std::string_view> layer_and_leaf() const {
    const auto dot = rest_.rfind('.');
    if (dot == std::string_view::npos) return {{}, rest_};
    return {rest_.substr(0, dot), rest_.substr(dot + 1)};
  }

 private:
  std::string_view rest_;
};

// <start><translated layer>.<leaf>; empty where the table does not know the layer.
inline std::string renamed(const std::string& start, const Dotted& name, Pairs table) {
  const auto [layer, leaf] = name.layer_and_leaf();
  const auto translated = translate(layer, table);
  return translated.empty() ? std::string{} : str(start, translated, '.', leaf);
}

// Blocks of stage 0 do not expand; their layers have other names.

inline std::string from_torchvision(std::string_view full) {
  constexpr std::pair<std::string_view, std::string_view> separable[] = {
      {"0.0", "conv_dw"},          {"0.1", "bn1"},     {"1.fc1", "se.conv_reduce"},
      {"1.fc2", "se.conv_expand"}, {"2.0", "conv_pw"}, {"2.1", "bn2"}};
  constexpr std::pair<std::string_view, std::string_view> inverted[] = {
      {"0.0", "conv_pw"},          {"0.1", "bn1"},
      {"1.0", "conv_dw"},          {"1.1", "bn2"},
      {"2.fc1", "se.conv_reduce"}, {"2.fc2", "se.conv_expand"},
      {"3.0", "conv_pwl"},         {"3.1", "bn3"}};
  constexpr std::pair<std::string_view, std::string_view> outer[] = {
      {"0.0", "conv_stem"}, {"0.1", "bn1"}, {"8.0", "conv_head"}, {"8.1", "bn2"}};
  Dotted name(full);
  if (name.next() != "features") return {};
  if (auto found = renamed("", name, outer); !found.empty()) return found;
  const auto stage = number(name.next()), block = number(name.next());
  if (!stage || *stage == 0 || !block || name.next() != "block") return {};
  const std::string start = str("blocks.", *stage - 1, '.', *block, '.');
  return renamed(start, name, *stage == 1 ? Pairs(separable) : Pairs(inverted));
}

// `repeats`: blocks per stage, since lukemelas numbers the blocks of all stages in one row.
inline std::string from_lukemelas(std::string_view full, const std::vector<int>& repeats) {
  constexpr std::pair<std::string_view, std::string_view> separable[] = {
      {"_depthwise_conv", "conv_dw"},   {"_bn1", "bn1"},
      {"_se_reduce", "se.conv_reduce"}, {"_se_expand", "se.conv_expand"},
      {"_project_conv", "conv_pw"},     {"_bn2", "bn2"}};
  constexpr std::pair<std::string_view, std::string_view> inverted[] = {
      {"_expand_conv", "conv_pw"},      {"_bn0", "bn1"},
      {"_depthwise_conv", "conv_dw"},   {"_bn1", "bn2"},
      {"_se_reduce", "se.conv_reduce"}, {"_se_expand", "se.conv_expand"},
      {"_project_conv", "conv_pwl"},    {"_bn2", "bn3"}};
  constexpr std::pair<std::string_view, std::string_view> outer[] = {{"_conv_stem", "conv_stem"},
                                                                     {"_bn0", "bn1"},
                                                                     {"_conv_head", "conv_head"},
                                                                     {"_bn1", "bn2"},
                                                                     {"_fc", "classifier"}};
  Dotted name(full);
  if (auto found = renamed("", name, outer); !found.empty()) return found;
  if (name.next() != "_blocks") return {};
  const auto index = number(name.next());
  if (!index) return {};
  int block = *index;
  std::size_t stage = 0;
  while (stage < repeats.size() && block >= repeats[stage]) block -= repeats[stage++];
  if (stage == repeats.size()) return {};
  return renamed(str("blocks.", stage, '.', block, '.'), name,
                 stage == 0 ? Pairs(separable) : Pairs(inverted));
}

// The rest of a name after "<...>.{i}." as body.{i}.rdb{j}.conv{k}.<leaf>; `tail` follows conv{k}.
inline std::string rrdb_block(std::string_view block, Dotted name, std::string_view tail) {
  std::string_view rdb = name.next(), conv = name.next();
  if (!rdb.starts_with("RDB") || !conv.starts_with("conv")) return {};
  if (!tail.empty() && name.next() != tail) return {};
  return str("body.", block, ".rdb", rdb.substr(3), '.', conv, '.', name.rest());
}

inline std::string from_first_esrgan(std::string_view full) {
  constexpr std::pair<std::string_view, std::string_view> outer[] = {{"0", "conv_first"},
                                                                     {"3", "conv_up1"},
                                                                     {"6", "conv_up2"},
                                                                     {"8", "conv_hr"},
                                                                     {"10", "conv_last"}};
  Dotted name(full);
  if (name.next() != "model") return {};
  if (auto found = renamed("", name, outer); !found.empty()) return found;
  if (name.next() != "1" || name.next() != "sub") return {};
  const auto block = name.next();
  if (name.rest() == "weight" || name.rest() == "bias") return str("conv_body.", name.rest());
  return rrdb_block(block, name, "0");
}

inline std::string from_bsrgan(std::string_view full) {
  constexpr std::pair<std::string_view, std::string_view> outer[] = {
      {"conv_first", "conv_first"}, {"trunk_conv", "conv_body"}, {"upconv1", "conv_up1"},
      {"upconv2", "conv_up2"},      {"HRconv", "conv_hr"},       {"conv_last", "conv_last"}};
  Dotted name(full);
  if (auto found = renamed("", name, outer); !found.empty()) return found;
  if (name.next() != "RRDB_trunk") return {};
  const auto block = name.next();
  return rrdb_block(block, name, "");
}

// The blocks per stage of a lukemelas file, by the number of its blocks (B1 and B2 agree).
inline std::vector<int> lukemelas_repeats(const std::vector<NamedTensor>& tensors) {
  int blocks = 0;
  for (const auto& [name, tensor] : tensors)
    if (name.ends_with("._depthwise_conv.weight")) ++blocks;
  for (int variant = 0; variant < 8; ++variant)
    if (efficientnet_blocks({.variant = variant}) == blocks)
      return efficientnet_repeats({.variant = variant});
  return {};
}

// "classifier.{n}" where the file has one such layer with weights: the only linear layer of a
// Sequential. Otherwise empty.
inline std::string sequential_classifier(const std::vector<NamedTensor>& tensors,
                                         const std::string& prefix) {
  std::string found;
  for (const auto& [full, tensor] : tensors) {
    std::string_view name = full;
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    Dotted parts(name);
    if (parts.next() != "classifier") continue;
    const auto [layer, leaf] = parts.layer_and_leaf();
    if (leaf != "weight" || !number(layer)) continue;
    if (!found.empty()) return {};
    found = str("classifier.", layer, '.');
  }
  return found;
}

}  // namespace detail

// The convention that a file follows; none where no known network is in it.
inline std::optional<Naming> find_naming(const std::vector<NamedTensor>& tensors) {
  for (const auto& [sign, convention] : detail::convention_signs)
    for (const auto& [name, tensor] : tensors) {
      if (!name.ends_with(sign)) continue;
      std::string prefix = name.substr(0, name.size() - sign.size());
      if (detail::is_wrapper_prefix(prefix)) return Naming{convention, std::move(prefix)};
    }
  return {};
}

// The tensors under mien's names. A name that the convention does not know stays as it is.
inline std::vector<NamedTensor> rename(const std::vector<NamedTensor>& tensors,
                                       const Naming& naming) {
  const auto repeats = detail::lukemelas_repeats(tensors);
  const auto classifier = detail::sequential_classifier(tensors, naming.prefix);
  std::vector<NamedTensor> out;
  for (const auto& [full, tensor] : tensors) {
    std::string_view name = full;
    if (name.starts_with(naming.prefix)) name.remove_prefix(naming.prefix.size());
    std::string canonical;
    if (!classifier.empty() && name.starts_with(classifier))
      canonical = str("classifier.", name.substr(classifier.size()));
    else if (naming.convention == Convention::torchvision)
      canonical = detail::from_torchvision(name);
    else if (naming.convention == Convention::lukemelas)
      canonical = detail::from_lukemelas(name, repeats);
    else if (naming.convention == Convention::first_esrgan)
      canonical = detail::from_first_esrgan(name);
    else if (naming.convention == Convention::bsrgan)
      canonical = detail::from_bsrgan(name);
    out.emplace_back(canonical.empty() ? std::string(name) : std::move(canonical), tensor);
  }
  return out;
}

}  // namespace mien::weights
