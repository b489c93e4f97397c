// Freshly initialised networks, for trying mien-upscale and mien-analyze where no weights are.

#include <filesystem>

#include <mien/core/random.hpp>
#include <mien/models/emotieffnet.hpp>
#include <mien/models/srvgg.hpp>
#include <mien/weights/native.hpp>

#include "files.hpp"
#include "layouts.hpp"

namespace mien::synth {
namespace {

template <class Network>
void write_network(const std::string& path, Network network,
                   const weights::Architecture& architecture) {
  weights::ImportedModel model;
  model.file = path;
  model.format = "freshly initialised";
  model.architecture = architecture;
  model.tensors = network.state_dict();
  weights::write_native(path, model);
  say(path + ": " + weights::architecture_name(architecture));
}

}  // namespace

void write_networks(const std::string& out, std::uint64_t seed) {
  const std::string folder = out + "/weights";
  std::filesystem::create_directories(folder);
  manual_seed(seed);
  const models::SrvggOptions compact{.num_feat = 16, .num_conv = 4};
  write_network(folder + "/upscale.safetensors", models::SrvggNetCompact<float>(compact), compact);
  const auto emotions = models::mt_emotieffnet_options();
  models::EfficientNet<float> analyze(emotions);
  analyze.initialize(default_generator());
  write_network(folder + "/analyze.safetensors", analyze, emotions);
}

}  // namespace mien::synth
