#include <gtest/gtest.h>
#include <mien/train/jsonl_log.hpp>

#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include <support/temporary_folder.hpp>
#include <support/thrown.hpp>
#include <train/records.hpp>

namespace mien::train {
namespace {

using test::TemporaryFolder;
using test::thrown;

TEST(JsonlLog, IsAnObjectALine) {
  const TemporaryFolder folder;
  JsonlLog log(folder / "log.jsonl");
  log.write({1, 100, 1700000000.5, "train", {{"loss", 2.125}, {"lr", 1e-5}}});
  log.write({1, 100, 1700000002, "va\"l", {{"f1", std::nan("")}, {"max", HUGE_VAL}}});
  EXPECT_EQ(content_of(folder / "log.jsonl"),
            "{\"epoch\":1,\"step\":100,\"time\":1700000000.5,\"phase\":\"train\",\"loss\":2.125,"
            "\"lr\":1e-05}\n"
            "{\"epoch\":1,\"step\":100,\"time\":1700000002,\"phase\":\"va\\\"l\",\"f1\":null,"
            "\"max\":null}\n");
}

TEST(JsonlLog, IsReadByOtherPrograms) {
  const TemporaryFolder folder;
  JsonlLog log(folder / "log.jsonl");
  const auto records = history(8);
  for (const Record& record : records) log.write(record);
  const std::string content = content_of(folder / "log.jsonl");
  io::ByteReader lines(io::as_bytes(content), "log.jsonl");
  for (const Record& record : records) {
    const auto json = nlohmann::json::parse(lines.line());
    EXPECT_EQ(json["epoch"], record.epoch);
    EXPECT_EQ(json["step"], record.step);
    EXPECT_EQ(json["time"], record.time);
    EXPECT_EQ(json["phase"], record.phase);
    for (const auto& [name, value] : record.values) EXPECT_EQ(json[name], value);
  }
  EXPECT_TRUE(lines.done());
}

TEST(JsonlLog, RewindsToAStepAndDropsATornLine) {
  const TemporaryFolder folder;
  JsonlLog all(folder / "all.jsonl"), five(folder / "five.jsonl");
  for (const Record& record : history(8)) all.write(record);
  for (const Record& record : history(5)) five.write(record);
  all.rewind(5);
  const std::string wanted = content_of(folder / "five.jsonl");
  EXPECT_EQ(content_of(folder / "all.jsonl"), wanted);
  const std::string torn = folder.write("torn.jsonl", wanted + wanted.substr(0, 30));
  JsonlLog log(torn);
  EXPECT_EQ(content_of(torn), wanted);
  log.rewind(-1);
  EXPECT_EQ(content_of(torn), "");
}

TEST(JsonlLog, NamesFileAndLineOfWhatItCannotRead) {
  const TemporaryFolder folder;
  const std::string good = "{\"epoch\":0,\"step\":1}\n";
  for (const std::string_view line :
       {"", "[]", "{\"step\":1,\"epoch\":1}", "{\"epoch\":0,\"step\":-1}", "{\"epoch\":0}"}) {
    const std::string text = good + std::string(line) + "\n";
    const std::string path = folder.write("log.jsonl", text);
    const std::string error = thrown([&] { JsonlLog log(path); });
    EXPECT_TRUE(error.starts_with('[' + path + ":2] ")) << error;
    EXPECT_EQ(content_of(path), text);
  }
}

}  // namespace
}  // namespace mien::train
