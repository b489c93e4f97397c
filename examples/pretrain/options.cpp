#include "options.hpp"

#include <map>

#include <mien/config.hpp>
#include <mien/core/error.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace mien::programs {

namespace {

using optim::SamBatchNorm;

const std::map<std::string, SamBatchNorm> sam_modes = {{"both", SamBatchNorm::both},
                                                       {"first", SamBatchNorm::first},
                                                       {"running", SamBatchNorm::running}};
const std::map<std::string, loss::ClassReduction> reductions = {
    {"weighted-mean", loss::ClassReduction::weighted_mean}, {"mean", loss::ClassReduction::mean}};

template <class T>
std::string name_in(const std::map<std::string, T>& names, T value) {
  for (const auto& [name, known] : names)
    if (known == value) return name;
  return {};
}

// Turns a name of the map into its value; the help lists the names.
template <class T>
CLI::Validator names_of(const std::map<std::string, T>& names) {
  std::string list;
  for (const auto& [name, value] : names) list += (list.empty() ? "{" : ",") + name;
  return CLI::Validator(CLI::CheckedTransformer(names)).description(list + '}');
}

void add_data(CLI::App& app, Options& o) {
  app.add_option("data", o.data, "AffectNet's folder, in any of its releases")
      ->type_name("FOLDER")
      ->required();
  app.add_option("-o,--out", o.out, "Folder of the run: model, history, curves, checkpoints")
      ->type_name("FOLDER")
      ->required();
  app.add_flag("--resume", o.resume, "Go on where the run in --out stopped");
  app.add_flag("--evaluate", o.evaluate, "Measure --weights on the validation part, train nothing");
  app.add_flag("--lenient", o.lenient, "Leave out rows that cannot be read, and say how many");
  app.add_option("--cache", o.cache, "Keep decoded faces in this file, or in memory: 'memory'")
      ->type_name("FILE|memory");
  app.add_option("--workers", o.workers, "Threads that load images")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
}

void add_network(CLI::App& app, Options& o) {
  const std::string group = "Network";
  app.add_option("--weights", o.weights,
                 "Start from this file, of any supported format (face identification, or a network "
                 "trained before); without: from scratch")
      ->group(group);
  app.add_option("--size", o.size, "Side of the network's input, pixels")
      ->check(CLI::Range(32, 1024))
      ->capture_default_str()
      ->group(group);
  for (const auto& [flag, scale] : {std::pair("--width", &o.width), std::pair("--depth", &o.depth)})
    app.add_option(flag, *scale, "Scale of B0's channels (--width) and blocks (--depth)")
        ->check(CLI::Range(0.1, 4.0))
        ->group(group);
  app.add_option("--dropout", o.dropout, "Before the last layer")
      ->check(CLI::Range(0.0, 0.99))
      ->group(group);
  app.add_option("--drop-path", o.drop_path, "Of the last block")
      ->check(CLI::Range(0.0, 0.99))
      ->capture_default_str()
      ->group(group);
}

void add_training(CLI::App& app, Options& o) {
  const std::string group = "Training";
  const auto option = [&](const std::string& flag, auto& value, const std::string& text) {
    return app.add_option(flag, value, text)->capture_default_str()->group(group);
  };
  const CLI::Validator at_least_0(
      [](const std::string& text) {
        return text.starts_with('-') ? "expected a number from 0, got " + text : std::string();
      },
      "");
  option("--head-epochs", o.head_epochs, "Epochs in which the last layer alone is trained")
      ->check(at_least_0);
  option("--epochs", o.epochs, "Epochs of all weights, after those")->check(at_least_0);
  option("--batch", o.batch, "Faces in a batch")->check(CLI::Range(2, 65536));
  option("--accumulate", o.accumulate, "Batches for a step (the CCC is that of each batch)")
      ->check(CLI::Range(1, 65536));
  option("--optimizer", o.optimizer, "adam, adamw or sgd")
      ->check(CLI::IsMember({"adam", "adamw", "sgd"}));
  option("--head-lr", o.head_lr, "Learning rate of the last layer alone")->check(at_least_0);
  option("--lr", o.lr, "Learning rate of all weights")->check(at_least_0);
  option("--schedule", o.schedule, "constant or cosine")
      ->check(CLI::IsMember({"constant", "cosine"}));
  option("--warmup", o.warmup, "Steps in which the learning rate rises")->check(at_least_0);
  option("--momentum", o.momentum, "Of sgd")->check(CLI::Range(0.0, 1.0));
  option("--weight-decay", o.weight_decay, "Not of biases and batch norm")->check(at_least_0);
  option("--rho", o.rho, "Radius of SAM; 0: without SAM")->check(at_least_0);
  app.add_flag("--adaptive", o.adaptive, "Adaptive SAM")->group(group);
  app.add_option("--sam-bn", o.sam_batch_norm,
                 "Batch norm in SAM's second pass: moves its statistics as in the first (both, as "
                 "published), leaves them (first), or uses them (running)")
      ->transform(names_of(sam_modes))
      ->default_str("both")
      ->group(group);
  app.add_option("--reduction", o.reduction,
                 "Of the weighted cross-entropy: weighted-mean, as published, or mean, as equation "
                 "(1)")
      ->transform(names_of(reductions))
      ->default_str("weighted-mean")
      ->group(group);
  option("--label-smoothing", o.label_smoothing, "Share of each label that all classes get")
      ->check(CLI::Range(0.0, 1.0));
  option("--clip", o.clip, "Most length of the gradient; 0: any")->check(at_least_0);
  option("--ema", o.ema, "Decay of averaged weights; 0: none")->check(CLI::Range(0.0, 1.0));
  app.add_flag("--augment", o.augment, "Colour jitter and mirroring")->group(group);
  option("--patience", o.patience, "Epochs without a better accuracy that end a stage; 0: none")
      ->check(at_least_0);
  option("--checkpoint-batches", o.checkpoint_batches, "Batches between two checkpoints")
      ->check(at_least_0);
  option("--seed", o.seed, "Of all random numbers");
}

}  // namespace

