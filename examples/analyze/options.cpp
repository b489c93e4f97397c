#include "options.hpp"

#include <mien/config.hpp>
#include <mien/core/error.hpp>

#include <CLI/CLI.hpp>

namespace mien::programs {

CommandLine read_command_line(int argc, char** argv) {
  constexpr int usage_error = 2;
  CommandLine line;
  Options& o = line.options;
  CLI::App app("Tells the emotion, valence and arousal of faces.", "mien-analyze");
  app.set_version_flag("--version", str("mien-analyze ", MIEN_VERSION_MAJOR, '.',
                                        MIEN_VERSION_MINOR, '.', MIEN_VERSION_PATCH));
  app.add_option("inputs", o.inputs, "Images of faces, or folders of them")
      ->type_name("IMAGE|FOLDER")
      ->required();
  app.add_option("--weights", o.weights, "Weight file of any supported format")->required();
  app.add_flag("-r,--recursive", o.recursive, "Also the folders inside the folders");
  app.add_flag("--json", o.json, "One JSON object per line, with all scores and logits");
  app.add_option("--embeddings", o.embeddings, "Write embeddings and logits to this .safetensors");
  app.add_option("--sheet", o.sheet, "Draw all faces with their emotions into this .svg");
  app.add_option("--batch", o.batch, "Images at a time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();

  const std::string group = "Instead of what the weight file says";
  app.add_option("--arch", o.architecture, "Architecture, such as efficientnet_b0")->group(group);
  app.add_option("--source", o.source, "Who trained it")
      ->check(CLI::IsMember({"timm-tf", "timm", "torchvision", "lukemelas"}))
      ->group(group);
  app.add_option_function<std::string>(
         "--class-order",
         [&o](const std::string& names) { o.class_order = CLI::detail::split(names, ','); },
         "Emotions in the order of the outputs: A,B,C")
      ->group(group);
  app.add_option("--input-size", o.input_size, "Side of the network's input, pixels")
      ->check(CLI::Range(32, 4096))
      ->group(group);
  for (const auto& [flag, numbers] : {std::pair("--mean", &o.mean), std::pair("--std", &o.std)})
    app.add_option(flag, *numbers, "Of red, green, blue in 0 to 1: R,G,B")
        ->delimiter(',')
        ->expected(3)
        ->group(group);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;
    app.exit(error);
    line.exit_code = asked ? 0 : usage_error;
  }
  return line;
}

}  // namespace mien::programs
