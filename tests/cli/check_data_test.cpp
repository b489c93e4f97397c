// mien-check-data on small folders of every layout.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <affect/npy_file.hpp>
#include <cli/programs.hpp>

#include <mien/affect/openface.hpp>

namespace mien::test {
namespace {

using nlohmann::json;

const std::string header_2017 =
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,"
    "valence,arousal\n";

class CheckData : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), folder_.path().string());
    return run_program("check-data", arguments);
  }
  // The reports of a run that ends with `exit_code`.
  json reports(std::vector<std::string> arguments, int exit_code = 0) {
    arguments.push_back("--json");
    const ProcessResult done = run(arguments);
    EXPECT_EQ(done.exit_code, exit_code) << done.out << done.err;
    return json::parse(done.out)["reports"];
  }
  void add_image(const std::string& name, int seed) {
    const std::string path = folder_ / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    data::write_image(path, picture(8 + seed, 8));
  }

  TemporaryFolder folder_;
};

TEST_F(CheckData, AffectNetOf2017) {
  add_image("Manually_Annotated_Images/1/a.jpg", 0);
  add_image("Manually_Annotated_Images/1/b.jpg", 1);
  add_image("Manually_Annotated_Images/1/same.jpg", 1);
  folder_.write("training.csv", header_2017 +
                                    "1/a.jpg,0,0,8,8,,1,-0.5,0.25\n"
                                    "1/a.jpg,0,0,4,4,,6,1,-1\n"
                                    "1/b.jpg,0,0,4,4,,6,-2,-2\n"
                                    "1/c.jpg,0,0,-1,4,,6,0,0\n"
                                    "1/c.jpg,0,0,4,4,,10,0,0\n");
  folder_.write("validation.csv", header_2017 +
                                      "1/a.jpg,0,0,8,8,,0,0,0\n"
                                      "1/same.jpg,0,0,8,8,,0,0,0\n");
  const json all = reports({"--decode", "--digest"});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["kind"], "affectnet");
  EXPECT_EQ(all[0]["form"], "csv_2017");
  EXPECT_EQ(all[0]["problem_count"], 0);
  const json& train = all[0]["tables"]["train"];
  EXPECT_EQ(train["faces"], json({{"found", 3}, {"paper", 287652}}));
  EXPECT_EQ(train["Happiness"], json({{"found", 1}, {"paper", 134416}}));
  EXPECT_EQ(train["Anger"], json({{"found", 2}, {"paper", 24882}}));
  EXPECT_EQ(train["Contempt"], json({{"found", 0}, {"paper", 3750}}));
  EXPECT_EQ(train["with valence and arousal"], 2);
  EXPECT_EQ(train["without valence and arousal"], 1);
  EXPECT_EQ(train["least valence"], -0.5);
  EXPECT_EQ(train["greatest valence"], 1.0);
  EXPECT_EQ(train["least arousal"], -1.0);
  EXPECT_EQ(train["other labels (8 to 10)"], 1);
  EXPECT_EQ(train["without a face box"], 1);
  EXPECT_EQ(train["rows of the list"], json({{"found", 5}, {"paper", 414800}}));
  EXPECT_EQ(train["rows that repeat an image"], 1);
  EXPECT_EQ(train["images that repeat content"], 0);
  EXPECT_EQ(train["images that cannot be read"], 0);
  EXPECT_EQ(all[0]["tables"]["validation"]["Neutral"], json({{"found", 2}, {"paper", 500}}));
  const json& both = all[0]["tables"]["train and validation"];
  EXPECT_EQ(both["images of both, by name"], 1);
  EXPECT_EQ(both["images of both, by content"], 2);  // a.jpg, and b.jpg under another name
}

