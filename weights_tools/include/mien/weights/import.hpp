#pragma once
// From a checkpoint to a network's weights: recognises the architecture, gives every tensor the
// name that mien's model has for it, and says what is missing, superfluous or of the wrong shape.

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <mien/weights/architecture.hpp>
#include <mien/weights/checkpoint.hpp>
#include <mien/weights/names.hpp>
#include <mien/weights/read.hpp>
#include <mien/weights/recognise.hpp>

namespace mien::weights {

struct ImportedModel {
  std::string file;
  std::string format;
  Architecture architecture;
  std::vector<NamedTensor> tensors;  // in the order of expected_tensors(), PyTorch's layouts
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;  // names as in the file, without prefix; not in `tensors`
  std::vector<std::string> mismatched;  // "name: expected (..), got (..)"
  std::vector<std::string> notes;       // assumptions and limits that the user should know
  // The batch norms do nothing: the file has them folded into the convolutions.
  bool folded_bn = false;
  std::map<std::string, std::string> metadata;  // of the file

  bool complete() const { return missing.empty() && mismatched.empty(); }
};

namespace detail {

inline bool is_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::bf16 || dtype == DType::f16;
}

// Sorts the tensors into those that are expected and the others.
inline void compare(const std::vector<ExpectedTensor>& expected, const TensorIndex& tensors,
                    const std::vector<NamedTensor>& renamed, ImportedModel& model) {
  std::set<std::string_view> known;
  for (const auto& [name, shape, optional] : expected) {
    known.insert(name);
    const AnyTensor* tensor = tensors.find(name);
    if (tensor == nullptr) {
      if (!optional) model.missing.push_back(name);
    } else if (tensor->shape() != shape) {
      model.mismatched.push_back(str(name, ": expected ", shape, ", got ", tensor->shape()));
    } else if (!optional && !is_float(tensor->dtype())) {
      model.mismatched.push_back(str(name, ": has dtype ", tensor->dtype()));
    } else {
      model.tensors.emplace_back(name, *tensor);
    }
  }
  for (const auto& [name, tensor] : renamed)
    if (!known.contains(name)) model.unexpected.push_back(name);
}

inline AnyTensor filled(std::int64_t channels, double value) {
  return Tensor<float>::full({channels}, static_cast<float>(value));
}

// Convolutions with folded batch norm as convolutions without bias and batch norms that add the
// bias: the scale sqrt(1 + eps) makes up for a variance of 1.
inline void restore_norms(const EfficientNetOptions& net, ImportedModel& model) {
  std::map<std::string, AnyTensor> folded(model.tensors.begin(), model.tensors.end());
  std::vector<NamedTensor> tensors;
  for (const auto& conv : efficientnet_convs(net)) {
    tensors.emplace_back(conv.name + ".weight", folded.at(conv.name + ".weight"));
    const AnyTensor& bias = folded.at(conv.name + ".bias");
    if (conv.norm.empty()) {
      tensors.emplace_back(conv.name + ".bias", bias);
      continue;
    }
    const std::int64_t channels = conv.shape[0];
    tensors.emplace_back(conv.norm + ".weight", filled(channels, std::sqrt(1.0 + net.bn_eps())));
    tensors.emplace_back(conv.norm + ".bias", bias);
    tensors.emplace_back(conv.norm + ".running_mean", filled(channels, 0.0));
    tensors.emplace_back(conv.norm + ".running_var", filled(channels, 1.0));
  }
  for (const auto* name : {"classifier.weight", "classifier.bias"})
    if (net.num_classes > 0) tensors.emplace_back(name, folded.at(name));
  model.tensors = std::move(tensors);
}

// Whether a metadata entry says "true".
inline bool is_true(const std::map<std::string, std::string>& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  return found != metadata.end() && found->second == "true";
}

inline void import_efficientnet(const EfficientNetOptions& net, const TensorIndex& tensors,
                                const std::vector<NamedTensor>& renamed, ImportedModel& model) {
  const bool folded = tensors.find("bn1.weight") == nullptr && tensors.find("conv_stem.bias");
  compare(expected_tensors(net, folded), tensors, renamed, model);
  if (folded && model.complete()) restore_norms(net, model);
  model.folded_bn = folded || is_true(model.metadata, "folded_bn");
  if (model.folded_bn)
    model.notes.emplace_back("batch norm is folded: fit for inference, not for training");
}

}  // namespace detail

// Throws where the network is none that mien knows; what is incomplete is told by the result.
inline ImportedModel import_checkpoint(const Checkpoint& checkpoint,
                                       const ImportOptions& options = {}) {
  const auto naming = find_naming(checkpoint.tensors);
  check(naming.has_value(), checkpoint.file, "holds ", checkpoint.tensors.size(),
        " tensors of no network that mien knows (EfficientNet, RRDBNet, SRVGGNetCompact)");
  const auto renamed = rename(checkpoint.tensors, *naming);
  const TensorIndex tensors(renamed, checkpoint.file);

  ImportedModel model;
  model.file = checkpoint.file;
  model.format = checkpoint.format;
  model.metadata = checkpoint.metadata;
  model.architecture = recognise(tensors, checkpoint, *naming, options);
  const std::string name = architecture_name(model.architecture);
  check(options.architecture.empty() || options.architecture == name, checkpoint.file, "holds ",
        name, ", expected ", options.architecture);
  if (const auto* net = std::get_if<EfficientNetOptions>(&model.architecture)) {
    detail::import_efficientnet(*net, tensors, renamed, model);
    if (!options.source && !detail::efficientnet_source(checkpoint, *naming))
      model.notes.push_back(str("the file does not tell who trained the network: source ",
                                net->source, " is assumed"));
  } else {
    check(!options.source, checkpoint.file, "holds ", name, ", which has no source");
    detail::compare(expected_tensors(model.architecture), tensors, renamed, model);
  }
  return model;
}

// Throws where tensors are missing or have the wrong shape.
inline void require_complete(const ImportedModel& model) {
  const auto list = [](std::string_view what, const std::vector<std::string>& names) {
    if (names.empty()) return std::string();
    return str(", ", names.size(), ' ', what, " (", names.front(),
               names.size() > 1 ? ", ...)" : ")");
  };
  check(model.complete(), model.file, "does not fit ", architecture_name(model.architecture),
        list("tensors are missing", model.missing),
        list("have the wrong shape or type", model.mismatched));
}

// Reads a weight file of any supported format as a complete network. `path` may be any format that
// read_checkpoint() takes.
inline ImportedModel import_file(const std::string& path, const ImportOptions& options = {}) {
  ImportedModel model = import_checkpoint(read_checkpoint(path), options);
  require_complete(model);
  return model;
}

}  // namespace mien::weights
