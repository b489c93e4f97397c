// AffectNet's releases, strictly and leniently, and which of them a folder holds.

#include <gtest/gtest.h>
#include <mien/affect/affectnet.hpp>

#include <affect/npy_file.hpp>

#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

namespace mien::affect {
namespace {

constexpr std::string_view header_2017 =
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,"
    "valence,arousal\n";

class AffectNet : public testing::Test {
 protected:
  // A list of 2017 with these rows, and its reading.
  AffectNetRows read_2017(const std::string& rows, const ReadOptions& options = {}) {
    const std::string path = folder_.write("training.csv", std::string(header_2017) + rows);
    return read_affectnet_2017(path, folder_ / "Manually_Annotated_Images", options);
  }
  std::string error_2017(const std::string& rows) {
    return test::thrown([&] { read_2017(rows, {.check_images = false}); });
  }
  void add_image(const std::string& name) { folder_.write(name, "no picture"); }
  void add_2021(const std::string& id, const std::string& label, const std::string& valence,
                const std::string& arousal) {
    const std::string stem = "train_set/annotations/" + id;
    folder_.write(stem + "_exp.npy", test::npy_file(label));
    folder_.write(stem + "_val.npy", test::npy_file(valence));
    folder_.write(stem + "_aro.npy", test::npy_file(arousal));
    add_image("train_set/images/" + id + ".jpg");
  }