TEST_F(CheckData, TellsWhatIsBrokenAndMissing) {
  folder_.write("Manually_Annotated_Images/1/a.jpg", "no picture");
  folder_.write("training.csv", header_2017 +
                                    "1/a.jpg,0,0,8,8,,1,-0.5,0.25\n"
                                    "1/gone.jpg,0,0,8,8,,1,-0.5,0.25\n"
                                    "1/a.jpg,0,0,8,8,,1,x,0.25\n");
  const json report = reports({"--decode"}, 1).at(0);
  EXPECT_EQ(report["problem_count"], 4);
  const json& train = report["tables"]["train"];
  EXPECT_EQ(train["missing images"], 1);
  EXPECT_EQ(train["bad rows"], 1);
  EXPECT_EQ(train["images that cannot be read"], 1);
  const std::string problems = report["problems"].dump();
  for (const char* text : {"training.csv:3] there is no image", "training.csv:4] valence: expected",
                           "1/a.jpg: ", "the validation part is missing"})
    EXPECT_NE(problems.find(text), std::string::npos) << problems;

  const ProcessResult done = run({});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_NE(done.out.find("affectnet, csv_2017 in "), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("Happiness                               1     134416  -134415\n"),
            std::string::npos)
      << done.out;
  EXPECT_NE(done.out.find("problems: 3\n"), std::string::npos) << done.out;
}

TEST_F(CheckData, OtherFormsOfAffectNet) {
  for (const char* part : {"train", "val"}) {
    add_image(str("full_res/", part, "/Fear/a.jpg"), 2);
    const std::string id = str(part, "_set/annotations/7");
    for (const char* what : {"exp", "val", "aro"})
      folder_.write(str(id, '_', what, ".npy"), npy_file(what[0] == 'e' ? "4" : "0.5"));
    add_image(str(part, "_set/images/7.jpg"), 3);
  }
  for (const char* name : {"training", "validation"})
    folder_.write(str(name, "_filtered.csv"),
                  "filepath,emotion,valence,arousal\nFear/a.jpg,Fear,-0.5,0.5\n");
  const json all = reports({"--kind", "affectnet", "--digest"});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["form"], "filtered_csv");
  EXPECT_EQ(all[1]["form"], "npy_2021");
  EXPECT_EQ(all[2]["form"], "folders");
  for (const json& report : all) {
    EXPECT_EQ(report["tables"]["validation"]["Fear"]["found"], 1) << report;
    EXPECT_EQ(report["tables"]["train and validation"]["images of both, by content"], 1);
  }
  EXPECT_EQ(all[2]["tables"]["train"]["faces"], json({{"found", 1}, {"paper", 287651}}));
  EXPECT_EQ(all[2]["tables"]["train"]["Fear"], 1);  // not known beside the paper's
  EXPECT_EQ(all[0]["tables"]["train and validation"]["images of both, by name"], 1);
}

TEST_F(CheckData, MultiTaskSetAndOpenFace) {
  const std::string header = "image,valence,arousal,expression,aus\n", va = ",0.5,0.5",
                    none = ",-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1\n";
  folder_.write("training_set_annotations.txt",
                header + "v/00001.jpg" + va + ",7" + none + "v/00001.jpg" + va + ",-1" + none +
                    "v/00002.jpg,-5,-5,0" + none + "v/00002.jpg,-5,-5,-1" + none);
  folder_.write("validation_set_annotations.txt",
                header + "v/00002.jpg,-5,-5,-1,0,0,0,0,0,0,0,0,0,0,0,1\n");
  folder_.write("MTL_Challenge_test_set_release.txt", header + "w/1.jpg\nw/1.jpg\n");
  for (const char* name : {"cropped_aligned/v/00001.jpg", "cropped_aligned/v/00002.jpg",
                           "mtl_test_data/cropped_aligned/w/1.jpg"})
    add_image(name, 1);
  std::string openface = "frame,success", features;
  for (const std::string_view name : affect::openface_features) {
    openface += ',' + std::string(name);
    features += ",0";
  }
  folder_.write("openface_aus_cropped_aligned/v.csv",
                openface + "\n1,1" + features + "\n2,0" + features + "\n");
  const json all = reports({});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["kind"], "abaw-mtl");
  EXPECT_EQ(all[0]["problem_count"], 0) << all[0];
  const json& train = all[0]["tables"]["train"];
  EXPECT_EQ(train["rows with a label"], json({{"found", 3}, {"paper", 142333}}));
  EXPECT_EQ(train["with valence and arousal"], json({{"found", 2}, {"paper", 103917}}));
  EXPECT_EQ(train["with an expression"], json({{"found", 2}, {"paper", 90645}}));
  EXPECT_EQ(train["Other"], json({{"found", 1}, {"paper", 24852}}));
  EXPECT_EQ(train["Neutral"], json({{"found", 1}, {"paper", 23976}}));
  EXPECT_EQ(train["rows without any label"], 1);
  EXPECT_EQ(train["rows that repeat an image"], 1);
  EXPECT_EQ(all[0]["tables"]["validation"]["AU26"], 1);
  const json& both = all[0]["tables"]["train and validation"];
  EXPECT_EQ(both["images of both, by name"], 1);
  EXPECT_EQ(both["different images"], json({{"found", 2}, {"paper", 168097}}));
  const json& test = all[0]["tables"]["test"];
  EXPECT_EQ(test["rows"], json({{"found", 2}, {"paper", 51159}}));
  EXPECT_EQ(test["different images"], json({{"found", 1}, {"paper", 50441}}));

  EXPECT_EQ(all[1]["kind"], "openface");
  const json& units = all[1]["tables"]["train and validation"];
  EXPECT_EQ(units["train: with action units"], json({{"found", 2}, {"paper", 133568}}));
  EXPECT_EQ(units["train: without success"], json({{"found", 1}, {"paper", 8765}}));
  EXPECT_EQ(units["validation: without success"], json({{"found", 1}, {"paper", 1080}}));
  EXPECT_EQ(units["train: without a row"], 0);
  EXPECT_NE(all[1]["notes"].dump().find("test set"), std::string::npos);
}

