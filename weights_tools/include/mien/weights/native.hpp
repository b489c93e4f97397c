#pragma once
// mien's own weight files: safetensors whose metadata says what a program needs to use them.
//   format_version   "1"
//   architecture     "efficientnet_b0", "rrdbnet", ...: architecture_name()
//   digest           "sha256:..." over the tensors: tensors_digest()
//   converted_from   the format that the tensors were read from
// and for EfficientNet
//   source           "timm-tf", "timm", "torchvision", "lukemelas"
//   bn_eps           epsilon of batch norm, "0.001"
//   bn_momentum      its momentum, "0.1"
//   width, depth     scales, where they are not the variant's own
//   input_size       side of the square input images
//   mean, std        of the input's channels, "0.485,0.456,0.406"
//   class_order      the classes' names with commas between them, where known
//   folded_bn        "true" where batch norm was folded into the convolutions

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <mien/io/safetensors.hpp>
#include <mien/weights/import.hpp>
#include <mien/weights/sha256.hpp>

namespace mien::weights {

// Independent of the tensors' order: equal for equal names, types, shapes and bytes.
inline std::string tensors_digest(const std::vector<NamedTensor>& tensors) {
  std::vector<const NamedTensor*> sorted;
  for (const auto& entry : tensors) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  Sha256 hash;
  for (const auto* entry : sorted) {
    const AnyTensor& tensor = entry->second;
    const std::string head = str(entry->first, '\n', tensor.dtype(), '\n', tensor.shape(), '\n');
    hash.update(io::as_bytes(head));
    hash.update({tensor.bytes(), tensor.nbytes()});
  }
  return "sha256:" + hash.hex();
}

// A floating-point tensor as another floating-point type; other tensors stay. Throws where a finite
// value becomes infinite.
inline AnyTensor with_float_dtype(const AnyTensor& tensor, DType dtype, std::string_view where) {
  if (!detail::is_float(tensor.dtype()) || tensor.dtype() == dtype) return tensor;
  const Tensor<double> exact = tensor.as<double>();
  return with_dtype(dtype, [&](auto t) -> AnyTensor {
    using T = typename decltype(t)::type;
    const Tensor<T> converted = exact.to<T>();
    for (std::int64_t i = 0; i < exact.numel(); ++i) {
      const bool finite = std::isfinite(exact.data()[i]);
      check(!finite || std::isfinite(static_cast<double>(converted.data()[i])), where, "value ",
            exact.data()[i], " does not fit ", dtype);
    }
    return converted;
  });
}

namespace detail {

// The shortest text that reads back as the same number.
inline std::string shortest(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), number).ptr;
  return {text, end};
}

}  // namespace detail

inline std::map<std::string, std::string> native_metadata(const ImportedModel& model) {
  std::map<std::string, std::string> metadata;
  if (const auto* net = std::get_if<EfficientNetOptions>(&model.architecture)) {
    metadata["source"] = to_string(net->source);
    metadata["input_size"] = std::to_string(net->input_size());
    metadata["mean"] = "0.485,0.456,0.406";
    metadata["std"] = "0.229,0.224,0.225";
    metadata["bn_eps"] = detail::shortest(net->bn_eps());
    metadata["bn_momentum"] = detail::shortest(net->bn_momentum());
    if (net->width > 0) metadata["width"] = detail::shortest(net->width);
    if (net->depth > 0) metadata["depth"] = detail::shortest(net->depth);
    if (model.folded_bn) metadata["folded_bn"] = "true";
    for (const auto* key : {"input_size", "mean", "std", "class_order"})
      if (const auto found = model.metadata.find(key); found != model.metadata.end())
        metadata[key] = found->second;
  }
  metadata["format_version"] = "1";
  metadata["architecture"] = architecture_name(model.architecture);
  metadata["converted_from"] = model.format;
  metadata["digest"] = tensors_digest(model.tensors);
  return metadata;
}

inline void write_native(const std::string& path, const ImportedModel& model) {
  require_complete(model);
  io::write_safetensors(path, {model.tensors, native_metadata(model)});
}

}  // namespace mien::weights
