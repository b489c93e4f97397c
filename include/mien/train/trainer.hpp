#pragma once
// Trainer: the loop around a model, an optimizer and a loader.
//
//   train::Trainer<float> trainer(model, adam, {.folder = "run", .epochs = 6, .monitor =
//   "accuracy"}); trainer.use_sam({.rho = 0.05}); trainer.fit(
//       loader,
//       [&](const auto& batch, Generator& random) {
//         return loss::cross_entropy(model.forward(batch.images, random), batch.labels);
//       },
//       [&] { return train::Values{{"accuracy", accuracy_of(model)}}; });
//
// A run that was stopped, by Ctrl-C or by SIGKILL, and is begun again with `resume` ends with the
// same weights, bit for bit, as one that never was.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/nn/module.hpp>
#include <mien/train/interrupt.hpp>
#include <mien/train/progress.hpp>
#include <mien/train/run_folder.hpp>
#include <mien/train/step.hpp>
#include <mien/train/training_state.hpp>

namespace mien::train {

struct TrainerOptions {
  std::string folder =
      {};               // for checkpoints and history (run_folder.hpp); empty: nothing is written
  bool resume = false;  // go on from the folder's newest checkpoint, if there is one
  std::string configuration = {};  // what must be the same to go on: a setting of the run per line

  std::int64_t epochs = 1;
  std::int64_t accumulate = 1;          // batches whose gradients are averaged for a step
  double clip_norm = 0;                 // most length of the gradient; 0: any
  std::uint64_t seed = 0;               // of dropout and the like
  std::int64_t checkpoint_batches = 0;  // between checkpoints within an epoch; 0: one at its end
  int keep_checkpoints = 3;             // the best one apart
  std::string monitor = "loss";         // the value of validation that says which epoch is best
  Goal goal = Goal::minimize;
  std::int64_t patience = 0;  // epochs without a better value that end the run; 0: all
  std::string title = {};     // in front of the progress line
  std::string unit = "img";   // what a batch consists of
  ProgressOptions progress = {};
  std::function<double()> clock = wall_time;  // of the history
};

struct TrainingResult {
  std::int64_t epochs = 0, steps = 0;  // done, those before a resumption included
  std::optional<double> best;          // value of the monitored metric
  std::int64_t best_step = 0;
};

// T: element type of the model's activations; loss, parameters and gradients are Compute<T>.
template <FloatElement T>
class Trainer {
  using C = Compute<T>;

 public:
  // Model and optimizer must outlive this.
  Trainer(nn::Module<T>& model, optim::Optimizer<C>& optimizer, TrainerOptions options)
      : model_(model),
        optimizer_(optimizer),
        options_(std::move(options)),
        stepper_(model, optimizer, options_.clip_norm),
        stopping_(
            {.patience = std::max<std::int64_t>(options_.patience, 1), .goal = options_.goal}),
        progress_(options_.progress) {
    check(options_.epochs >= 0, "train", "expected a number of epochs, got ", options_.epochs);
    check(options_.accumulate >= 1, "train", "expected to accumulate 1 batch or more, got ",
          options_.accumulate);
    state_.generator = Generator(options_.seed);
  }

  void use_sam(const optim::SamOptions& options) { stepper_.use_sam(options); }
  void use_ema(const optim::EmaOptions& options) { stepper_.use_ema(options); }
  // schedule(step) times the optimizer's learning rate is that of the step, counted from 0.
  void use_schedule(std::function<double(std::int64_t)> schedule) {
    stepper_.use_schedule(std::move(schedule));
  }
  // Steps of the optimizer in fit(loader), as a schedule asks for them.
  template <class Loader>
  std::int64_t steps(const Loader& loader) const {
    const std::int64_t accumulate = options_.accumulate;
    return options_.epochs * ((loader.batches() + accumulate - 1) / accumulate);
  }
  // Must outlive this.
  void use_exchange(Exchange<C>& exchange) { stepper_.use_exchange(exchange); }

  // Trains. loss(batch, random) gives a scalar Tensor<C> or LossTerms<C>; random numbers come from
  // `random` alone. validate() gives Values, among them the monitored one; it runs without
  // gradients, in evaluation mode, on averaged weights where there are such. Throws Interrupted,
  // once all is saved, where a signal was caught (catch_interrupts()), and Error where the loss is
  // not finite.
  template <class Loader, class Loss, class Validate>
  TrainingResult fit(const Loader& loader, Loss&& loss, Validate&& validate) {
    check(loader.batches() > 0, "train", "the loader has no batches");
    if (!options_.folder.empty() && folder_ == nullptr) open_folder(loader.batches());
    while (!state_.finished && state_.epoch < options_.epochs) {
      train_epoch(loader, loss);
      try {
        end_epoch(validated(validate));
      } catch (const Interrupted&) {  // validation is done again when the run goes on
        save();
        throw;
      }
    }
    TrainingResult result;
    result.epochs = state_.epoch;
    result.steps = state_.step;
    if (const auto best = stopping_.state().best; best.known) {
      result.best = best.value;
      result.best_step = best.step;
    }
    return result;
  }

  // Puts the weights of the best epoch into the model: the averages where there are such.
  void load_best() {
    check(folder_ != nullptr, "train", "the best weights are kept in a folder, and none was given");
    const auto best =
        read_training_state(folder_->checkpoints().best_path(), options_.configuration);
    model_.load_state_dict(best.model);
    if (auto* ema = stepper_.ema()) {
      ema->load_state_dict(best.ema);
      ema->swap();
    }
  }