  test::TemporaryFolder folder_;
};

TEST_F(AffectNet, ListOf2017) {
  add_image("Manually_Annotated_Images/1/a.jpg");
  add_image("Manually_Annotated_Images/2/b.PNG");
  const AffectNetRows read = read_2017(
      "1/a.jpg,12.0,3.5,100.25,90,1;2,6,-0.25,0.5\r\n"
      "2/b.PNG,0,0,50,50,,0,-2,-2\n"
      "1/a.jpg,1,2,3,4,,7,1,-1\n"       // the same image again
      "1/none.jpg,NULL,,,,,10,-2,-2\n"  // no face: its box is not looked at
      "1/none.jpg,0,0,10,10,,8,0,0\n"
      "1/none.jpg,-1,-1,-1,-1,,1,0.5,0.5\n");
  ASSERT_EQ(read.rows.size(), 3u);
  EXPECT_EQ(read.no_expression, 2);
  EXPECT_EQ(read.no_face, 1);
  const AffectNetRow& first = read.rows[0];
  EXPECT_EQ(first.image, folder_ / "Manually_Annotated_Images/1/a.jpg");
  EXPECT_EQ(first.expression, 6);
  EXPECT_EQ(first.output(), 0);  // Anger
  EXPECT_TRUE(first.has_va);
  EXPECT_EQ(first.valence, -0.25f);
  EXPECT_EQ(first.arousal, 0.5f);
  ASSERT_TRUE(first.box.has_value());
  EXPECT_EQ(first.box->x, 12);
  EXPECT_EQ(first.box->y, 3.5);
  EXPECT_EQ(first.box->width, 100.25);
  EXPECT_EQ(first.box->height, 90);
  EXPECT_FALSE(read.rows[1].has_va);
  EXPECT_EQ(read.rows[1].valence, 0);
  EXPECT_EQ(read.rows[1].output(), 5);  // Neutral
  EXPECT_EQ(read.rows[2].image, first.image);
  EXPECT_EQ(read.rows[2].output(), 1);  // Contempt
}

TEST_F(AffectNet, ErrorsOfThe2017ListSayWhere) {
  const auto expect_error = [&](const std::string& row, const std::string& error) {
    EXPECT_EQ(error_2017("1/a.jpg,1,2,3,4,,0,0,0\n" + row + "\n"),
              "[" + folder_ / "training.csv" + ":3] " + error);
  };
  expect_error("1/a.jpg,1,2,3,4,,6,x,0", "valence: expected a number, got 'x'");
  expect_error("1/a.jpg,1,2,3,4,,6,0,1.5",
               "arousal: expected a number from -1 to 1, or -2 for none, got '1.5'");
  expect_error("1/a.jpg,1,2,3,4,,11,0,0", "expression: expected a label from 0 to 10, got '11'");
  expect_error("1/a.jpg,1,2,3,4,,-1,0,0", "expression: expected a label from 0 to 10, got '-1'");
  expect_error("1/a.jpg,1,2,3,4,,6.0,0,0", "expression: expected a whole number, got '6.0'");
  expect_error("1/a.jpg,1,NULL,3,4,,6,0,0", "face_y: expected a number, got 'NULL'");
  expect_error("1/a.jpg,1,2,3,4,6,0,0", "expected 9 fields, got 8");
  for (const std::string path : {"/etc/passwd", "../a.jpg", "1/../../a.jpg", ""})
    expect_error(
        path + ",1,2,3,4,,6,0,0",
        "subDirectory_filePath: expected a path inside the folder of images, got '" + path + "'");
  const std::string other = folder_.write("other.csv", "a,b\n");
  EXPECT_EQ(test::thrown([&] { read_affectnet_2017(other, "."); }),
            "[" + other + ":1] expected a column subDirectory_filePath, got a,b");
}

TEST_F(AffectNet, ImagesMustBeThere) {
  const std::string row = "1/a.jpg,1,2,3,4,,6,0,0\n";
  EXPECT_EQ(test::thrown([&] { read_2017(row); }),
            "[" + folder_ / "training.csv" + ":2] there is no image " +
                folder_ / "Manually_Annotated_Images/1/a.jpg");
  EXPECT_EQ(read_2017(row, {.check_images = false}).rows.size(), 1u);
}

TEST_F(AffectNet, LenientReadingGoesOn) {
  add_image("Manually_Annotated_Images/1/a.jpg");
  Omissions omissions;
  const AffectNetRows read = read_2017(
      "1/a.jpg,1,2,3,4,,0,0,0\n"
      "too,short\n"
      "1/gone.jpg,1,2,3,4,,0,0,0\n"
      "1/a.jpg,1,2,3,4,,0,x,0\n"
      "1/a.jpg,1,2,3,4,,1,0,0",
      {.omissions = &omissions});
  ASSERT_EQ(read.rows.size(), 2u);
  EXPECT_EQ(read.rows[1].expression, 1);
  EXPECT_EQ(omissions.bad_rows, 2);
  EXPECT_EQ(omissions.missing_images, 1);
  ASSERT_EQ(omissions.reasons.size(), 3u);
  EXPECT_NE(omissions.reasons[0].find("training.csv:3] expected 9 fields"), std::string::npos);
  EXPECT_NE(omissions.reasons[1].find("training.csv:4] there is no image"), std::string::npos);
  EXPECT_NE(omissions.reasons[2].find("training.csv:5] valence"), std::string::npos);
}

TEST_F(AffectNet, LenientReadingKeepsTheFirstReasons) {
  std::string rows;
  for (int i = 0; i < 150; ++i) rows += "x\n";
  Omissions omissions;
  read_2017(rows, {.omissions = &omissions});
  EXPECT_EQ(omissions.bad_rows, 150);
  EXPECT_EQ(omissions.reasons.size(), Omissions::max_reasons);
}

TEST_F(AffectNet, FilteredList) {
  add_image("faces/Happiness/a.jpg");
  const std::string faces = folder_ / "faces";
  std::string path = folder_.write("list.csv",
                                   ",filepath,emotion,valence,arousal\n"
                                   "0,Happiness/a.jpg,Happiness,0.75,0.25\n"
                                   "1,None/b.jpg,None,0,0\n");
  const AffectNetRows read = read_affectnet_filtered(path, faces);
  ASSERT_EQ(read.rows.size(), 1u);
  EXPECT_EQ(read.no_expression, 1);
  EXPECT_EQ(read.rows[0].image, folder_ / "faces/Happiness/a.jpg");
  EXPECT_EQ(read.rows[0].output(), 4);
  EXPECT_EQ(read.rows[0].valence, 0.75f);
  EXPECT_FALSE(read.rows[0].box.has_value());
  path = folder_.write("list.csv",
                       "filepath,emotion,valence,arousal\nHappiness/a.jpg,Joy,0.75,0.25\n");
  EXPECT_EQ(test::thrown([&] { read_affectnet_filtered(path, faces); }),
            "[" + path + ":2] emotion: expected an emotion's name, got 'Joy'");
}

TEST_F(AffectNet, ReleaseOf2021) {
  add_2021("2", "6", "-0.5", "0.25");
  add_2021("10", "0", "-2", "-2");
  add_2021("3", "8", "0", "0");
  const AffectNetRows read = read_affectnet_2021(folder_ / "train_set");
  ASSERT_EQ(read.rows.size(), 2u);
  EXPECT_EQ(read.no_expression, 1);
  EXPECT_EQ(read.rows[0].image, folder_ / "train_set/images/10.jpg");
  EXPECT_FALSE(read.rows[0].has_va);
  EXPECT_EQ(read.rows[1].output(), 0);
  EXPECT_EQ(read.rows[1].valence, -0.5f);
  EXPECT_EQ(read.rows[1].arousal, 0.25f);
}

TEST_F(AffectNet, ErrorsOfTheReleaseOf2021) {
  const std::string root = folder_ / "train_set";
  const auto error = [&] { return test::thrown([&] { read_affectnet_2021(root); }); };
  EXPECT_NE(error().find("annotations/] cannot be listed"), std::string::npos);
  for (const std::string label : {"11", "-1", "1.5"}) {
    add_2021("1", label, "0", "0");
    EXPECT_NE(error().find("1_exp.npy] expected a label from 0 to 10, got " + label),
              std::string::npos);
  }
  add_2021("1", "x", "0", "0");
  EXPECT_NE(error().find("1_exp.npy] expected a number, got 'x'"), std::string::npos);
  add_2021("1", "1", "0", "3");
  EXPECT_NE(error().find("_val.npy, _aro.npy: expected numbers"), std::string::npos) << error();
  add_2021("1", "1", "0", "0");
  EXPECT_EQ(error(), "nothing was thrown");
  add_image("train_set/images/2.jpg");
  EXPECT_NE(error().find("images/2.jpg] has no annotation 2_exp.npy"), std::string::npos);
  add_2021("2", "1", "0", "0");
  std::filesystem::remove(root + "/images/1.jpg");
  std::filesystem::remove(root + "/annotations/2_val.npy");
  EXPECT_NE(error().find("1_exp.npy] there is no image"), std::string::npos);
  Omissions omissions;
  EXPECT_EQ(read_affectnet_2021(root, {.omissions = &omissions}).rows.size(), 0u);
  EXPECT_EQ(omissions.missing_images, 1);
  EXPECT_EQ(omissions.bad_rows, 1);
}

TEST_F(AffectNet, FoldersInTheOrderOfBytes) {
  for (const char* name : {"Anger/b.jpg", "Anger/B.JPG", "Anger/a.png", "Anger/notes.txt",
                           "Anger/.hidden.jpg", "Contempt/a.jpg", "Surprise/x.jpeg"})
    add_image(std::string("train/") + name);
  const AffectNetRows read = read_affectnet_folders(folder_ / "train");
  std::vector<std::string> names;
  std::vector<std::int64_t> outputs;
  for (const AffectNetRow& row : read.rows) {
    names.push_back(row.image.substr((folder_ / "train/").size()));
    outputs.push_back(row.output());
    EXPECT_FALSE(row.has_va);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"Anger/B.JPG", "Anger/a.png", "Anger/b.jpg",
                                             "Contempt/a.jpg", "Surprise/x.jpeg"}));
  EXPECT_EQ(outputs, (std::vector<std::int64_t>{0, 0, 0, 1, 7}));
  add_image("train/Joy/a.jpg");
  EXPECT_EQ(test::thrown([&] { read_affectnet_folders(folder_ / "train"); }),
            "[" + folder_ / "train/Joy" + "] expected the name of an emotion");
}

