#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include <mien/data/loader.hpp>
#include <mien/loss/cross_entropy.hpp>
#include <mien/mien.hpp>
#include <mien/optim/adam.hpp>
#include <mien/optim/schedule.hpp>
#include <mien/train/trainer.hpp>

#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"
#include "train/killed.hpp"

namespace {

using namespace mien;
using test::TemporaryFolder;
using test::thrown;

// Points on which noise is drawn anew in each epoch; the class is the side of a line.
struct Points {
  std::int64_t size() const { return 50; }
  std::tuple<Tensor<float>, Tensor<std::int64_t>> get(std::int64_t index, Generator& random) const {
    Generator own = Generator(3).stream(static_cast<std::uint64_t>(index));
    const auto x = rand<float>({4}, own, -1, 1);
    const auto noise = rand<float>({4}, random, -0.1f, 0.1f);
    return {x + noise, Tensor<std::int64_t>::scalar(x(0) + x(1) > 0)};
  }
};

class Network : public nn::Module<float> {
 public:
  Network() {
    Generator random(5);
    for (auto* layer : {&fc1, &fc2}) {
      nn::uniform_init(layer->weight, 0.5, random);
      nn::uniform_init(layer->bias, 0.5, random);
    }
  }
  Tensor<float> forward(const Tensor<float>& x, Generator& random) const {
    const auto y = norm.forward(fc1.forward(x), Activation::relu);
    return fc2.forward(training() ? dropout(y, 0.25, random) : y);
  }
  void parts(nn::Parts<float>& p) override {
    p.child("fc1", fc1).child("norm", norm).child("fc2", fc2);
  }

  nn::Linear<float> fc1{{.in = 4, .out = 8}}, fc2{{.in = 8, .out = 2}};
  nn::BatchNorm2d<float> norm{{.channels = 8}};
};

// A run with everything in it that has a state.
struct PointsRun {
  Points points;
  data::Loader<Points> loader{points, {.batch_size = 8, .shuffle = true, .seed = 11, .workers = 1}};
  Network network;
  optim::Adam<float> adam{network.parameters(), {.lr = 0.02}};
  train::Trainer<float> trainer;

  explicit PointsRun(const train::TrainerOptions& options) : trainer(network, adam, options) {
    trainer.use_sam({.rho = 0.05});
    trainer.use_ema({.decay = 0.9});
    trainer.use_schedule(optim::Cosine{.steps = 40});
  }

  train::TrainingResult fit() {
    return trainer.fit(
        loader,
        [&](const auto& batch, Generator& random) -> train::LossTerms<float> {
          const auto& [x, labels] = batch;
          const auto loss = loss::cross_entropy(network.forward(x, random), labels);
          return {.total = loss, .parts = {{"twice", 2 * double{loss.item()}}}};
        },
        [&] { return validate(); });
  }

  train::Values validate() {
    const data::Loader<Points> all(points, {.batch_size = 50});
    for (auto& [x, labels] : all.epoch(0)) {
      Generator unused;
      const auto loss = loss::cross_entropy(network.forward(x, unused), labels);
      return {{"loss", double{loss.item()}}};
    }
    return {};
  }

