// The annotations of ABAW4: multi-task rows with missing labels, lists, folders.

#include <gtest/gtest.h>
#include <mien/affect/abaw_lsd.hpp>
#include <mien/affect/abaw_mtl.hpp>
#include <mien/affect/image_list.hpp>

#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

namespace mien::affect {
namespace {

const std::string no_units = ",-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1\n";

class AbawMtl : public testing::Test {
 protected:
  MtlRows read(const std::string& rows, const ReadOptions& options = {.check_images = false}) {
    path_ = folder_.write("list.txt", "image,valence,arousal,expression,aus\r\n" + rows);
    return read_mtl_annotations(path_, folder_ / "cropped", options);
  }

  test::TemporaryFolder folder_;
  std::string path_;
};

TEST_F(AbawMtl, ReadsLabelsAndTheirAbsence) {
  const MtlRows read = this->read(
      "video45_1/00001.jpg,0.25,-0.5,7,0,1,0,1,0,1,0,1,0,1,0,1\r\n"
      "134-30-1280x720/00002.jpg,-5,-5,3" +
      no_units +
      "197/00003.jpg,0.5,-5,-1,1,1,1,1,1,1,1,1,1,1,1,-1\n"  // half of V and A, 11 of 12 units
      "197/00004.jpg,0.5,-5,-1,1,1,1,1,1,1,1,1,1,1,1,1\n"
      "197/00004.jpg,-1,1,-1" +
      no_units + "197/00005.jpg,-5.0,-5.0,-1" + no_units);
  ASSERT_EQ(read.rows.size(), 4u);
  EXPECT_EQ(read.unlabelled, 2);
  const MtlRow &all = read.rows[0], &expression = read.rows[1], &units = read.rows[2],
               &affect = read.rows[3];
  EXPECT_EQ(all.image, "video45_1/00001.jpg");
  EXPECT_TRUE(all.has_va && all.has_expression && all.has_action_units);
  EXPECT_EQ(all.valence, 0.25f);
  EXPECT_EQ(all.arousal, -0.5f);
  EXPECT_EQ(all.expression, 7);
  EXPECT_EQ(all.action_units, (std::array<std::uint8_t, 12>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_TRUE(expression.has_expression && !expression.has_va && !expression.has_action_units);
  EXPECT_EQ(expression.expression, 3);
  EXPECT_EQ(expression.valence, 0);
  EXPECT_TRUE(units.has_action_units && !units.has_va && !units.has_expression);
  EXPECT_EQ(units.valence, 0);
  EXPECT_EQ(units.expression, 0);
  EXPECT_EQ(units.action_units[11], 1);
  EXPECT_TRUE(affect.has_va && !affect.has_action_units);
  EXPECT_EQ(affect.image, units.image);  // doubled images stay
  EXPECT_EQ(affect.action_units, (std::array<std::uint8_t, 12>{}));
}

TEST_F(AbawMtl, ErrorsSayWhere) {
  const auto expect_error = [&](const std::string& row, const std::string& error) {
    EXPECT_EQ(test::thrown([&] { read("\n" + row + no_units); }),
              "[" + folder_ / "list.txt" + ":3] " + error);
  };
  expect_error("v/1.jpg,2,0,0", "valence: expected a number from -1 to 1, or -5 for none, got '2'");
  expect_error("v/1.jpg,0,-4,0",
               "arousal: expected a number from -1 to 1, or -5 for none, got '-4'");
  expect_error("v/1.jpg,0,0,8",
               "expression: expected a label from 0 to 7, or -1 for none, got '8'");
  expect_error("v/1.jpg,0,0,1.0", "expression: expected a whole number, got '1.0'");
  expect_error("v/1.jpg,0,0", "expected 16 fields, got 15");
  expect_error("1.jpg,0,0,0", "image: expected VIDEO/FRAME.jpg, got '1.jpg'");
  expect_error("../1.jpg,0,0,0", "image: expected VIDEO/FRAME.jpg, got '../1.jpg'");
  expect_error("a/b/1.jpg,0,0,0", "image: expected VIDEO/FRAME.jpg, got 'a/b/1.jpg'");
  EXPECT_EQ(test::thrown([&] { read("v/1.jpg,0,0,0,0,0,0,0,0,0,0,0,0,0,2,0\n"); }),
            "[" + path_ + ":2] AU25: expected 0 or 1, or -1 for none, got '2'");
}

TEST_F(AbawMtl, ImagesMustBeThere) {
  folder_.write("cropped/v/1.jpg", "");
  const std::string rows = "v/1.jpg,0,0,0" + no_units + "v/2.jpg,0,0,0" + no_units;
  EXPECT_EQ(test::thrown([&] { read(rows, {}); }),
            "[" + folder_ / "list.txt" + ":3] there is no image " + folder_ / "cropped/v/2.jpg");
  Omissions omissions;
  EXPECT_EQ(read(rows, {.omissions = &omissions}).rows.size(), 1u);
  EXPECT_EQ(omissions.missing_images, 1);
}

TEST(AbawLists, NamesInTheirOrder) {
  const test::TemporaryFolder folder;
  const std::string list =
      folder.write("list.txt", "image,valence,arousal,expression,aus\nv/2.jpg\r\nv/1.jpg\nv/2.jpg");
  EXPECT_EQ(read_image_list(list, ".", {.check_images = false}),
            (std::vector<std::string>{"v/2.jpg", "v/1.jpg", "v/2.jpg"}));
  folder.write("images/v/2.jpg", "");
  EXPECT_NE(test::thrown([&] {
              read_image_list(list, folder / "images");
            }).find("list.txt:3] there is no image"),
            std::string::npos);
  const std::string bad = folder.write("bad.txt", "image,expression\n0.jpg,1\n");
  EXPECT_EQ(test::thrown([&] { read_image_list(bad, "."); }),
            "[" + bad + ":2] expected 1 fields, got 2");
}

TEST(AbawLsd, FoldersWithTheirMisspelling) {
  const test::TemporaryFolder folder;
  for (const char* name : {"ANGRER/2.jpg", "ANGRER/10.jpg", "ANGRER/a.png", "SURPRISE/1.JPG"})
    folder.write(std::string("lsd/") + name, "");
  const auto rows = read_lsd_folder(folder / "lsd");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].image, folder / "lsd/ANGRER/10.jpg");
  EXPECT_EQ(rows[0].expression, 0);
  EXPECT_EQ(rows[1].image, folder / "lsd/ANGRER/2.jpg");
  EXPECT_EQ(rows[2].expression, 5);
  folder.write("lsd/NEUTRAL/1.jpg", "");
  EXPECT_NE(test::thrown([&] {
              read_lsd_folder(folder / "lsd");
            }).find("lsd/NEUTRAL] expected one of ANGRER,"),
            std::string::npos);
  Omissions omissions;
  EXPECT_EQ(read_lsd_folder(folder / "lsd", {.omissions = &omissions}).size(), 3u);
  EXPECT_EQ(omissions.bad_rows, 1);
  EXPECT_NE(test::thrown([&] { read_lsd_folder(folder / "none"); }).find("cannot be listed"),
            std::string::npos);
}

}  // namespace
}  // namespace mien::affect
