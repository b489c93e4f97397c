// All sinks at once, and runs that are killed.

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/train/checkpoint_folder.hpp>
#include <mien/train/csv_log.hpp>
#include <mien/train/jsonl_log.hpp>
#include <mien/train/progress.hpp>
#include <mien/train/tensorboard_log.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>
#include <train/killed.hpp>
#include <train/records.hpp>

namespace mien::train {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

std::vector<std::unique_ptr<RecordSink>> sinks_in(const TemporaryFolder& folder) {
  std::vector<std::unique_ptr<RecordSink>> sinks;
  sinks.push_back(std::make_unique<CsvLog>(folder / "log.csv"));
  sinks.push_back(std::make_unique<JsonlLog>(folder / "log.jsonl"));
  sinks.push_back(std::make_unique<TensorBoardLog>(folder.path().string()));
  return sinks;
}

// Names and contents, but for the lock's, which names a process.
std::map<std::string, std::string> files_in(const TemporaryFolder& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    if (entry.path().filename() != ".lock")
      files[entry.path().filename().string()] = content_of(entry.path().string());
  return files;
}

// Runs from the newest checkpoint to the end.
void run(const TemporaryFolder& folder) {
  CheckpointFolder checkpoints(folder.path().string());
  const auto newest = checkpoints.latest();
  const std::int64_t start = newest ? newest->step : -1;
  const auto sinks = sinks_in(folder);
  for (const auto& sink : sinks) sink->rewind(start);
  const auto records = history(200);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::int64_t step = records[i].step;
    if (step <= start) continue;
    for (const auto& sink : sinks) sink->write(records[i]);
    const bool last_of_step = i + 1 == records.size() || records[i + 1].step != step;
    if (last_of_step && step % 10 == 0)
      checkpoints.save(
          step, [&](const std::string& path) { std::ofstream(path) << "step " << step; },
          step % 50 == 0);
  }
}

TEST(RecordSinks, ARunKilledAndResumedLeavesTheFilesOfOneThatWasNot) {
  const TemporaryFolder whole, interrupted;
  const double start = steady_seconds();
  run(whole);
  const double seconds = steady_seconds() - start;
  Generator random(7);
  int killed = 0;
  for (int attempt = 0; attempt < 25; ++attempt)
    killed += killed_after(0.3 * seconds * random.uniform(), [&] { run(interrupted); });
  run(interrupted);
  EXPECT_GT(killed, 0);
  const auto expected = files_in(whole);
  EXPECT_EQ(expected.size(), 3u + 3u + 1u) << "logs, checkpoints, the best";
  const auto files = files_in(interrupted);
  EXPECT_EQ(files.size(), expected.size());
  for (const auto& [name, content] : expected)
    EXPECT_TRUE(files.contains(name) && files.at(name) == content) << name;
}

TEST(RecordSinks, WallTimeIsOfThisCenturyAndToTheMillisecond) {
  const double now = wall_time();
  EXPECT_GT(now, 1.7e9);
  EXPECT_LT(now, 4.1e9);
  EXPECT_LE(shortest(now).size(), 14u);
}

}  // namespace
}  // namespace mien::train
