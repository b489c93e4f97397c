#include "report.hpp"

#include <mien/weights/native.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace mien::programs {
namespace {

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

// 4020358 as "4,020,358".
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

// A number without trailing zeros: "0.001".
std::string plain(double number) {
  std::string digits = std::to_string(number);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

std::string line(std::string_view what, std::string_view value) {
  return str(padded(std::string(what), 14), value, '\n');
}

std::string description(const weights::EfficientNetOptions& net) {
  return line("source", to_string(net.source)) + line("classes", grouped(net.num_classes)) +
         line("input", str(net.input_size(), " x ", net.input_size())) +
         line("padding", net.same_padding() ? "SAME (TensorFlow)" : "symmetric") +
         line("batch norm",
              str("eps ", plain(net.bn_eps()), ", momentum ", plain(net.bn_momentum())));
}

std::string description(const weights::RrdbNetOptions& net) {
  return line("scale", str(net.scale)) + line("blocks", str(net.num_block)) +
         line("features", str(net.num_feat, ", growth ", net.num_grow_ch)) +
         line("channels", str(net.num_in_ch, " to ", net.num_out_ch));
}

std::string description(const weights::SrvggOptions& net) {
  return line("scale", str(net.upscale)) + line("convolutions", str(net.num_conv, " and 2")) +
         line("features", str(net.num_feat)) +
         line("channels", str(net.num_in_ch, " to ", net.num_out_ch));
}

// The number of entries and the first of them.
std::string list(std::string_view what, const std::vector<std::string>& entries) {
  constexpr std::size_t shown = 10;
  std::string text = line(what, str(entries.size()));
  for (std::size_t i = 0; i < std::min(shown, entries.size()); ++i)
    text += str("  ", entries[i], '\n');
  if (entries.size() > shown) text += str("  and ", entries.size() - shown, " more\n");
  return text;
}

bool is_parameter(std::string_view name) {
  return !name.ends_with(".running_mean") && !name.ends_with(".running_var") &&
         !name.ends_with(".num_batches_tracked");
}

}  // namespace

std::string listing(const weights::Checkpoint& checkpoint) {
  std::size_t width = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) width = std::max(width, name.size());
  std::string text;
  std::int64_t elements = 0, bytes = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    text += str(padded(name, width), "  ", padded(std::string(to_string(tensor.dtype())), 4), "  ",
                tensor.shape(), '\n');
    elements += tensor.numel();
    bytes += static_cast<std::int64_t>(tensor.nbytes());
  }
  return text + str(checkpoint.tensors.size(), " tensors, ", grouped(elements), " elements, ",
                    grouped(bytes), " bytes (", checkpoint.format, ")\n");
}

Examination examine(const weights::ImportedModel& model) {
  const std::string digest = weights::tensors_digest(model.tensors);
  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : model.tensors)
    if (is_parameter(name)) parameters += tensor.numel();

  std::string text = line("file", model.file) + line("format", model.format) +
                     line("architecture", weights::architecture_name(model.architecture));
  text += std::visit([](const auto& net) { return description(net); }, model.architecture);
  text += line("tensors", grouped(static_cast<std::int64_t>(model.tensors.size())));
  text += line("parameters", grouped(parameters));
  text += list("missing", model.missing);
  text += list("unexpected", model.unexpected);
  text += list("mismatched", model.mismatched);
  text += line("digest", digest);
  for (const auto& note : model.notes) text += line("note", note);

  bool ok = model.complete() && model.unexpected.empty();
  const auto stored = model.metadata.find("digest");
  if (stored != model.metadata.end() && stored->second != digest) {
    text += line("problem", "the tensors were changed: the file's digest is " + stored->second);
    ok = false;
  }
  return {text, ok};
}

}  // namespace mien::programs
