// mien-pretrain as a user meets it, on a small synthetic AffectNet and the smallest network.

#include <cli/programs.hpp>

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <tuple>
#include <variant>

#include <mien/train/checkpoint_folder.hpp>
#include <mien/train/csv_log.hpp>
#include <mien/train/values.hpp>
#include <mien/weights/import.hpp>

#include <nlohmann/json.hpp>

namespace mien::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Arguments joined(Arguments a, const Arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Arguments words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

// Everything in it that has a state: what a run that goes on has to find again.
const Arguments stateful = words_of(
    "--head-epochs 2 --epochs 6 --accumulate 2 --dropout 0.2 --ema 0.9 --schedule cosine "
    "--warmup 2 --clip 1 --augment --patience 9 --checkpoint-batches 1");

// The smallest network.
const Arguments small = words_of("--width 0.1 --depth 0.1 --size 32 --batch 8");

class PretrainProgram : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    const ProcessResult done =
        run_program("synth", {"affectnet", data(), "--train", "40", "--val", "16", "--size", "64",
                              "--no-2017", "--no-2021"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::string data() { return *shared_ / "affectnet"; }

  // Trains the smallest network, with its folder `out`.
  ProcessResult run(const std::string& out, const Arguments& arguments,
                    const ProcessOptions& options = {}) {
    return run_program("pretrain",
                       joined(joined({data(), "--out", folder_ / out}, small), arguments), options);
  }
  ProcessResult expect_done(const std::string& out, const Arguments& arguments) {
    ProcessResult done = run(out, arguments);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done;
  }
  std::string model_of(const std::string& out) {
    return content(folder_ / (out + "/model.safetensors"));
  }
  // The history, without the moments at which it was written.
  std::vector<std::tuple<std::int64_t, std::string, train::Values>> history_of(
      const std::string& out) {
    std::vector<std::tuple<std::int64_t, std::string, train::Values>> history;
    for (const auto& record : train::read_csv_log(folder_ / (out + "/history.csv")))
      history.emplace_back(record.step, record.phase, record.values);
    return history;
  }
  std::set<std::string> checkpoints_of(const std::string& out) {
    std::set<std::string> paths;
    for (const char* stage : {"/head", "/all"})
      if (const std::string folder = folder_ / (out + stage + "/checkpoints");
          fs::is_directory(folder))
        for (const auto& checkpoint : train::checkpoints_in(folder)) paths.insert(checkpoint.path);
    return paths;
  }
  void expect_same_run(const std::string& out, const std::string& expected) {
    EXPECT_TRUE(model_of(out) == model_of(expected));
    EXPECT_FALSE(model_of(out).empty());
    EXPECT_EQ(content(folder_ / (out + "/evaluation.json")),
              content(folder_ / (expected + "/evaluation.json")));
    for (const char* stage : {"/head", "/all"})
      EXPECT_EQ(history_of(out + stage), history_of(expected + stage)) << stage;
  }

  TemporaryFolder folder_;

 private:
  static inline std::unique_ptr<TemporaryFolder> shared_;
};

TEST_F(PretrainProgram, WritesModelEvaluationHistoryAndCurves) {
  const ProcessResult done = expect_done("run", {"--head-epochs", "1", "--epochs", "2"});
  EXPECT_TRUE(done.out.starts_with("validation: 16 faces (Anger 2, Contempt 2, ")) << done.out;
  EXPECT_NE(done.out.find("\ntraining:   40 faces (Anger 4, Contempt 1, "), std::string::npos);
  EXPECT_TRUE(done.out.ends_with("\n" + (folder_ / "run/model.safetensors") + "\n")) << done.out;
  EXPECT_EQ(done.error_lines(), 6) << done.err;  // training and validation of three epochs

  Arguments expected = {"confusion.svg", "evaluation.json", "model.safetensors"};
  for (const std::string stage : {"all/", "head/"}) {
    for (const char* name : {"accuracy", "accuracy7", "ccc_arousal", "ccc_valence", "cross_entropy",
                             "loss", "lr", "rmse_arousal", "rmse_valence"})
      expected.push_back(stage + name + ".svg");
    for (const char* name :
         {"checkpoints/.lock", "checkpoints/best.safetensors",
          "checkpoints/step-0000000005.safetensors", "history.csv", "history.jsonl"})
      expected.push_back(stage + name);
  }
  expected.push_back("all/checkpoints/step-0000000010.safetensors");
  std::sort(expected.begin(), expected.end());
  Arguments files = files_in(folder_ / "run");
  EXPECT_EQ(std::erase_if(files,
                          [](const auto& name) {
                            return name.find("/events.out.tfevents.") != std::string::npos;
                          }),
            2);
  EXPECT_EQ(files, expected);

  // The figures of the best epoch, in every place.
  const auto evaluation = nlohmann::json::parse(content(folder_ / "run/evaluation.json"));
  const auto history = train::read_csv_log(folder_ / "run/all/history.csv");
  ASSERT_EQ(history.size(), 4u);
  const auto accuracy = [&](std::size_t row) {
    const auto& values = history[row].values;
    return std::find_if(values.begin(), values.end(),
                        [](const auto& value) { return value.first == "accuracy"; })
        ->second;
  };
  const std::size_t best = accuracy(3) > accuracy(1) ? 3 : 1;
  for (const auto& [name, value] : history[best].values)
    EXPECT_EQ(evaluation.at(name).get<double>(), value) << name;
  EXPECT_EQ(evaluation.at("class_accuracy").size(), 8u);
  EXPECT_EQ(evaluation.at("confusion").size(), 64u);
  EXPECT_TRUE(content(folder_ / "run/confusion.svg").starts_with("<svg"));
}

TEST_F(PretrainProgram, AnalyzeReadsTheModel) {
  expect_done("run", {"--head-epochs", "0", "--epochs", "1"});
  const std::string path = folder_ / "run/model.safetensors";
  const auto model = weights::import_file(path);
  EXPECT_EQ(model.metadata.at("input_size"), "32");
  EXPECT_EQ(model.metadata.at("class_order"),
            "Anger,Contempt,Disgust,Fear,Happiness,Neutral,Sadness,Surprise");
  const ProcessResult done =
      run_program("analyze", {"--weights", path, data() + "/full_res_aligned/val/Anger", "--json"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  std::istringstream lines(done.out);
  int faces = 0;
  for (std::string line; std::getline(lines, line); ++faces) {
    const auto face = nlohmann::json::parse(line);
    EXPECT_EQ(face.at("scores").size(), 8u);
    EXPECT_TRUE(face.at("valence").is_number()) << line;
  }
  EXPECT_EQ(faces, 2);
}

TEST_F(PretrainProgram, WorkersThreadsAndCachesChangeNothing) {
  const Arguments plain = {"--head-epochs", "1", "--epochs", "1", "--augment"};
  expect_done("run", joined(plain, {"--workers", "0"}));
  const Arguments cached = joined(plain, {"--workers", "3", "--cache", folder_ / "cache"});
  expect_done("filled", cached);
  expect_done("cached", cached);
  const ProcessResult done = run("memory", joined(plain, {"--cache", "memory"}),
                                 {.environment = {{"MIEN_NUM_THREADS", "1"}}});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  for (const char* other : {"filled", "cached", "memory"}) expect_same_run(other, "run");
  EXPECT_TRUE(fs::exists(folder_ / "cache.train"));
}

TEST_F(PretrainProgram, InterruptedAndResumedItEndsTheSame) {
  expect_done("whole", stateful);
  for (const auto& [stage, step] : {std::pair("head", 1), std::pair("all", 4)}) {
    const std::string checkpoints = folder_ / str("run/", stage, "/checkpoints");
    const auto reached = [&, step = step](const std::string&) {
      if (!fs::is_directory(checkpoints)) return false;
      const auto saved = train::checkpoints_in(checkpoints);
      return !saved.empty() && saved.back().step >= step;
    };
    const ProcessResult stopped =
        run("run", joined(stateful, {"--resume"}), {.interrupt_when = reached});
    EXPECT_EQ(stopped.exit_code, 130);
    EXPECT_TRUE(stopped.err.ends_with("mien-pretrain: stopped; --resume goes on from there\n"))
        << stopped.err;
    EXPECT_TRUE(model_of("run").empty());
  }
  expect_done("run", joined(stateful, {"--resume"}));
  expect_same_run("run", "whole");

  // What is done is not done again.
  const ProcessResult again = expect_done("run", joined(stateful, {"--resume"}));
  EXPECT_EQ(again.err, "");
  expect_same_run("run", "whole");
}

TEST_F(PretrainProgram, KilledAndResumedItEndsTheSame) {
  expect_done("whole", stateful);
  Generator random(7);
  int kills = 0;
  for (int attempt = 0; attempt < 6; ++attempt) {
    // At any moment after a new checkpoint: each attempt gets further.
    const auto before = checkpoints_of("run");
    bool further = false;
    auto wait = random.below(40);
    const auto due = [&](const std::string&) {
      further = further || checkpoints_of("run") != before;
      return further && wait-- == 0;
    };
    const ProcessResult ended =
        run("run", joined(stateful, {"--resume"}), {.interrupt_when = due, .signal = SIGKILL});
    ASSERT_TRUE(ended.exit_code == 0 || ended.exit_code == -SIGKILL) << ended.err;
    kills += ended.exit_code != 0;
  }
  EXPECT_GE(kills, 1);
  expect_done("run", joined(stateful, {"--resume"}));
  expect_same_run("run", "whole");
  for (const std::string& name : files_in(folder_ / "run"))
    EXPECT_EQ(name.find(".writing-"), std::string::npos) << name;
}

TEST_F(PretrainProgram, ARunIsNeitherOverwrittenNorMixed) {
  const Arguments arguments = {"--head-epochs", "0", "--epochs", "1"};
  expect_done("run", arguments);
  const std::string model = model_of("run");
  const ProcessResult again = run("run", arguments);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.err,
            str("mien-pretrain: [", folder_ / "run/all",
                "] there are checkpoints of a run: resume it or choose another folder\n"));
  const ProcessResult other = run("run", joined(arguments, {"--resume", "--lr", "0.5"}));
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("begun with other settings\n  then: lr 0.0001\n  now:  lr 0.5\n"),
            std::string::npos)
      << other.err;
  EXPECT_TRUE(model_of("run") == model);
}

TEST_F(PretrainProgram, EvaluationGivesTheFiguresOfTheTraining) {
  const ProcessResult trained = expect_done("run", {"--head-epochs", "1", "--epochs", "2"});
  const ProcessResult evaluated =
      expect_done("evaluation", {"--evaluate", "--weights", folder_ / "run/model.safetensors"});
  const auto table = [](const std::string& out) { return out.substr(out.find("accuracy, %")); };
  EXPECT_EQ(evaluated.err, "");
  EXPECT_NE(evaluated.out.find("\nSurprise "), std::string::npos) << evaluated.out;
  EXPECT_EQ(table(trained.out),
            table(evaluated.out) + "\n" + (folder_ / "run/model.safetensors") + "\n");
  EXPECT_EQ(files_in(folder_ / "evaluation"), (Arguments{"confusion.svg", "evaluation.json"}));
  EXPECT_EQ(content(folder_ / "evaluation/evaluation.json"),
            content(folder_ / "run/evaluation.json"));
}

TEST_F(PretrainProgram, TheHeadStageTrainsTheLastLayerAlone) {
  expect_done("start", {"--head-epochs", "0", "--epochs", "0"});
  const std::string start = folder_ / "start/model.safetensors";
  expect_done("head", {"--head-epochs", "1", "--epochs", "0", "--weights", start});
  const auto before = weights::import_file(start);
  const auto after = weights::import_file(folder_ / "head/model.safetensors");
  ASSERT_EQ(before.tensors.size(), after.tensors.size());
  std::set<std::string> changed;
  for (std::size_t i = 0; i < before.tensors.size(); ++i) {
    const auto& [name, a] = before.tensors[i];
    const auto& [same_name, b] = after.tensors[i];
    ASSERT_EQ(name, same_name);
    const bool statistic =
        name.find(".running_") != std::string::npos || name.ends_with("num_batches_tracked");
    if (!statistic && !std::equal(a.bytes(), a.bytes() + a.nbytes(), b.bytes()))
      changed.insert(name);
  }
  EXPECT_EQ(changed, (std::set<std::string>{"classifier.bias", "classifier.weight"}));
}

TEST_F(PretrainProgram, WeightsWithOtherOutputsGetANewLastLayer) {
  const std::string weights = write_classifier(folder_ / "faces.safetensors", 5);
  const ProcessResult done =
      expect_done("run", {"--head-epochs", "0", "--epochs", "0", "--weights", weights});
  EXPECT_EQ(done.out.find("the last layer is a new one\n"), 0u) << done.out;
  const auto given = io::read_safetensors(weights);
  const auto model = weights::import_file(folder_ / "run/model.safetensors");
  std::map<std::string, AnyTensor> found(model.tensors.begin(), model.tensors.end());
  EXPECT_EQ(found.at("classifier.weight").shape(), (Shape{10, 1280}));
  for (const auto& [name, tensor] : given.tensors) {
    if (name.starts_with("classifier.")) continue;
    const AnyTensor& kept = found.at(name);
    EXPECT_TRUE(std::equal(tensor.bytes(), tensor.bytes() + tensor.nbytes(), kept.bytes())) << name;
  }
}

TEST_F(PretrainProgram, LenientLeavesOutWhatCannotBeRead) {
  const std::string copy = folder_ / "affectnet", table = copy + "/training_filtered.csv";
  fs::copy(data(), copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  std::ofstream(table, std::ios::app) << "Anger/none.jpg,Anger,0,0\nAnger/none.jpg,Anger,0,x\n";
  const auto run_on_copy = [&](const Arguments& arguments) {
    return run_program(
        "pretrain",
        joined(joined({copy, "--out", folder_ / "run", "--epochs", "1"}, small), arguments));
  };
  const ProcessResult strict = run_on_copy({});
  EXPECT_EQ(strict.exit_code, 1);
  EXPECT_EQ(strict.error_lines(), 1) << strict.err;
  EXPECT_NE(strict.err.find(table + ":42"), std::string::npos) << strict.err;
  const ProcessResult lenient = run_on_copy({"--lenient"});
  EXPECT_EQ(lenient.exit_code, 0) << lenient.err;
  EXPECT_NE(lenient.out.find("), 1 bad rows and 1 without image left out ("), std::string::npos)
      << lenient.out;
}

TEST_F(PretrainProgram, WrongCommandLinesAreTold) {
  const std::string out = folder_ / "run";
  for (const Arguments& arguments :
       std::vector<Arguments>{{},
                              {data()},
                              {"--out", out},
                              {data(), "--out", out, "--size", "16"},
                              {data(), "--out", out, "--batch", "1"},
                              {data(), "--out", out, "--epochs", "-1"},
                              {data(), "--out", out, "--optimizer", "lbfgs"},
                              {data(), "--out", out, "--sam-bn", "second"},
                              {data(), "--out", out, "--ema", "1.5"},
                              {data(), "--out", out, "--evaluate"},
                              {data(), "--out", out, "--epoch", "1"}}) {
    const ProcessResult done = run_program("pretrain", arguments);
    EXPECT_EQ(done.exit_code, 2) << done.err;
    EXPECT_EQ(done.error_lines(), 2) << done.err;  // what is wrong, and where to read on
    EXPECT_FALSE(fs::exists(out));
  }
  EXPECT_EQ(run_program("pretrain", {"--help"}).exit_code, 0);
}

TEST_F(PretrainProgram, WhatCannotBeTrainedIsToldInOneLine) {
  const std::string upscaler = write_upscaler(folder_ / "upscaler.safetensors");
  for (const auto& [arguments, what] : std::vector<std::pair<Arguments, std::string>>{
           {{"--weights", upscaler}, "expected an EfficientNet"},
           {{"--weights", folder_ / "none.safetensors"}, "none.safetensors"},
           {{"--batch", "41"}, "the train part has 40 faces, expected a batch of 41 at least"}}) {
    const ProcessResult done =
        run_program("pretrain", joined({data(), "--out", folder_ / "run"}, arguments));
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_EQ(done.error_lines(), 1) << done.err;
    EXPECT_NE(done.err.find(what), std::string::npos) << done.err;
    EXPECT_TRUE(model_of("run").empty());
  }
  const ProcessResult done =
      run_program("pretrain", {folder_.path().string(), "--out", folder_ / "run"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_NE(done.err.find("holds no validation part of AffectNet"), std::string::npos) << done.err;
}

}  // namespace
}  // namespace mien::test
