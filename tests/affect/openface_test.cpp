// OpenFace's files: columns by name, and rows by frame.

#include <gtest/gtest.h>
#include <mien/affect/openface_folder.hpp>

#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

namespace mien::affect {
namespace {

// The header of FeatureExtraction -aus, with columns that are no features between.
std::string header(const std::string& separator) {
  std::string text = "frame";
  for (const char* name : {"face_id", "timestamp", "confidence", "success", "gaze_0_x", "x_0"})
    text += separator + name;
  for (const std::string_view name : openface_features) text += separator + std::string(name);
  return text + '\n';
}

// Feature i has this text.
std::string row(int frame, const std::string& success, const std::string& separator,
                const std::string& odd_feature = "", std::size_t odd = 0) {
  std::string text = std::to_string(frame);
  for (const std::string& field : {std::string("0"), std::string("0.033"), std::string("0.98"),
                                   success, std::string("7.5"), std::string("640")})
    text += separator + field;
  for (std::size_t i = 0; i < openface_features.size(); ++i) {
    std::string field = i < 17 ? "0." + std::to_string(10 + i) : i % 2 == 0 ? "1.00" : "0.00";
    if (!odd_feature.empty() && i == odd) field = odd_feature;
    text += separator + field;
  }
  return text + '\n';
}

class OpenFace : public testing::Test {
 protected:
  std::string error_of(const std::string& rows) {
    const std::string path = folder_.write("v.csv", header(",") + rows);
    const std::string where = "[" + path + ':';
    const std::string error = test::thrown([&] { read_openface(path); });
    return error.starts_with(where) ? error.substr(where.size()) : error;
  }

  test::TemporaryFolder folder_;
};

TEST_F(OpenFace, FeaturesByName) {
  for (const std::string separator : {",", ", "}) {
    const std::string path =
        folder_.write("v.csv", header(separator) + row(1, "1", separator) + row(2, "0", separator));
    const auto rows = read_openface(path);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_TRUE(rows[0].success);
    EXPECT_FALSE(rows[1].success);
    for (std::size_t i = 0; i < 17; ++i)
      EXPECT_FLOAT_EQ(rows[0].features[i], 0.1f + 0.01f * static_cast<float>(i));
    for (std::size_t i = 17; i < 35; ++i) EXPECT_EQ(rows[0].features[i], i % 2 == 0 ? 1 : 0);
  }
  EXPECT_EQ(std::count_if(openface_features.begin(), openface_features.end(),
                          [](auto name) { return name.ends_with("_r"); }),
            17);
}

TEST_F(OpenFace, ErrorsSayWhere) {
  EXPECT_EQ(error_of(row(1, "1", ",")), "nothing was thrown");
  EXPECT_EQ(error_of(row(2, "1", ",")), "2] frame: expected frame 1, got '2'");
  EXPECT_EQ(error_of(row(1, "0.5", ",")), "2] success: expected 0 or 1, got '0.5'");
  EXPECT_EQ(error_of(row(1, "1", ",", "5.01", 0)),
            "2] AU01_r: expected a number from 0 to 5, got '5.01'");
  EXPECT_EQ(error_of(row(1, "1", ",", "0.5", 34)), "2] AU45_c: expected 0 or 1, got '0.5'");
  EXPECT_EQ(error_of(row(1, "1", ",", "-nan", 3)), "2] AU05_r: expected a number, got '-nan'");
  EXPECT_EQ(error_of("1,2\n"), "2] expected 42 fields, got 2");
  const std::string path = folder_.write("w.csv", "frame,success,AU01_r\n");
  EXPECT_EQ(test::thrown([&] { read_openface(path); }),
            "[" + path + ":1] expected a column AU02_r, got frame,success,AU01_r");
}

TEST_F(OpenFace, LenientReadingKeepsThePlaces) {
  const std::string path =
      folder_.write("v.csv", header(",") + row(1, "1", ",", "x", 3) + "2\n" + row(3, "1", ","));
  Omissions omissions;
  const auto rows = read_openface(path, {.omissions = &omissions});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(omissions.bad_rows, 2);
  EXPECT_FALSE(rows[0].success || rows[1].success);
  EXPECT_EQ(rows[0].features, (std::array<float, 35>{}));
  EXPECT_TRUE(rows[2].success);
}

TEST_F(OpenFace, RowsByImage) {
  for (const char* frame : {"v/00002.jpg", "v/00010.jpg", "w/00001.jpg"})
    folder_.write(std::string("frames/") + frame, "");
  folder_.write("csvs/v.csv", header(",") + row(1, "1", ",") + row(2, "0", ","));
  const std::string csvs = folder_ / "csvs", frames = folder_ / "frames";
  const OpenFaceFolder of(csvs, frames);
  EXPECT_EQ(of.videos(), 1);
  ASSERT_NE(of.find("v/00002.jpg"), nullptr);
  EXPECT_TRUE(of.find("v/00002.jpg")->success);
  ASSERT_NE(of.find("v/00010.jpg"), nullptr);
  EXPECT_FALSE(of.find("v/00010.jpg")->success);
  for (const char* image : {"v/00003.jpg", "v/1.jpg", "v", "v/", "w/00001.jpg", ""})
    EXPECT_EQ(of.find(image), nullptr) << image;

  folder_.write("csvs/w.csv", header(",") + row(1, "1", ",") + row(2, "1", ","));
  EXPECT_EQ(test::thrown([&] { OpenFaceFolder(csvs, frames); }),
            "[" + csvs + "/w.csv] expected 1 rows as the video has frames, got 2");
  folder_.write("csvs/u.csv", header(","));
  Omissions omissions;
  EXPECT_EQ(OpenFaceFolder(csvs, frames, {.omissions = &omissions}).videos(), 1);
  EXPECT_EQ(omissions.bad_rows, 2);
}

}  // namespace
}  // namespace mien::affect
