#pragma once
// mien's programs, and files for them to work on.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>
#include <mien/io/safetensors.hpp>
#include <mien/nn/state_dict.hpp>
#include <mien/weights/architecture.hpp>
#include <support/images.hpp>
#include <support/process.hpp>
#include <support/temporary_folder.hpp>

namespace mien::test {

// Where the programs are: MIEN_BIN_DIR, else the folder bin beside that of the tests.
inline std::filesystem::path program_folder() {
  if (const char* folder = std::getenv("MIEN_BIN_DIR"); folder != nullptr && *folder != '\0')
    return folder;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin";
}

// Runs mien-NAME with these arguments.
inline ProcessResult run_program(const std::string& name, std::vector<std::string> arguments,
                                 const ProcessOptions& options = {}) {
  arguments.insert(arguments.begin(), (program_folder() / ("mien-" + name)).string());
  return run_process(arguments, options);
}

// Random weights for tensors of these names and shapes.
inline nn::StateDict random_weights(const std::vector<weights::ExpectedTensor>& tensors,
                                    std::uint64_t seed) {
  Generator random(seed);
  nn::StateDict dict;
  for (const auto& [name, shape, optional] : tensors) {
    if (optional) continue;
    float low = -0.1f, high = 0.1f;  // biases, means
    if (shape.rank() >= 2) {
      high = std::sqrt(3.0f * static_cast<float>(shape[0]) / static_cast<float>(shape.numel()));
      low = -high;
    } else if (name.ends_with("weight") || name.ends_with("running_var")) {
      low = 0.5f, high = 1.0f;
    }
    dict.emplace_back(name, rand<float>(shape, random, low, high));
  }
  return dict;
}

// Writes the weights of a small super-resolution network.
inline std::string write_upscaler(const std::string& path, int scale = 4, std::uint64_t seed = 1,
                                  std::int64_t width = 8) {
  const models::SrvggOptions network{.upscale = scale, .num_feat = width, .num_conv = 2};
  io::write_safetensors(path, {random_weights(weights::expected_tensors(network), seed), {}});
  return path;
}

// Writes the weights of an EfficientNet-B0 with so many outputs.
inline std::string write_classifier(const std::string& path, std::int64_t outputs,
                                    std::map<std::string, std::string> metadata = {}) {
  const models::EfficientNetOptions network{.variant = 0, .num_classes = outputs};
  io::write_safetensors(
      path, {random_weights(weights::expected_tensors(network), 3), std::move(metadata)});
  return path;
}

// The bytes of files that are named like images and are none, by name.
inline std::map<std::string, std::string> bad_images(const TemporaryFolder& folder) {
  const std::string whole = folder / "whole.png";
  data::write_image(whole, picture(40, 30));
  std::ifstream file(whole, std::ios::binary);
  const std::string png((std::istreambuf_iterator<char>(file)), {});
  std::filesystem::remove(whole);
  std::string huge = png;
  huge.replace(16, 8, std::string("\x7f\xff\xff\xff\x7f\xff\xff\xff", 8));  // width and height
  return {{"empty.png", ""},
          {"huge.png", huge},
          {"text.png", "this is no image"},
          {"truncated.png", png.substr(0, png.size() / 2)}};
}

// The paths of all files in a folder and its folders, relative to it, sorted.
inline std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (!entry.is_directory())
      files.push_back(entry.path().lexically_relative(folder).generic_string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace mien::test
