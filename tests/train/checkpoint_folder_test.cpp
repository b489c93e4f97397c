#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/train/checkpoint_folder.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <support/temporary_folder.hpp>
#include <support/thrown.hpp>
#include <train/killed.hpp>
#include <train/records.hpp>

namespace mien::train {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using test::thrown;

// A writer that takes its time: many small pieces, then the word "end".
auto writer_of(std::int64_t step) {
  return [step](const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    for (int i = 0; i < 200; ++i) file << step << '\n' << std::flush;
    file << "end";
  };
}

// The step that a file was written for; fails unless it is complete.
std::int64_t step_in(const std::string& path) {
  const std::string content = content_of(path);
  std::string expected;
  const std::int64_t step = std::stol(content);
  for (int i = 0; i < 200; ++i) expected += std::to_string(step) + '\n';
  EXPECT_EQ(content, expected + "end") << path;
  return step;
}

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

TEST(CheckpointFolder, KeepsTheLastOnesAndTheBest) {
  const TemporaryFolder temporary;
  const std::string folder = temporary / "run/checkpoints";
  CheckpointFolder checkpoints(folder, {.keep_last = 2, .extension = ".st"});
  EXPECT_FALSE(checkpoints.latest());
  EXPECT_EQ(checkpoints.save(5, writer_of(5), true), folder + "/step-0000000005.st");
  for (const std::int64_t step : {10, 15, 20}) checkpoints.save(step, writer_of(step));
  EXPECT_EQ(names_in(folder), (std::set<std::string>{"step-0000000015.st", "step-0000000020.st",
                                                     "best.st", ".lock"}));
  EXPECT_EQ(step_in(checkpoints.best_path()), 5);
  ASSERT_TRUE(checkpoints.latest());
  EXPECT_EQ(checkpoints.latest()->step, 20);
  EXPECT_EQ(step_in(checkpoints.latest()->path), 20);
  checkpoints.save(25, writer_of(25), true);
  EXPECT_EQ(step_in(checkpoints.best_path()), 25);
}

TEST(CheckpointFolder, AStepIsReplacedAndTheBestOneStaysAsItWas) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path().string());
  checkpoints.save(0, writer_of(1), true);
  checkpoints.save(0, writer_of(2));
  EXPECT_EQ(step_in(checkpoints.latest()->path), 2);
  EXPECT_EQ(step_in(checkpoints.best_path()), 1);
  EXPECT_EQ(checkpoints_in(folder.path().string()).size(), 1u);
}

TEST(CheckpointFolder, AWriterThatFailsChangesNothing) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path().string());
  checkpoints.save(1, writer_of(1), true);
  const auto before = names_in(folder.path().string());
  const auto failing = [](const std::string& path) {
    std::ofstream(path) << "half";
    throw Error("disk full");
  };
  EXPECT_EQ(thrown([&] { checkpoints.save(2, failing, true); }), "disk full");
  EXPECT_NE(
      thrown([&] { checkpoints.save(2, [](const std::string&) {}); }).find("cannot be opened"),
      std::string::npos);
  EXPECT_EQ(names_in(folder.path().string()), before);
  EXPECT_EQ(step_in(checkpoints.best_path()), 1);
}

TEST(CheckpointFolder, StepsGoOnFromTheNewest) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path().string());
  EXPECT_NE(
      thrown([&] { checkpoints.save(-1, writer_of(1)); }).find("step -1 cannot be saved after 0"),
      std::string::npos);
  for (const std::int64_t step : {10, 20, 30}) checkpoints.save(step, writer_of(step));
  EXPECT_NE(
      thrown([&] { checkpoints.save(11, writer_of(11)); }).find("step 11 cannot be saved after 30"),
      std::string::npos);
  checkpoints.save(31, writer_of(31));
  EXPECT_EQ(checkpoints.latest()->step, 31);
}

