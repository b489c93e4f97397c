#include "network.hpp"

#include <cmath>
#include <cstdio>
#include <utility>

#include <mien/affect/label_orders.hpp>
#include <mien/weights/native.hpp>

namespace mien::programs {

namespace {

// Random values, the last layer's as PyTorch draws those of a new linear layer: with few outputs
// timm's are so large that concordance has next to no gradient.
void initialize(Network& network, std::uint64_t seed) {
  Generator random(seed);
  network.initialize(random);
  const double bound = 1 / std::sqrt(static_cast<double>(network.num_features()));
  nn::uniform_init(network.classifier.weight, bound, random);
  nn::uniform_init(network.classifier.bias, bound, random);
}

}  // namespace

Network make_network(const Options& options) {
  models::EfficientNetOptions net = models::mt_emotieffnet_options();
  net.dropout = options.dropout;
  net.drop_path = options.drop_path;
  net.width = options.width;
  net.depth = options.depth;
  if (options.weights.empty()) {
    Network network(net);
    initialize(network, options.seed);
    return network;
  }
  const auto imported = weights::import_file(options.weights);
  const auto* found = std::get_if<models::EfficientNetOptions>(&imported.architecture);
  check(found != nullptr, options.weights, "holds ",
        weights::architecture_name(imported.architecture), ", expected an EfficientNet");
  check(!imported.folded_bn, options.weights,
        "batch norm is folded into the convolutions: fit for inference, not for training");
  const bool whole = found->num_classes == net.num_classes;
  const models::EfficientNetOptions chosen = net;
  net = *found;
  net.num_classes = chosen.num_classes;
  net.dropout = chosen.dropout;
  net.drop_path = chosen.drop_path;
  Network network(net);
  initialize(network, options.seed);
  nn::StateDict state = imported.tensors;
  if (!whole)
    std::erase_if(state, [](const auto& entry) { return entry.first.starts_with("classifier."); });
  network.load_state_dict(state, whole);
  if (!whole) std::printf("the last layer is a new one\n");
  return network;
}

void write_network(const std::string& path, Network& network, const Options& options) {
  weights::ImportedModel model;
  model.file = path;
  model.format = "mien-pretrain";
  model.architecture = network.options();
  model.tensors = network.state_dict();
  model.metadata["input_size"] = std::to_string(options.size);
  std::string& order = model.metadata["class_order"];
  for (const auto name : affect::affectnet8_outputs)
    order += (order.empty() ? "" : ",") + std::string(name);
  weights::write_native(path, model);
}

}  // namespace mien::programs
