#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace mien::programs {
namespace {

constexpr int usage_error = 2;

std::optional<std::int64_t> number_or_auto(const std::string& text, const std::string& flag) {
  if (text == "auto") return {};
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0)
    throw CLI::ValidationError(flag, "expected a number of pixels or auto, got " + text);
  return value;
}

void add_original_flags(CLI::App& app, Options& o) {
  app.add_option("-i,--input", o.input, "Image or folder")->capture_default_str();
  app.add_option("-o,--output", o.output, "Folder for the results")->capture_default_str();
  app.add_option("-n,--model_name", o.model_name,
                 "Network, found as ./weights/NAME.pth and the like")
      ->capture_default_str();
  app.add_option("--model_path", o.model_path,
                 "Weight file of any supported format, instead of -n");
  app.add_option("--denoise_strength", o.denoise_strength,
                 "0 keeps noise, 1 removes most; also -dn; for realesr-general-x4v3 alone")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("-s,--outscale", o.outscale, "Final scale; default: the network's own")
      ->check(CLI::PositiveNumber);
  app.add_option("--suffix", o.suffix, "Results are NAME_SUFFIX.EXT; '' for NAME.EXT")
      ->capture_default_str();
  app.add_option("--ext", o.extension, "auto (as the input), jpg or png; alpha makes it png")
      ->check(CLI::IsMember({"auto", "jpg", "png"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
      "-t,--tile", [&o](const std::string& text) { o.tile = number_or_auto(text, "--tile"); },
      "Side of a tile, 0 for none; default: auto, by --memory");
  app.add_option_function<std::string>(
      "--tile_pad",
      [&o](const std::string& text) { o.tile_pad = number_or_auto(text, "--tile_pad"); },
      "Pixels seen around a tile; default: auto, by the network");
  app.add_option("--pre_pad", o.pre_pad, "Pixels reflected at the right and bottom")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--alpha_upsampler",
         [&o](const std::string& name) {
           o.alpha =
               name == "bicubic" ? infer::AlphaUpsampler::bicubic : infer::AlphaUpsampler::network;
         },
         "For the alpha channel: realesrgan (default) or bicubic")
      ->check(CLI::IsMember({"realesrgan", "bicubic"}));
  app.add_flag_callback(
      "--fp32", [] {}, "Compute in float32, as this program does in any case");
  app.add_flag_callback(
      "--face_enhance",
      [] {
        throw CLI::ValidationError(
            "--face_enhance", "face restoration (GFPGAN) is not part of mien; leave the flag out");
      },
      "Not part of mien");
  app.add_option_function<std::string>(
      "-g,--gpu-id",
      [](const std::string& id) {
        if (id != "cpu" && id != "-1")
          throw CLI::ValidationError("--gpu-id",
                                     "this program runs on the CPU: cpu or -1, got " + id);
      },
      "cpu or -1: this program runs on the CPU");
}

void add_own_flags(CLI::App& app, Options& o) {
  const std::string own = "Beyond inference_realesrgan.py";
  app.add_option("--memory", o.memory, "Memory to stay in, MB; default: 3/4 of what is free")
      ->check(CLI::PositiveNumber)
      ->group(own);
  app.add_flag("-r,--recursive", o.recursive, "Also the folders inside the input folder")
      ->group(own);
  app.add_flag("--skip-existing", o.skip_existing, "Leave results alone that are there")
      ->group(own);
  app.add_option("--json", o.report, "Write a report to this file")->group(own);
}

// The original writes -dn for what is a long flag elsewhere.
std::string without_single_dash(std::string argument) {
  const bool denoise = argument == "-dn" || argument.starts_with("-dn=");
  return denoise ? "--denoise_strength" + argument.substr(3) : argument;
}

}  // namespace

CommandLine read_command_line(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Enlarges images by a Real-ESRGAN network.", "mien-upscale");
  app.set_version_flag("--version", str("mien-upscale ", MIEN_VERSION_MAJOR, ".",
                                        MIEN_VERSION_MINOR, ".", MIEN_VERSION_PATCH));
  add_original_flags(app, line.options);
  add_own_flags(app, line.options);

  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::transform(arguments.begin(), arguments.end(), arguments.begin(), without_single_dash);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;
    app.exit(error);
    line.exit_code = asked ? 0 : usage_error;
  }
  return line;
}

}  // namespace mien::programs
