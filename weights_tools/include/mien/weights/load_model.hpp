#pragma once
// From a checkpoint to a network ready for inference.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mien/models/emotieffnet.hpp>
#include <mien/models/rrdbnet.hpp>
#include <mien/models/srvgg.hpp>
#include <mien/weights/import.hpp>

namespace mien::weights {

// A network of T with the weights of an imported model, in evaluation mode.
template <class Network, class Options>
std::shared_ptr<Network> load_network(const ImportedModel& model, const Options& options) {
  require_complete(model);
  const nn::SkipInit skip;
  auto network = std::make_shared<Network>(options);
  network->load_state_dict(model.tensors);
  network->set_requires_grad(false);
  network->eval();
  return network;
}

struct SuperResolutionModel {
  std::string architecture;
  std::int64_t scale = 4;
  std::int64_t receptive_radius = 0;  // input pixels on each side that an output pixel depends on
  // (1, h, w, 3) -> (1, h * scale, w * scale, 3)
  std::function<Tensor<float>(const Tensor<float>&)> forward;
};

namespace detail {

template <class Network, class Options>
SuperResolutionModel super_resolution_of(const ImportedModel& model, const Options& options) {
  const auto network = load_network<Network>(model, options);
  return {.architecture = architecture_name(model.architecture),
          .scale = network->scale(),
          .receptive_radius = network->receptive_radius(),
          .forward = [network](const Tensor<float>& x) {
            const NoGrad no_grad;
            return network->forward(x);
          }};
}

}  // namespace detail

// An RRDBNet or SRVGGNetCompact. Throws where the checkpoint holds another network, or an
// incomplete one.
inline SuperResolutionModel load_super_resolution(const Checkpoint& checkpoint) {
  const ImportedModel model = import_checkpoint(checkpoint);
  if (const auto* o = std::get_if<models::RrdbNetOptions>(&model.architecture))
    return detail::super_resolution_of<models::RrdbNet<float>>(model, *o);
  if (const auto* o = std::get_if<models::SrvggOptions>(&model.architecture))
    return detail::super_resolution_of<models::SrvggNetCompact<float>>(model, *o);
  fail(checkpoint.file, str("holds ", architecture_name(model.architecture),
                            ", expected a super-resolution network"));
}

struct EmotionModel {
  std::shared_ptr<models::EfficientNet<float>> network;
  std::vector<std::string> class_order;
  std::vector<float> mean, std;  // of the input's channels, RGB in [0, 1]
  std::int64_t input_size = 224;

  // Faces (n, input_size, input_size, 3), normalised -> embeddings (n, features)
  Tensor<float> embed(const Tensor<float>& x) const {
    const NoGrad no_grad;
    return network->features(x);
  }
  // Embeddings -> logits (n, classes) or (n, classes + 2)
  Tensor<float> classify(const Tensor<float>& embeddings) const {
    const NoGrad no_grad;
    return network->classify(embeddings);
  }
};

namespace detail {

inline std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

inline std::vector<float> three_numbers(const std::string& text, std::string_view where) {
  std::vector<float> numbers;
  for (const auto& part : split_commas(text)) {
    char* end = nullptr;
    numbers.push_back(std::strtof(part.c_str(), &end));
    check(end != part.c_str() && *end == '\0', where, "expected numbers with commas between, got '",
          text, "'");
  }
  check(numbers.size() == 3, where, "expected 3 numbers, got '", text, "'");
  return numbers;
}

}  // namespace detail

// An EfficientNet with 8 emotions, and valence and arousal where it has 10 outputs. Class order,
// mean, deviation and input size come from the file's metadata, else they are those of the
// published networks.
inline EmotionModel load_emotion_model(const Checkpoint& checkpoint,
                                       const ImportOptions& options = {}) {
  const ImportedModel model = import_checkpoint(checkpoint, options);
  const auto* net = std::get_if<models::EfficientNetOptions>(&model.architecture);
  check(net != nullptr, checkpoint.file, "holds ", architecture_name(model.architecture),
        ", expected an EfficientNet");
  check(net->num_classes > 0, checkpoint.file, "has no classifier");
  const auto told = [&](const std::string& key, const std::string& otherwise) {
    const auto found = model.metadata.find(key);
    return found == model.metadata.end() ? otherwise : found->second;
  };
  EmotionModel emotion;
  emotion.network = load_network<models::EfficientNet<float>>(model, *net);
  emotion.mean = detail::three_numbers(told("mean", "0.485,0.456,0.406"), checkpoint.file);
  emotion.std = detail::three_numbers(told("std", "0.229,0.224,0.225"), checkpoint.file);
  const std::string size = told("input_size", std::to_string(net->input_size()));
  emotion.input_size = std::strtoll(size.c_str(), nullptr, 10);
  check(emotion.input_size >= 32 && emotion.input_size <= 4096, checkpoint.file, "input_size is '",
        size, "', expected 32 to 4096");
  const std::string order = told("class_order", "");
  if (!order.empty()) {
    emotion.class_order = detail::split_commas(order);
  } else if (net->num_classes == 8 || net->num_classes == 10) {
    emotion.class_order.assign(models::affectnet_emotions.begin(),
                               models::affectnet_emotions.end());
  }
  return emotion;
}

}  // namespace mien::weights