TEST(CheckpointFolder, TellsCheckpointsByTheirNames) {
  const TemporaryFolder folder;
  for (const char* name :
       {"step-0000000007.safetensors", "step-12345678901.safetensors", "step-9.safetensors",
        "step-.safetensors", "step--8.safetensors", "step-8x.safetensors", "step-8", "step-8.st",
        "step-99999999999999999999.safetensors", "best.safetensors", "x-step-8.safetensors",
        "step-8.safetensors.writing-1"})
    folder.write(name, "");
  fs::create_directory(folder / "step-8.safetensors");
  std::vector<std::int64_t> steps;
  for (const auto& checkpoint : checkpoints_in(folder.path().string()))
    steps.push_back(checkpoint.step);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{7, 9, 12345678901}));
}

TEST(CheckpointFolder, FinishesWhatAKilledRunLeft) {
  const TemporaryFolder folder;
  for (const char* step : {"1", "2", "3"})
    folder.write(std::string("step-") + step + ".safetensors", "");
  folder.write("step-0000000007.safetensors.writing-12", "half");
  folder.write("best.safetensors.writing-12-0", "half");
  folder.write("notes.txt", "mine");
  const CheckpointFolder checkpoints(folder.path().string(), {.keep_last = 2});
  EXPECT_EQ(
      names_in(folder.path().string()),
      (std::set<std::string>{"step-2.safetensors", "step-3.safetensors", "notes.txt", ".lock"}));
}

TEST(CheckpointFolder, BelongsToOneRun) {
  const TemporaryFolder folder;
  {
    const CheckpointFolder checkpoints(folder.path().string());
    const std::string error = thrown([&] { CheckpointFolder second(folder.path().string()); });
    EXPECT_TRUE(error.starts_with('[' + folder.path().string() +
                                  "] is in use by another run: process " +
                                  std::to_string(getpid()) + " on "))
        << error;
  }
  const CheckpointFolder later(folder.path().string());
}

TEST(CheckpointFolder, RefusesWhatCannotBe) {
  const TemporaryFolder folder;
  EXPECT_NE(thrown([&] {
              CheckpointFolder(folder.path().string(), {.keep_last = 0});
            }).find("expected to keep at least 1 checkpoint, got 0"),
            std::string::npos);
  const std::string file = folder.write("file", "");
  EXPECT_NE(thrown([&] { CheckpointFolder checkpoints(file + "/below"); }).find("cannot be made"),
            std::string::npos);
}

// Saves until it is killed.
void save_on(const std::string& folder) {
  CheckpointFolder checkpoints(folder);
  const auto newest = checkpoints.latest();
  for (std::int64_t step = newest ? newest->step + 1 : 0;; ++step)
    checkpoints.save(step, writer_of(step), step % 3 == 0);
}

TEST(CheckpointFolder, AlwaysHasACompleteNewestCheckpointWhenTheRunIsKilled) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  Generator random(11);
  std::int64_t newest_step = -1;
  for (int attempt = 0; attempt < 50 || newest_step < 20; ++attempt) {
    EXPECT_TRUE(killed_after(0.02 * random.uniform(), [&] { save_on(folder); }));
    const auto all = checkpoints_in(folder);
    for (const Checkpoint& checkpoint : all) EXPECT_EQ(step_in(checkpoint.path), checkpoint.step);
    EXPECT_LE(all.size(), 4u) << "3, and 1 more until the oldest is removed";
    if (!all.empty()) {
      EXPECT_GE(all.back().step, newest_step);
      // The best one is at most ahead of the last by the checkpoint that was about to be renamed.
      const std::int64_t best = step_in(folder + "/best.safetensors");
      EXPECT_EQ(best % 3, 0);
      EXPECT_GE(best, all.back().step / 3 * 3);
      EXPECT_LE(best, all.back().step + 1);
      newest_step = all.back().step;
    } else {
      EXPECT_EQ(newest_step, -1);
    }
    const CheckpointFolder checkpoints(folder);
    EXPECT_LE(checkpoints_in(folder).size(), 3u);
    for (const std::string& name : names_in(folder))
      EXPECT_EQ(name.find(".writing-"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace mien::train
