// The golden file was written by TensorBoard itself (tests/golden/train/make_events.py).

#include <gtest/gtest.h>
#include <mien/train/tensorboard_log.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include <support/data_dir.hpp>
#include <support/temporary_folder.hpp>
#include <support/thrown.hpp>
#include <train/records.hpp>

namespace mien::train {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using test::thrown;

// As in make_events.py.
std::vector<Record> golden_records() {
  const double inf = std::numeric_limits<double>::infinity();
  return {
      {0, 0, 1700000000.0, "val", {{"loss", 2.5}}},
      {0, 1, 1700000000.25, "train", {{"loss", 2.125}, {"lr", 1e-3}}},
      {0, 127, 1700000001.5, "train", {{"loss", 0.1}, {"lr", -0.0}}},
      {0, 128, 1700000002.0, "train", {{"loss", std::nan("")}, {"lr", inf}}},
      {0, 300000, 1700000003.0, "train", {}},
      {0,
       std::int64_t{1} << 40,
       1700000003.125,
       "val",
       {{std::string(200, 'a'), 1.0 / 3}, {"Gesichtsausdr\u00fccke", -1e30}}},
  };
}

std::string golden_events() { return content_of(test::golden_path("train/events.bin")); }

// The one file in a folder.
std::string event_file(const TemporaryFolder& folder) {
  std::string found;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    EXPECT_EQ(found, "") << "and " << entry.path();
    found = entry.path().string();
  }
  return found;
}

TEST(Crc32c, EqualsTheStandard) {
  // RFC 3720, appendix B.4, and the usual check value.
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(TensorBoardLog, WritesTheBytesThatTensorBoardWrites) {
  const TemporaryFolder folder;
  TensorBoardLog log(folder.path().string());
  EXPECT_TRUE(fs::is_empty(folder.path()));
  for (const Record& record : golden_records()) log.write(record);
  EXPECT_EQ(content_of(event_file(folder)), golden_events());
  const std::string name = fs::path(event_file(folder)).filename().string();
  EXPECT_TRUE(name.starts_with("events.out.tfevents.1700000000.")) << name;
}

TEST(TensorBoardLog, RewindsToAStep) {
  const auto records = golden_records();
  for (const std::size_t kept : {1u, 2u, 3u, 4u, 5u, 6u}) {
    const TemporaryFolder folder;
    {
      TensorBoardLog log(folder.path().string());
      for (const Record& record : records) log.write(record);
      log.rewind(records[kept - 1].step);
    }
    const std::string left = content_of(event_file(folder));
    EXPECT_TRUE(golden_events().starts_with(left));
    EXPECT_EQ(left.size() == golden_events().size(), kept == records.size());
    TensorBoardLog log(folder.path().string());
    for (std::size_t i = kept; i < records.size(); ++i) log.write(records[i]);
    EXPECT_EQ(content_of(event_file(folder)), golden_events());
    log.rewind(-1);
    EXPECT_TRUE(fs::is_empty(folder.path()));
  }
}

TEST(TensorBoardLog, ARecordTornAnywhereIsDropped) {
  const std::string golden = golden_events();
  const auto records = golden_records();
  for (std::size_t size = 0; size < golden.size(); size += 3) {
    const TemporaryFolder folder;
    folder.write("events.out.tfevents.1700000000.host.mien", golden.substr(0, size));
    TensorBoardLog log(folder.path().string());
    std::size_t next = 0;  // the first record that is not there
    if (const std::string file = event_file(folder); !file.empty()) {
      const std::string left = content_of(file);
      EXPECT_LE(left.size(), size);
      EXPECT_TRUE(golden.starts_with(left));
      io::ByteReader reader(io::as_bytes(left), file);
      while (read_tfrecord(reader)) ++next;
      EXPECT_TRUE(reader.done());
      --next;  // the version
    }
    for (; next < records.size(); ++next) log.write(records[next]);
    EXPECT_EQ(content_of(event_file(folder)), golden);
  }
}

TEST(TensorBoardLog, RefusesDamage) {
  const std::string golden = golden_events();
  const auto opened = [](const std::string& content) {
    const TemporaryFolder folder;
    const std::string path = folder.write("events.out.tfevents.1.host.mien", content);
    const std::string error = thrown([&] { TensorBoardLog log(folder.path().string()); });
    EXPECT_EQ(content_of(path), content);
    return error.starts_with('[' + path + "] ") ? error.substr(path.size() + 3) : error;
  };
  std::string damaged = golden;
  damaged[2] ^= 1;
  EXPECT_EQ(opened(damaged), "the record at offset 0 has a damaged length");
  damaged = golden;
  damaged[20] ^= 1;
  EXPECT_EQ(opened(damaged), "the record at offset 0 is damaged");
  EXPECT_EQ(opened(golden + tfrecord("\x12")), "an event that was not written by this program");
  const std::string time = "\x09" + std::string(8, '\0');
  EXPECT_EQ(opened(golden + tfrecord(time + "\x10" + std::string(12, '\xff'))),
            "an event's step is out of range");
  EXPECT_NE(opened(golden + tfrecord(time.substr(0, 5))).find("ends early"), std::string::npos);
}

TEST(TensorBoardLog, RefusesASecondEventFileOfItsOwn) {
  const TemporaryFolder folder;
  folder.write("events.out.tfevents.1.others", "whatever");
  folder.write("events.out.tfevents.1.host.mien", golden_events());
  EXPECT_EQ(thrown([&] { TensorBoardLog log(folder.path().string()); }), "nothing was thrown");
  folder.write("events.out.tfevents.2.host.mien", golden_events());
  EXPECT_NE(thrown([&] {
              TensorBoardLog log(folder.path().string());
            }).find("expected one event file, got "),
            std::string::npos);
}

}  // namespace
}  // namespace mien::train
