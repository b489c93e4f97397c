#pragma once
// The flags of mien-upscale: those of Real-ESRGAN's inference_realesrgan.py, and mien's own.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mien/infer/upscaler.hpp>

namespace mien::programs {

struct Options {
  std::string input = "inputs", output = "results";
  std::string suffix = "out", extension = "auto";
  std::string model_name = "RealESRGAN_x4plus", model_path;
  float denoise_strength = 0.5f;
  double outscale = 0;                   // 0: the network's scale
  std::optional<std::int64_t> tile;      // empty: what fits into the memory
  std::optional<std::int64_t> tile_pad;  // empty: by the network's receptive field
  std::int64_t pre_pad = 0;
  infer::AlphaUpsampler alpha = infer::AlphaUpsampler::network;
  std::int64_t memory = 0;  // MB; 0: three quarters of what the machine has free
  bool recursive = false, skip_existing = false;
  std::string report;  // JSON file
};

// Reads the command line. An exit code instead of options: the user asked for help, or the line was
// wrong and has been told why.
struct CommandLine {
  Options options;
  std::optional<int> exit_code;
};
CommandLine read_command_line(int argc, char** argv);

}  // namespace mien::programs