TEST_F(CheckData, SyntheticDataSet) {
  add_image("training_set_synthetic_images/ANGRER/1.jpg", 1);
  add_image("training_set_synthetic_images/SADNESS/1.jpg", 2);
  add_image("validation_set_real_images/SADNESS/1.jpg", 2);
  add_image("lsd_test_data/0.jpg", 3);
  folder_.write("LSD_Challenge_test_set_release.txt", "image,expression\n0.jpg\n1.jpg\n");
  const json report = reports({"--digest"}, 1).at(0);
  EXPECT_EQ(report["kind"], "abaw-lsd");
  const json& tables = report["tables"];
  EXPECT_EQ(tables["train"]["images"], json({{"found", 2}, {"paper", 277251}}));
  EXPECT_EQ(tables["train"]["ANGRER"], json({{"found", 1}, {"paper", 18286}}));
  EXPECT_EQ(tables["validation"]["SADNESS"], 1);
  EXPECT_EQ(tables["train and validation"]["images of both, by content"], 1);
  EXPECT_EQ(tables["test"]["rows"], json({{"found", 1}, {"paper", 106120}}));
  EXPECT_EQ(tables["test"]["missing images"], 1);
  EXPECT_EQ(report["problem_count"], 1);
  std::filesystem::remove(folder_ / "LSD_Challenge_test_set_release.txt");
  EXPECT_EQ(reports({}).at(0)["problem_count"], 0);
  const json counted = reports({"--paper-counts"}, 1).at(0);
  EXPECT_NE(counted["problems"].dump().find("train: ANGRER: expected 18286, got 1"),
            std::string::npos);
}

TEST_F(CheckData, SaysWhatItCannotCheck) {
  const ProcessResult empty = run({});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_NE(empty.err.find("holds no data that is known here"), std::string::npos);
  EXPECT_EQ(run({"--kind", "affectnet"}).exit_code, 1);
  EXPECT_EQ(run({"--kind", "openface"}).exit_code, 1);
  const json report = reports({"--kind", "abaw-mtl"}, 1).at(0);
  EXPECT_NE(report["problems"].dump().find("training_set_annotations.txt is missing"),
            std::string::npos);
  EXPECT_EQ(run({"--kind", "imagenet"}).exit_code, 2);
  EXPECT_EQ(run_program("check-data", {}).exit_code, 2);
  EXPECT_EQ(run_program("check-data", {folder_ / "nowhere"}).exit_code, 2);
}

}  // namespace
}  // namespace mien::test