 private:
  // Evaluation mode and averaged weights.
  class EvaluationScope {
   public:
    EvaluationScope(nn::Module<T>& model, optim::Ema<T>* ema) : model_(model), ema_(ema) {
      model_.eval();
      if (ema_ != nullptr) ema_->swap();
    }
    ~EvaluationScope() {
      if (ema_ != nullptr) ema_->swap();
      model_.train();
    }
    EvaluationScope(const EvaluationScope&) = delete;
    EvaluationScope& operator=(const EvaluationScope&) = delete;

   private:
    nn::Module<T>& model_;
    optim::Ema<T>* ema_;
  };

  void open_folder(std::int64_t batches) {
    folder_ = std::make_unique<RunFolder>(options_.folder, options_.keep_checkpoints);
    const auto newest = folder_->checkpoints().latest();
    check(!newest || options_.resume, options_.folder,
          "there are checkpoints of a run: resume it or choose another folder");
    if (!newest) return folder_->rewind_history(-1);
    state_ = read_training_state(newest->path, options_.configuration);
    model_.load_state_dict(state_.model);
    optimizer_.load_state_dict(state_.optimizer);
    if (auto* ema = stepper_.ema()) ema->load_state_dict(state_.ema);
    stopping_.restore(state_.stopping);
    state_.model = state_.optimizer = state_.ema = {};
    // An epoch's records come after its last step: they are not there yet.
    folder_->rewind_history(state_.position == batches ? state_.step - 1 : state_.step);
  }

  template <class Loader, class Loss>
  void train_epoch(const Loader& loader, Loss&& loss) {
    model_.train();
    auto epoch = loader.epoch(state_.epoch, state_.position);
    begin_progress(loader);
    std::vector<typename Loader::Batch> group;
    std::int64_t saved = state_.position;
    for (auto& batch : epoch) {
      group.push_back(std::move(batch));
      const bool last = epoch.position() == loader.batches();
      if (static_cast<std::int64_t>(group.size()) < options_.accumulate && !last) continue;
      state_.means.add(stepper_.step(state_.step, group, state_.generator, loss));
      group.clear();
      ++state_.step;
      state_.position = epoch.position();
      show_progress(loader);
      if (const int signal = pending_interrupt(); signal != 0) {
        progress_.clear();
        save();
        throw Interrupted{signal};
      }
      const bool due =
          options_.checkpoint_batches > 0 && state_.position - saved >= options_.checkpoint_batches;
      if (!due || last) continue;
      save();
      saved = state_.position;
    }
    progress_.clear();
  }

  template <class Validate>
  Values validated(Validate&& validate) {
    const NoGrad no_grad;
    const EvaluationScope scope(model_, stepper_.ema());
    return validate();
  }

  // Records the epoch, finds out whether it is the best one, and saves.
  void end_epoch(const Values& validation) {
    const double monitored = monitored_value(validation);
    record("train", state_.means.means());
    record("val", validation);
    const auto before = stopping_.state().best;
    const bool stop = stopping_.update(monitored, state_.step) && options_.patience > 0;
    ++state_.epoch;
    state_.position = 0;
    state_.means = {};
    state_.finished = stop;
    if (folder_ != nullptr) folder_->draw_curves();  // before: a finished run is not gone on with
    save(stopping_.state().best != before);
  }

  double monitored_value(const Values& validation) const {
    for (const auto& [name, value] : validation)
      if (name == options_.monitor) return value;
    fail("train", str("validation gave no '", options_.monitor, "', which is to be monitored"));
  }

  void record(std::string_view phase, Values values) {
    if (phase == "train") values.emplace_back("lr", optimizer_.lr());
    std::string line = str(title(), ' ', phase);
    for (const auto& [name, value] : values) line += str("  ", name, ' ', significant(value, 4));
    progress_.print(line);
    if (folder_ != nullptr)
      folder_->write({.epoch = state_.epoch + 1,
                      .step = state_.step,
                      .time = options_.clock(),
                      .phase = std::string(phase),
                      .values = std::move(values)});
  }

  void save(bool best = false) {
    if (folder_ == nullptr) return;
    TrainingState state = state_;
    state.model = model_.state_dict();
    state.optimizer = optimizer_.state_dict();
    if (auto* ema = stepper_.ema()) state.ema = ema->state_dict();
    state.stopping = stopping_.state();
    const auto write = [&](const std::string& path) {
      write_training_state(path, state, options_.configuration);
    };
    folder_->checkpoints().save(state_.step, write, best);
  }

  std::string title() const {
    return str(options_.title, options_.title.empty() ? "" : " ", "epoch ", state_.epoch + 1, '/',
               options_.epochs);
  }

  template <class Loader>
  double examples_done(const Loader& loader) const {
    return static_cast<double>(
        std::min(state_.position * loader.options().batch_size, loader.examples()));
  }
  template <class Loader>
  void begin_progress(const Loader& loader) {
    progress_.begin({.label = title(),
                     .total = static_cast<double>(loader.examples()),
                     .unit = options_.unit,
                     .done = examples_done(loader)});
  }
  template <class Loader>
  void show_progress(const Loader& loader) {
    const double loss = state_.means.sums.front().second / static_cast<double>(state_.means.steps);
    progress_.update(examples_done(loader), "loss " + significant(loss, 4));
  }

  nn::Module<T>& model_;
  optim::Optimizer<C>& optimizer_;
  TrainerOptions options_;
  Stepper<T> stepper_;
  EarlyStopping stopping_;
  Progress progress_;
  std::unique_ptr<RunFolder> folder_;
  TrainingState state_;
};

}  // namespace mien::train
