#include "network.hpp"

#include <mien/weights/interpolate.hpp>
#include <mien/weights/load_model.hpp>
#include <mien/weights/read.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace mien::programs {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view denoising = "realesr-general-x4v3";
constexpr std::string_view keeping_noise = "realesr-general-wdn-x4v3";

// The weight file of a network: ./weights first, then the folder that MIEN_DATA names.
std::string find_weights(const std::string& name) {
  constexpr std::array endings = {".safetensors", ".pth", ".pt", ".param"};
  std::vector<fs::path> folders = {"weights"};
  if (const char* data = std::getenv("MIEN_DATA"); data != nullptr && *data != '\0')
    folders.push_back(fs::path(data) / "weights");
  for (const fs::path& folder : folders)
    for (const std::string_view ending : endings)
      if (const fs::path path = folder / (name + std::string(ending)); fs::is_regular_file(path))
        return path.string();
  std::string looked;
  for (const fs::path& folder : folders)
    looked += (looked.empty() ? "" : " or ") + (folder / name).string();
  fail("weights", str("no weights for ", name, ": looked for ", looked,
                      " with the ending .safetensors, .pth, .pt or .param; nothing is downloaded: "
                      "put the file there or name it by --model_path"));
}

std::string weight_file(const Options& options) {
  // As the original does, what follows the first dot is dropped: NAME.pth is NAME.
  if (options.model_path.empty())
    return find_weights(options.model_name.substr(0, options.model_name.find('.')));
  check(options.model_path.find("://") == std::string::npos, options.model_path,
        "is an address; nothing is downloaded: fetch the file and name it");
  return options.model_path;
}

}  // namespace

Network load_network(const Options& options) {
  std::string file = weight_file(options);
  weights::Checkpoint checkpoint = weights::read_checkpoint(file);
  const std::size_t at = file.find(denoising);
  if (at != std::string::npos && options.denoise_strength < 1) {
    std::string partner = file;
    partner.replace(at, denoising.size(), keeping_noise);
    check(fs::is_regular_file(partner), partner, "is needed for a denoise strength of ",
          options.denoise_strength, "; -dn 1 does without it");
    checkpoint = weights::interpolate(checkpoint, weights::read_checkpoint(partner),
                                      options.denoise_strength);
    file += " + " + partner;
  }
  const weights::SuperResolutionModel model = weights::load_super_resolution(checkpoint);
  return {
      std::move(file), model.architecture, {model.forward, model.scale, model.receptive_radius}};
}

}  // namespace mien::programs
