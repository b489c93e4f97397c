#include <gtest/gtest.h>
#include <mien/train/csv_log.hpp>

#include <cmath>
#include <limits>
#include <string>

#include <support/temporary_folder.hpp>
#include <support/thrown.hpp>
#include <train/records.hpp>

namespace mien::train {
namespace {

using test::TemporaryFolder;
using test::thrown;

constexpr double inf = std::numeric_limits<double>::infinity();

TEST(CsvLog, IsATable) {
  const TemporaryFolder folder;
  CsvLog log(folder / "log.csv");
  log.write({1, 100, 1700000000.5, "train", {{"loss", 2.125}, {"lr", 0.1}}});
  log.write({1, 200, 1700000002, "train", {{"lr", 0.1}, {"loss", -inf}}});
  EXPECT_EQ(content_of(folder / "log.csv"),
            "epoch,step,time,phase,loss,lr\n"
            "1,100,1700000000.5,train,2.125,0.1\n"
            "1,200,1700000002,train,-inf,0.1\n");
}

TEST(CsvLog, ANewValueGetsAColumnAtTheEnd) {
  const TemporaryFolder folder;
  CsvLog log(folder / "log.csv");
  log.write({0, 1, 1.5, "train", {{"loss", 2}}});
  log.write({0, 1, 2, "val", {{"accuracy", 0.5}, {"loss", 3}, {"f1", 0.25}}});
  log.write({0, 2, 3, "train", {{"loss", 1}}});
  EXPECT_EQ(content_of(folder / "log.csv"),
            "epoch,step,time,phase,loss,accuracy,f1\n"
            "0,1,1.5,train,2,,\n"
            "0,1,2,val,3,0.5,0.25\n"
            "0,2,3,train,1,,\n");
}

TEST(CsvLog, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string path = folder / "log.csv";
  std::vector<Record> records = history(9);
  records.push_back({2, 10, 0.1, "a, \"b\"", {{"loss", inf}, {"f1, \"weighted\"", 1.0 / 3}}});
  {
    CsvLog log(path);
    for (const Record& record : records) log.write(record);
  }
  EXPECT_EQ(read_csv_log(path), records);
  CsvLog(path).write({3, 11, 5, "val", {{"f1, \"weighted\"", std::nan("")}}});
  const auto more = read_csv_log(path);
  ASSERT_EQ(more.size(), records.size() + 1);
  EXPECT_TRUE(std::isnan(more.back().values.at(0).second));
  EXPECT_EQ(more.back().values.at(0).first, "f1, \"weighted\"");
}

TEST(CsvLog, ATornRowIsDroppedAndTheNextOneStartsALine) {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("log.csv", "epoch,step,time,phase,loss\n0,1,1,train,2\n0,2,2,tr");
  CsvLog(path).write({0, 2, 3, "train", {{"loss", 4}}});
  EXPECT_EQ(content_of(path), "epoch,step,time,phase,loss\n0,1,1,train,2\n0,2,3,train,4\n");
  const std::string torn = folder.write("torn.csv", "epoch,st");
  CsvLog(torn).write({0, 2, 3, "train", {{"lr", 4}}});
  EXPECT_EQ(content_of(torn), "epoch,step,time,phase,lr\n0,2,3,train,4\n");
}

TEST(CsvLog, RewindsToAStep) {
  const TemporaryFolder folder;
  const std::string path = folder / "log.csv";
  CsvLog log(path);
  for (const Record& record : history(8)) log.write(record);
  log.rewind(5);
  const auto left = read_csv_log(path);
  EXPECT_EQ(left, history(5));
  log.rewind(-1);
  EXPECT_EQ(content_of(path), "");
  log.write({0, 1, 1, "train", {{"other", 1}}});
  EXPECT_EQ(content_of(path), "epoch,step,time,phase,other\n0,1,1,train,1\n");
}

TEST(CsvLog, RefusesRecordsThatNoTableCanHold) {
  const TemporaryFolder folder;
  CsvLog log(folder / "log.csv");
  const auto refused = [&](const Record& record) { return thrown([&] { log.write(record); }); };
  EXPECT_EQ(refused({-1, 3, 0, "train", {}}),
            "[record] expected no negative epoch or step, got -1 and 3");
  EXPECT_EQ(refused({0, -3, 0, "train", {}}),
            "[record] expected no negative epoch or step, got 0 and -3");
  EXPECT_EQ(refused({0, 0, inf, "train", {}}), "[record] expected a finite time, got inf");
  EXPECT_EQ(refused({0, 0, 0, "", {}}), "[record] expected a name of one line in UTF-8, got \"\"");
  EXPECT_EQ(refused({0, 0, 0, "val", {{"a\nb", 1}}}),
            "[record] expected a name of one line in UTF-8, got \"a\\u000ab\"");
  EXPECT_NE(refused({0, 0, 0, "val", {{"\xff", 1}}}).find("in UTF-8"), std::string::npos);
  EXPECT_EQ(refused({0, 0, 0, "val", {{"step", 1}}}), "[record] a value may not be named step");
  EXPECT_EQ(refused({0, 0, 0, "val", {{"f1", 1}, {"loss", 1}, {"f1", 2}}}),
            "[record] two values are named f1");
  EXPECT_EQ(content_of(folder / "log.csv"), "");
}

TEST(CsvLog, NamesFileAndLineOfWhatItCannotRead) {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    const std::string path = folder.write("log.csv", text);
    const std::string opened = thrown([&] { CsvLog log(path); });
    EXPECT_EQ(thrown([&] { read_csv_log(path); }), opened);
    EXPECT_EQ(content_of(path), text) << "a file that is not understood stays as it is";
    return opened.starts_with('[' + path) ? opened.substr(1 + path.size()) : opened;
  };
  EXPECT_EQ(read("name,age\n"),
            ":1] expected a first line that begins with epoch,step,time,phase, got \"name,age\"");
  EXPECT_EQ(read("epoch,step,time,phase,\"loss\n"), ":1] a quote is not closed");
  EXPECT_EQ(read("epoch,step,time,phase,loss\n0,1,1,train\n"), ":2] expected 5 fields, got 4");
  EXPECT_EQ(read("epoch,step,time,phase\n0,1,1,a\n0,1x,1,a\n"),
            ":3] expected a number, got \"1x\"");
  EXPECT_EQ(read("epoch,step,time,phase,loss\n0,1,1,a,high\n"),
            ":2] expected a number, got \"high\"");
  EXPECT_NE(thrown([&] { CsvLog log(folder / "none/log.csv"); }).find("cannot be opened"),
            std::string::npos);
}

}  // namespace
}  // namespace mien::train