CommandLine read_command_line(int argc, char** argv) {
  constexpr int usage_error = 2;
  CommandLine line;
  CLI::App app("Trains MT-EmotiEffNet (expression, valence, arousal) on AffectNet.",
               "mien-pretrain");
  app.set_version_flag("--version", str("mien-pretrain ", MIEN_VERSION_MAJOR, '.',
                                        MIEN_VERSION_MINOR, '.', MIEN_VERSION_PATCH));
  add_data(app, line.options);
  add_network(app, line.options);
  add_training(app, line.options);
  try {
    app.parse(argc, argv);
    if (line.options.evaluate && line.options.weights.empty())
      throw CLI::ValidationError("--evaluate", "needs --weights");
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;
    app.exit(error);
    line.exit_code = asked ? 0 : usage_error;
  }
  return line;
}

std::string configuration(const Options& o) {
  const nlohmann::ordered_json json{{"data", o.data},
                                    {"weights", o.weights},
                                    {"lenient", o.lenient},
                                    {"size", o.size},
                                    {"width", o.width},
                                    {"depth", o.depth},
                                    {"dropout", o.dropout},
                                    {"drop_path", o.drop_path},
                                    {"head_epochs", o.head_epochs},
                                    {"epochs", o.epochs},
                                    {"batch", o.batch},
                                    {"accumulate", o.accumulate},
                                    {"optimizer", o.optimizer},
                                    {"head_lr", o.head_lr},
                                    {"lr", o.lr},
                                    {"schedule", o.schedule},
                                    {"warmup", o.warmup},
                                    {"momentum", o.momentum},
                                    {"weight_decay", o.weight_decay},
                                    {"rho", o.rho},
                                    {"adaptive", o.adaptive},
                                    {"sam_bn", name_in(sam_modes, o.sam_batch_norm)},
                                    {"reduction", name_in(reductions, o.reduction)},
                                    {"label_smoothing", o.label_smoothing},
                                    {"clip", o.clip},
                                    {"ema", o.ema},
                                    {"augment", o.augment},
                                    {"patience", o.patience},
                                    {"seed", o.seed}};
  std::string lines;
  for (const auto& [name, value] : json.items()) lines += mien::str(name, ' ', value.dump(), '\n');
  return lines;
}

}  // namespace mien::programs