  std::string weights() {
    std::string text;
    for (const auto& [name, tensor] : network.state_dict())
      text.append(reinterpret_cast<const char*>(tensor.bytes()), tensor.nbytes());
    return text;
  }
};

train::TrainerOptions options_in(const std::string& folder) {
  return {.folder = folder,
          .resume = true,
          .epochs = 6,
          .accumulate = 2,
          .clip_norm = 1,
          .seed = 9,
          .checkpoint_batches = 2,
          .keep_checkpoints = 2,
          .progress = {.out = std::fopen("/dev/null", "w")},
          .clock = [] { return 1000.0; }};
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Trainer, Learns) {
  const TemporaryFolder folder;
  PointsRun run(options_in(folder.path().string()));
  const double before = run.validate().front().second;
  const auto result = run.fit();
  EXPECT_EQ(result.epochs, 6);
  EXPECT_EQ(result.steps, 6 * 4);  // 7 batches, two for a step
  ASSERT_TRUE(result.best);
  EXPECT_LT(*result.best, 0.7 * before);
  const auto history = train::read_csv_log(folder / "history.csv");
  ASSERT_EQ(history.size(), 12u);
  EXPECT_EQ(history[0].phase, "train");
  EXPECT_EQ(history[0].step, 4);
  EXPECT_EQ(history[0].values[0].first, "loss");
  EXPECT_EQ(history[0].values[1].second, 2 * history[0].values[0].second);
  EXPECT_EQ(history[11].phase, "val");
  EXPECT_NE(content(folder / "loss.svg").find("<svg"), std::string::npos);
}

TEST(Trainer, TheBestWeightsAreKept) {
  const TemporaryFolder folder;
  PointsRun run(options_in(folder.path().string()));
  const auto result = run.fit();
  run.trainer.load_best();
  run.network.eval();
  EXPECT_EQ(run.validate().front().second, *result.best);
}

// Files of two runs that must be the same.
void expect_same_files(const std::string& a, const std::string& b) {
  for (const char* name :
       {"history.csv", "history.jsonl", "loss.svg", "twice.svg", "checkpoints/best.safetensors",
        "checkpoints/step-0000000024.safetensors"})
    EXPECT_TRUE(content(a + '/' + name) == content(b + '/' + name)) << name;
}

TEST(Trainer, ARunThatIsKilledEndsInTheSameBits) {
  const TemporaryFolder whole_folder, folder;
  PointsRun whole(options_in(whole_folder.path().string()));
  const double start = train::steady_seconds();
  whole.fit();
  const double seconds = train::steady_seconds() - start;
  const auto fit = [&] { PointsRun(options_in(folder.path().string())).fit(); };
  Generator random(1);
  int killed = 0;
  for (int i = 0; i < 50; ++i)
    killed += train::killed_after(0.3 * seconds * double{random.uniform()}, fit);
  EXPECT_GT(killed, 5);
  PointsRun last(options_in(folder.path().string()));
  last.fit();
  EXPECT_TRUE(last.weights() == whole.weights());
  expect_same_files(folder.path().string(), whole_folder.path().string());
}

TEST(Trainer, AnInterruptedRunSavesAndStops) {
  const TemporaryFolder whole_folder, folder;
  PointsRun whole(options_in(whole_folder.path().string()));
  whole.fit();
  train::catch_interrupts();
  for (int stop = 0; stop < 3; ++stop) {
    PointsRun run(options_in(folder.path().string()));
    int batches = 0;
    bool interrupted = false;
    try {
      run.trainer.fit(
          run.loader,
          [&](const auto& batch, Generator& random) {
            if (++batches == 7 + stop) std::raise(SIGINT);
            const auto loss = loss::cross_entropy(run.network.forward(std::get<0>(batch), random),
                                                  std::get<1>(batch));
            return train::LossTerms<float>{loss, {{"twice", 2 * double{loss.item()}}}};
          },
          [&] { return run.validate(); });
    } catch (const train::Interrupted& stopped) {
      interrupted = stopped.signal == SIGINT;
    }
    EXPECT_TRUE(interrupted);
    train::detail::pending_signal = 0;
    train::catch_interrupts();
  }
  PointsRun last(options_in(folder.path().string()));
  last.fit();
  EXPECT_TRUE(last.weights() == whole.weights());
  expect_same_files(folder.path().string(), whole_folder.path().string());
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

// Stands for other processes whose gradients cancel those of this one.
struct Cancelling final : train::Exchange<float> {
  int calls = 0;

  int processes() const override { return 2; }
  int rank() const override { return 0; }
  void average(std::span<float> values) override {
    ++calls;
    for (float& value : values) value = 0;
  }
  Tensor<float> gather(const Tensor<float>& rows) override { return rows; }
};

TEST(Trainer, StepsAlongExchangedGradients) {
  auto options = options_in("");
  options.epochs = 1;
  PointsRun run(options);
  const auto before = run.network.fc1.weight.clone();
  Cancelling exchange;
  run.trainer.use_exchange(exchange);
  run.fit();
  EXPECT_EQ(exchange.calls, 2 * 4);  // both passes of SAM, four steps
  for (std::int64_t i = 0; i < before.numel(); ++i)
    ASSERT_EQ(run.network.fc1.weight.data()[i], before.data()[i]);
}

TEST(Trainer, StopsEarly) {
  auto options = options_in("");
  options.epochs = 50;
  options.patience = 2;
  PointsRun run(options);
  int validations = 0;
  const auto result = run.trainer.fit(
      run.loader,
      [&](const auto& batch, Generator& random) {
        return loss::cross_entropy(run.network.forward(std::get<0>(batch), random),
                                   std::get<1>(batch));
      },
      [&] {
        ++validations;
        return train::Values{{"loss", validations == 3 ? 1.0 : 2.0}};
      });
  EXPECT_EQ(result.epochs, 5);
  EXPECT_EQ(result.best, 1.0);
  EXPECT_EQ(result.best_step, 12);
}

TEST(Trainer, CountsItsSteps) {
  auto options = options_in("");
  options.epochs = 3;
  options.accumulate = 3;
  PointsRun run(options);
  const std::int64_t expected = run.trainer.steps(run.loader);
  EXPECT_EQ(run.loader.batches() % 3, 1) << "the last step of an epoch has fewer batches";
  EXPECT_EQ(expected, 3 * (run.loader.batches() / 3 + 1));
  EXPECT_EQ(run.fit().steps, expected);
}

TEST(Trainer, TellsWhatIsWrong) {
  const TemporaryFolder folder;
  auto options = options_in(folder.path().string());
  options.epochs = 1;
  options.configuration = "batch 4\nlr 1";
  PointsRun(options).fit();
  options.resume = false;
  EXPECT_EQ(thrown([&] { PointsRun(options).fit(); }),
            "[" + folder.path().string() +
                "] there are checkpoints of a run: resume it or choose another "
                "folder");
  options.resume = true;
  options.configuration = "batch 4\nlr 2\nrho 0.1";
  EXPECT_NE(thrown([&] {
              PointsRun(options).fit();
            }).find("begun with other settings\n  then: lr 1\n  now:  lr 2, rho 0.1"),
            std::string::npos);
  options = options_in("");
  options.monitor = "accuracy";
  EXPECT_EQ(thrown([&] { PointsRun(options).fit(); }),
            "[train] validation gave no 'accuracy', which is to be monitored");
  {
    PointsRun run(options_in(""));
    const data::Loader<Points> none(run.points, {.batch_size = 51, .drop_last = true});
    const auto unused = [](const auto&, Generator&) { return Tensor<float>::scalar(0); };
    EXPECT_EQ(thrown([&] { run.trainer.fit(none, unused, [] { return train::Values{}; }); }),
              "[train] the loader has no batches");
  }
  options.accumulate = 0;
  EXPECT_EQ(thrown([&] { PointsRun run(options); }),
            "[train] expected to accumulate 1 batch or more, got 0");
}

TEST(Trainer, ALossThatIsNotFiniteEndsTheRunBeforeTheWeightsChange) {
  PointsRun run(options_in(""));
  const std::string before = run.weights();
  const std::string message = thrown([&] {
    run.trainer.fit(
        run.loader,
        [&](const auto& batch, Generator& random) {
          return log(mean(run.network.forward(std::get<0>(batch), random)) * 0.0f);
        },
        [&] { return run.validate(); });
  });
  EXPECT_NE(message.find("[train] step 0: loss is -Inf, gradient norm is NaN"), std::string::npos)
      << message;
  EXPECT_NE(message.find("fc1.weight"), std::string::npos) << message;
  for (const auto& part : run.network.named_parameters())
    for (std::int64_t i = 0; i < part.tensor->numel(); ++i)
      ASSERT_TRUE(std::isfinite(part.tensor->data()[i])) << part.name;
}

}  // namespace
