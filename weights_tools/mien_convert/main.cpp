// mien-convert: lists, checks and converts weight files; see docs/weights.md.

#include <mien/weights/native.hpp>
#include <mien/weights/read.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "report.hpp"

namespace {

using namespace mien;

struct Options {
  std::string input, output;
  bool list = false, check = false;
  std::string architecture, source, dtype, class_order;
};

void declare(CLI::App& app, Options& options) {
  std::vector<std::string> sources;
  for (const auto& [name, source] : models::source_names) sources.emplace_back(name);
  app.add_option("IN", options.input, "PyTorch, safetensors, ONNX or ncnn file")->required();
  app.add_option("OUT", options.output, "safetensors file to write");
  auto* list = app.add_flag("--list", options.list, "print the tensors of IN");
  app.add_flag("--check", options.check, "recognise the network in IN and say what it lacks")
      ->excludes(list);
  app.add_option(
      "--arch", options.architecture,
      "the network that IN must hold: efficientnet_b0 to _b7, rrdbnet, srvggnet_compact");
  app.add_option("--source", options.source, "who trained an EfficientNet")
      ->check(CLI::IsMember(sources));
  app.add_option("--dtype", options.dtype, "type of the floating-point tensors in OUT")
      ->check(CLI::IsMember({"f32", "bf16", "f16"}));
  app.add_option("--class-order", options.class_order,
                 "names of the first classes, with commas between them, for OUT");
}

weights::ImportOptions import_options(const Options& options) {
  weights::ImportOptions result{options.architecture, {}};
  if (!options.source.empty()) result.source = models::parse_source(options.source);
  return result;
}

DType parse_dtype(std::string_view name) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16})
    if (to_string(dtype) == name) return dtype;
  fail("--dtype", name);
}

// Class names go with outputs; there cannot be more of them.
void set_class_order(weights::ImportedModel& model, const std::string& names) {
  const auto* net = std::get_if<weights::EfficientNetOptions>(&model.architecture);
  const auto count = std::count(names.begin(), names.end(), ',') + 1;
  check(net != nullptr && count <= net->num_classes, model.file, "has no ", count, " classes");
  model.metadata["class_order"] = names;
}

void print_notes(const weights::ImportedModel& model) {
  for (const auto& note : model.notes)
    std::fprintf(stderr, "%s: note: %s\n", model.file.c_str(), note.c_str());
  for (const auto& name : model.unexpected)
    std::fprintf(stderr, "%s: left out: %s\n", model.file.c_str(), name.c_str());
}

void convert(const Options& options, weights::ImportedModel model) {
  weights::require_complete(model);
  if (!options.dtype.empty()) {
    const DType dtype = parse_dtype(options.dtype);
    for (auto& [name, tensor] : model.tensors)
      tensor = weights::with_float_dtype(tensor, dtype, str(model.file, ": tensor ", name));
  }
  if (!options.class_order.empty()) set_class_order(model, options.class_order);
  weights::write_native(options.output, model);
  print_notes(model);
  std::printf("%s: %s, %zu tensors\n", options.output.c_str(),
              weights::architecture_name(model.architecture).c_str(), model.tensors.size());
}

int run(const Options& options) {
  const weights::Checkpoint checkpoint = weights::read_checkpoint(options.input);
  if (options.list) {
    std::fputs(programs::listing(checkpoint).c_str(), stdout);
    return 0;
  }
  weights::ImportedModel model = weights::import_checkpoint(checkpoint, import_options(options));
  if (options.check) {
    const programs::Examination result = programs::examine(model);
    std::fputs(result.text.c_str(), stdout);
    return result.ok ? 0 : 1;
  }
  convert(options, std::move(model));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Reads weight files of other programs, executing nothing, and writes safetensors.");
  Options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
    const bool reads_only = options.list || options.check;
    if (reads_only != options.output.empty())
      throw CLI::ValidationError(reads_only ? "OUT cannot be given with --list and --check"
                                            : "OUT is required");
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mien-convert: %s\n", error.what());
    return 1;
  }
}