TEST_F(AffectNet, FindsTheReleases) {
  const std::string root = folder_.path().string();
  const auto found = [&](Split split) {
    std::string names;
    for (const AffectNetRelease release : find_affectnet(root, split))
      names += std::string(to_string(release)) + ' ';
    return names;
  };
  EXPECT_EQ(found(Split::train), "");
  EXPECT_NE(test::thrown([&] {
              read_affectnet(root, Split::train);
            }).find("] holds no train part of AffectNet"),
            std::string::npos);
  add_2021("1", "3", "0", "0");
  EXPECT_EQ(found(Split::train), "npy_2021 ");
  EXPECT_EQ(read_affectnet(root, Split::train).rows.at(0).output(), 7);
  add_image("Manually_Annotated_Images/1/a.jpg");
  read_2017("1/a.jpg,1,2,3,4,,2,0,0\n");
  EXPECT_EQ(found(Split::train), "csv_2017 npy_2021 ");
  EXPECT_EQ(read_affectnet(root, Split::train).rows.at(0).output(), 6);
  add_image("224/train/Fear/a.jpg");
  EXPECT_EQ(found(Split::train), "csv_2017 npy_2021 folders ");
  add_image("full_res/train/Fear/b.jpg");
  folder_.write("training_filtered.csv",
                "filepath,emotion,valence,arousal\nFear/b.jpg,Fear,-0.5,0.5\n");
  EXPECT_EQ(found(Split::train), "filtered_csv csv_2017 npy_2021 folders ");
  EXPECT_EQ(read_affectnet(root, Split::train).rows.at(0).valence, -0.5f);
  EXPECT_EQ(read_affectnet(root, Split::train, AffectNetRelease::folders).rows.at(0).image,
            folder_ / "full_res/train/Fear/b.jpg");
  EXPECT_EQ(found(Split::validation), "");
}

}  // namespace
}  // namespace mien::affect
