// mien-pretrain: trains MT-EmotiEffNet on AffectNet as the paper does: first the last layer alone,
// then all weights, by the sum of weighted cross-entropy and concordance losses (equation 1), with
// SAM around Adam; keeps the epoch of the best accuracy.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <mien/core/parallel.hpp>
#include <mien/loss/class_weights.hpp>
#include <mien/optim/adam.hpp>
#include <mien/optim/parameter_groups.hpp>
#include <mien/optim/schedule.hpp>
#include <mien/optim/sgd.hpp>
#include <mien/train/trainer.hpp>

#include "evaluation.hpp"
#include "faces.hpp"
#include "network.hpp"
#include "options.hpp"

namespace {

using namespace mien;
using namespace mien::programs;

struct Stage {
  std::string name;
  std::int64_t epochs;
  double lr;
  bool head_only;
};

std::unique_ptr<optim::Optimizer<float>> make_optimizer(const Options& o, Network& network,
                                                        double lr) {
  const auto groups = optim::decay_groups(network);
  if (o.optimizer == "sgd")
    return std::make_unique<optim::Sgd<float>>(
        groups,
        optim::SgdOptions{.lr = lr, .momentum = o.momentum, .weight_decay = o.weight_decay});
  return std::make_unique<optim::Adam<float>>(
      groups, optim::AdamOptions{
                  .lr = lr, .weight_decay = o.weight_decay, .decoupled = o.optimizer == "adamw"});
}

std::function<double(std::int64_t)> make_schedule(const Options& o, std::int64_t steps) {
  if (o.schedule == "cosine")
    return optim::Warmup<optim::Cosine>{
        .steps = o.warmup, .then = {.steps = std::max<std::int64_t>(steps - o.warmup, 1)}};
  return optim::Warmup<>{.steps = o.warmup};
}

data::LoaderOptions loader_options(const Options& o, bool training) {
  return {.batch_size = o.batch,
          .shuffle = training,
          .drop_last = training,  // a batch of one face has no statistics
          .seed = o.seed,
          .workers = o.workers};
}

class Pretraining {
 public:
  Pretraining(const Options& options, Network& network, const FaceLoader& validation)
      : options_(options),
        network_(network),
        faces_(options, affect::Split::train, options.augment),
        train_(faces_, loader_options(options, true)),
        validation_(validation) {
    check(train_.batches() > 0, options.data, "the train part has ", faces_.size(),
          " faces, expected a batch of ", options.batch, " at least");
    loss_.cross_entropy = {.weight = loss::class_weights(faces_.class_counts()),
                           .label_smoothing = options.label_smoothing,
                           .reduction = options.reduction};
    std::printf("training:   %s\n", faces_.summary().c_str());
    std::fflush(stdout);  // before the lines of progress, which are not buffered
  }

  // Leaves the weights of the stage's best epoch in the network.
  void run(const Stage& stage) {
    if (stage.epochs == 0) return;
    optim::set_requires_grad(network_, "*", !stage.head_only);
    optim::set_requires_grad(network_, "classifier.*", true);
    const auto optimizer = make_optimizer(options_, network_, stage.lr);
    train::Trainer<float> trainer(network_, *optimizer,
                                  {.folder = options_.out + '/' + stage.name,
                                   .resume = options_.resume,
                                   .configuration = configuration(options_),
                                   .epochs = stage.epochs,
                                   .accumulate = options_.accumulate,
                                   .clip_norm = options_.clip,
                                   .seed = options_.seed,
                                   .checkpoint_batches = options_.checkpoint_batches,
                                   .monitor = "accuracy",
                                   .goal = train::Goal::maximize,
                                   .patience = options_.patience,
                                   .title = stage.name});
    if (options_.rho > 0)
      trainer.use_sam({.rho = options_.rho,
                       .adaptive = options_.adaptive,
                       .batch_norm = options_.sam_batch_norm});
    if (options_.ema > 0) trainer.use_ema({.decay = options_.ema});
    trainer.use_schedule(make_schedule(options_, trainer.steps(train_)));
    trainer.fit(
        train_, [&](const FaceBatch& batch, Generator& random) { return loss(batch, random); },
        [&] { return values_of(evaluate(network_, validation_)); });
    trainer.load_best();
  }

 private:
  train::LossTerms<float> loss(const FaceBatch& batch, Generator& random) const {
    const auto terms = loss_(network_.forward(batch.images, random), batch.labels);
    const auto number = [](const Tensor<float>& x) { return double{x.item()}; };
    return {.total = terms.total,
            .parts = {{"cross_entropy", number(terms.expression)},
                      {"ccc_valence", 1 - number(terms.valence)},
                      {"ccc_arousal", 1 - number(terms.arousal)}}};
  }

  const Options& options_;
  Network& network_;
  Faces faces_;
  FaceLoader train_;
  const FaceLoader& validation_;
  loss::AffectLoss loss_;
};

int run(const Options& options) {
  Network network = make_network(options);
  std::filesystem::create_directories(options.out);
  const Faces faces(options, affect::Split::validation, false);
  const FaceLoader validation(faces, loader_options(options, false));
  std::printf("validation: %s\n", faces.summary().c_str());
  if (!options.evaluate) {
    Pretraining pretraining(options, network, validation);
    pretraining.run({"head", options.head_epochs, options.head_lr, true});
    pretraining.run({"all", options.epochs, options.lr, false});
  }
  network.eval();
  const auto scores = evaluate(network, validation);
  write_evaluation(options.out, scores);
  std::printf("\n%s", report(scores).c_str());
  if (options.evaluate) return 0;
  const std::string path = options.out + "/model.safetensors";
  write_network(path, network, options);
  std::printf("\n%s\n", path.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const CommandLine line = read_command_line(argc, argv);
  if (line.exit_code) return *line.exit_code;
  train::catch_interrupts();
  try {
    return run(line.options);
  } catch (const train::Interrupted& stopped) {
    std::fprintf(stderr, "mien-pretrain: stopped; --resume goes on from there\n");
    return stopped.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mien-pretrain: %s\n", error.what());
    return 1;
  }
}
