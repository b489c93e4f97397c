// mien-synth as a user meets it. What it writes is read by the readers that real data is read by,
// in their strict mode.

#include <cli/programs.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <set>
#include <sstream>

#include <mien/affect/abaw_lsd.hpp>
#include <mien/affect/abaw_mtl.hpp>
#include <mien/affect/affectnet.hpp>
#include <mien/affect/image_list.hpp>
#include <mien/affect/openface_folder.hpp>
#include <mien/io/npy.hpp>

namespace mien::test {
namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::istringstream stream(content(path));
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> fields_of(const std::string& line, char separator = ',') {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, separator);) fields.push_back(field);
  return fields;
}

// All files below a folder, by name.
std::map<std::string, std::string> contents(const std::string& folder) {
  std::map<std::string, std::string> all;
  for (const std::string& name : files_in(folder)) all[name] = content(folder + '/' + name);
  return all;
}

// Mean difference of neighbouring samples: how sharp a picture is.
double sharpness(const std::string& path) {
  const data::Image image = data::read_image(path);
  double sum = 0;
  const auto samples = image.samples<std::uint8_t>();
  for (std::size_t i = 3; i < samples.size(); ++i) sum += std::abs(samples[i] - samples[i - 3]);
  return sum / static_cast<double>(samples.size());
}

class SynthProgram : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments, const std::string& threads = "2") {
    return run_program(
        "synth", std::move(arguments),
        {.folder = folder_.path().string(), .environment = {{"MIEN_NUM_THREADS", threads}}});
  }
  void expect_done(const std::vector<std::string>& arguments) {
    const ProcessResult done = run(arguments);
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }

  TemporaryFolder folder_;
};

TEST_F(SynthProgram, FacesHaveTheirLabels) {
  expect_done({"faces", "out", "--count", "17", "--size", "40"});
  const auto lines = lines_of(folder_ / "out/labels.csv");
  ASSERT_EQ(lines.size(), 18u);
  EXPECT_TRUE(lines[0].starts_with("image,expression,valence,arousal,AU1,AU2,AU4,")) << lines[0];
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = fields_of(lines[i]);
    ASSERT_EQ(fields.size(), 22u) << lines[i];
    const data::Image image = data::read_image(folder_ / ("out/" + fields[0]));
    EXPECT_EQ(image.width(), 40);
    EXPECT_EQ(image.height(), 40);
    EXPECT_EQ(image.channels(), 3);
    for (std::size_t k = 2; k < fields.size(); ++k) {
      EXPECT_GE(std::stod(fields[k]), k < 4 ? -1 : 0) << lines[i];
      EXPECT_LE(std::stod(fields[k]), 1) << lines[i];
    }
  }
}

// Action units by EMFACS, and the quadrants of the circumplex.
TEST_F(SynthProgram, LabelsOfAFaceAgree) {
  expect_done({"faces", "out", "--count", "160", "--size", "32"});
  std::map<std::string, std::map<std::string, double>> mean;
  const auto lines = lines_of(folder_ / "out/labels.csv");
  const auto names = fields_of(lines[0]);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = fields_of(lines[i]);
    for (std::size_t k = 2; k < fields.size(); ++k)
      mean[fields[1]][names[k]] += std::stod(fields[k]) / 20;
  }
  ASSERT_EQ(mean.size(), 8u);
  EXPECT_GT(mean["Happiness"]["AU12"], 0.4);
  EXPECT_GT(mean["Happiness"]["valence"], 0.3);
  EXPECT_GT(mean["Sadness"]["AU15"], 0.4);
  EXPECT_LT(mean["Sadness"]["arousal"], 0);
  EXPECT_GT(mean["Surprise"]["AU26"], 0.4);
  EXPECT_GT(mean["Surprise"]["arousal"], 0.4);
  EXPECT_GT(mean["Fear"]["AU20"], 0.4);
  EXPECT_GT(mean["Disgust"]["AU10"], 0.4);
  EXPECT_GT(mean["Anger"]["AU4"], 0.4);
  EXPECT_LT(mean["Anger"]["valence"], -0.3);
  EXPECT_GT(mean["Contempt"]["AU14"], 0.4);
  for (const auto& [name, value] : mean["Neutral"]) EXPECT_LT(std::abs(value), 0.15) << name;
}

TEST_F(SynthProgram, BytesDependOnTheSeedAlone) {
  const std::vector<std::vector<std::string>> commands = {
      {"faces", "--count", "9", "--size", "32"},
      {"affectnet", "--train", "12", "--val", "8", "--size", "32", "--label-noise", "0.2"},
      {"abaw-mtl", "--train", "24", "--val", "8", "--test", "8", "--frames", "8", "--size", "32"},
      {"abaw-lsd", "--train", "12", "--val", "6", "--test", "6", "--size", "32"}};
  for (const auto& command : commands) {
    const auto write = [&](const std::string& out, const std::string& threads,
                           const std::string& seed) {
      auto arguments = command;
      arguments.insert(arguments.end(), {out, "--seed", seed});
      const ProcessResult done = run(arguments, threads);
      EXPECT_EQ(done.exit_code, 0) << done.err;
      return contents(folder_ / out);
    };
    const auto one = write(command[0] + "1", "1", "5"), four = write(command[0] + "4", "4", "5"),
               other = write(command[0] + "o", "4", "6");
    EXPECT_GT(one.size(), 8u);
    EXPECT_TRUE(one == four) << command[0];
    EXPECT_FALSE(one == other) << command[0];
  }
}

TEST_F(SynthProgram, AffectNetsReleasesAgree) {
  using affect::AffectNetRelease;
  expect_done({"affectnet", "out", "--train", "40", "--val", "16", "--size", "48"});
  const std::string root = folder_ / "out";
  for (const auto split : {affect::Split::train, affect::Split::validation}) {
    const bool train = split == affect::Split::train;
    EXPECT_EQ(affect::find_affectnet(root, split).size(), 4u);
    const auto filtered = affect::read_affectnet(root, split, AffectNetRelease::filtered_csv);
    const auto whole = affect::read_affectnet(root, split, AffectNetRelease::csv_2017);
    const auto npy = affect::read_affectnet(root, split, AffectNetRelease::npy_2021);
    const auto folders = affect::read_affectnet(root, split, AffectNetRelease::folders);
    ASSERT_EQ(filtered.rows.size(), train ? 40u : 16u);
    ASSERT_EQ(whole.rows.size(), filtered.rows.size());
    ASSERT_EQ(npy.rows.size(), filtered.rows.size());
    EXPECT_EQ(folders.rows.size(), filtered.rows.size() - (train ? 1 : 0));  // a repeated name
    EXPECT_EQ(whole.no_face, train ? 1 : 0);
    EXPECT_EQ(whole.no_expression, train ? 5 + 2 + 12 : 6);  // None, Uncertain, No-face
    std::array<int, 8> counts{};
    std::multiset<std::pair<int, float>> in_whole, in_npy;
    std::set<std::string> faces;
    for (std::size_t i = 0; i < filtered.rows.size(); ++i) {
      const auto &a = filtered.rows[i], &b = whole.rows[i];
      EXPECT_EQ(a.expression, b.expression);
      EXPECT_EQ(a.valence, b.valence);
      EXPECT_EQ(a.arousal, b.arousal);
      ++counts[static_cast<std::size_t>(a.expression)];
      in_whole.emplace(b.expression, b.valence);
      in_npy.emplace(npy.rows[i].expression, npy.rows[i].valence);
      const data::Image face = data::read_image(a.image), picture = data::read_image(b.image);
      ASSERT_TRUE(b.box.has_value());
      if (faces.insert(a.image).second) {
        EXPECT_EQ(face.height(), static_cast<std::int64_t>(b.box->height)) << a.image;
      }
      EXPECT_LE(b.box->x + b.box->width, static_cast<double>(picture.width()));
      EXPECT_LE(b.box->y + b.box->height, static_cast<double>(picture.height()));
      EXPECT_EQ(data::read_image(npy.rows[i].image).width(), 224);
    }
    EXPECT_EQ(in_whole, in_npy);
    if (train) {
      // 40 in the proportion 74874 : 134416 : 25459 : ..., at least one each.
      EXPECT_EQ(counts, (std::array<int, 8>{9, 16, 4, 3, 2, 1, 4, 1}));
    } else {
      for (const int count : counts) EXPECT_EQ(count, 2);
    }
  }
}

TEST_F(SynthProgram, AffectNetsFilesAreAsPublished) {
  expect_done({"affectnet", "out", "--train", "16", "--val", "8", "--size", "48"});
  const auto lines = lines_of(folder_ / "out/training.csv");
  EXPECT_EQ(lines[0],
            "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
            "expression,valence,arousal");
  std::set<std::string> labels;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = fields_of(lines[i]);
    ASSERT_EQ(fields.size(), 9u);
    EXPECT_EQ(fields_of(fields[5], ';').size(), 136u);
    EXPECT_EQ(fields_of(fields[0], '/')[1].size(), 56 + std::string(".jpg").size());
    labels.insert(fields[6]);
    EXPECT_EQ(std::stod(fields[7]) == -2, fields[6] == "9" || fields[6] == "10") << lines[i];
  }
  EXPECT_EQ(labels.size(), 11u);
  const std::string annotation = folder_ / "out/train_set/annotations/0_";
  EXPECT_NE(content(annotation + "exp.npy").find("'<U1'"), std::string::npos);
  EXPECT_NE(content(annotation + "lnd.npy").find("'shape': (136,)"), std::string::npos);
  for (const char* kind : {"full_res", "full_res_aligned", "224"}) {
    const fs::path seven = folder_.path() / "out" / kind / "seven_emotions/train";
    std::size_t folders = 0;
    for (const auto& entry : fs::directory_iterator(seven)) {
      EXPECT_TRUE(entry.is_symlink());
      EXPECT_TRUE(fs::equivalent(entry, seven / "../../train" / entry.path().filename()));
      ++folders;
    }
    EXPECT_EQ(folders, 7u);
    EXPECT_FALSE(fs::exists(seven / "Contempt"));
  }
}

// Landmarks 60 to 67 run along the inside of the lips, 36 to 41 and 42 to 47 around the eyes: the
// gap of the lips grows with AU26, and the darkest place of an eye is inside its lids.
TEST_F(SynthProgram, LandmarksAreWhereTheFaceIs) {
  expect_done({"affectnet", "out", "--train", "8", "--val", "64", "--size", "96", "--no-2021",
               "--no-folders"});
  std::map<std::string, double> gap;
  int eyes = 0, dark_inside = 0;
  const auto lines = lines_of(folder_ / "out/validation.csv");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = fields_of(lines[i]), numbers = fields_of(fields[5], ';');
    if (std::stoi(fields[6]) >= 8) continue;
    std::vector<double> x, y;
    for (std::size_t k = 0; k < 136; k += 2)
      x.push_back(std::stod(numbers[k])), y.push_back(std::stod(numbers[k + 1]));
    const double size = std::hypot(x[45] - x[36], y[45] - y[36]);
    gap[fields[6]] += std::hypot(x[66] - x[62], y[66] - y[62]) / size / 8;
    const double left = std::stod(fields[1]), width = std::stod(fields[3]);
    for (const double at : x) EXPECT_TRUE(at >= left - 1 && at <= left + width + 1);
    const data::Image image =
        data::read_image(folder_ / ("out/Manually_Annotated_Images/" + fields[0]));
    const auto light = [&](double px, double py) {
      const auto row = image.row<std::uint8_t>(std::llround(py));
      const auto first = static_cast<std::size_t>(3 * std::llround(px));
      return row[first] + row[first + 1] + row[first + 2];
    };
    for (const std::size_t first : {std::size_t{36}, std::size_t{42}}) {
      const double middle_x = (x[first] + x[first + 3]) / 2,
                   middle_y = (y[first] + y[first + 3]) / 2;
      const double below = y[33] - middle_y;  // to the base of the nose: skin half-way
      int darkest = 1000;
      for (double off = -0.3; off <= 0.3; off += 0.05)
        darkest = std::min(darkest, light(middle_x + off * (x[first + 3] - x[first]), middle_y));
      ++eyes;
      dark_inside += darkest < light(middle_x, middle_y + 0.6 * below);
    }
  }
  EXPECT_EQ(eyes, 128);
  EXPECT_GT(dark_inside, 115);
  EXPECT_GT(gap["3"], 3 * gap["0"]);  // surprise, neutral
  EXPECT_LT(gap["6"], 0.05);          // anger
}

TEST_F(SynthProgram, MultiTaskSetLacksLabelsAndRepeatsImages) {
  expect_done({"abaw-mtl", "out", "--train", "300", "--val", "60", "--test", "40", "--frames", "20",
               "--size", "32"});
  const std::string frames = folder_ / "out/cropped_aligned";
  const auto train =
      affect::read_mtl_annotations(folder_ / "out/training_set_annotations.txt", frames);
  const auto loose = affect::read_mtl_annotations(folder_ / "out/training_set_annotations.txt",
                                                  folder_ / "out/cropped");
  EXPECT_EQ(train.rows.size(), loose.rows.size());
  EXPECT_GT(train.rows.size() + static_cast<std::size_t>(train.unlabelled), 300u);  // repeats
  EXPECT_GT(train.unlabelled, 0);
  const auto share = [](const affect::MtlRows& rows, auto has) {
    return static_cast<double>(std::count_if(rows.rows.begin(), rows.rows.end(), has)) /
           static_cast<double>(rows.rows.size());
  };
  EXPECT_NEAR(share(train, [](const auto& row) { return row.has_va; }), 0.73, 0.1);
  EXPECT_NEAR(share(train, [](const auto& row) { return row.has_expression; }), 0.637, 0.1);
  EXPECT_NEAR(share(train, [](const auto& row) { return row.has_action_units; }), 0.726, 0.1);
  const auto validation =
      affect::read_mtl_annotations(folder_ / "out/validation_set_annotations.txt", frames);
  EXPECT_EQ(share(validation, [](const auto& row) { return row.has_va; }), 1);
  EXPECT_EQ(share(validation, [](const auto& row) { return row.has_action_units; }), 1);

  std::set<std::string> train_videos;
  for (const auto& row : train.rows) train_videos.insert(row.image.substr(0, row.image.find('/')));
  for (const auto& row : validation.rows)
    EXPECT_FALSE(train_videos.contains(row.image.substr(0, row.image.find('/')))) << row.image;
  EXPECT_EQ(train_videos.size(), 15u);
  EXPECT_EQ(data::read_image(frames + '/' + train.rows[0].image).width(), 32);
}

TEST_F(SynthProgram, OpenFaceSeesWhatIsLabelled) {
  expect_done({"abaw-mtl", "out", "--train", "200", "--val", "20", "--test", "40", "--frames", "20",
               "--size", "32"});
  const std::string root = folder_ / "out", frames = root + "/cropped_aligned";
  const affect::OpenFaceFolder openface(root + "/openface_aus_cropped_aligned", frames);
  EXPECT_EQ(openface.videos(), 11);
  const auto train = affect::read_mtl_annotations(root + "/training_set_annotations.txt", frames);
  int failures = 0;
  std::array<double, 2> sum{}, count{};
  for (const auto& row : train.rows) {
    const affect::OpenFaceRow* found = openface.find(row.image);
    ASSERT_NE(found, nullptr) << row.image;
    failures += !found->success;
    if (!row.has_action_units || !found->success) continue;
    sum[row.action_units[6]] += found->features[8];  // AU12
    count[row.action_units[6]] += 1;
  }
  EXPECT_GT(failures, 0);
  EXPECT_LT(failures, 40);
  EXPECT_GT(sum[1] / count[1], sum[0] / count[0] + 1);
  EXPECT_NE(content(root + "/openface_aus_cropped_aligned/video2_left.csv").find("frame, face_id"),
            std::string::npos);  // an old version's

  const auto release = lines_of(root + "/MTL_Challenge_test_set_release.txt");
  EXPECT_EQ(release[0], "image,valence,arousal,expression,aus");
  EXPECT_GT(release.size(), 41u);  // one is there twice
  const affect::OpenFaceFolder test(root + "/mtl_test_data/openface_aus_cropped_aligned",
                                    root + "/mtl_test_data/cropped_aligned");
  for (std::size_t i = 1; i < release.size(); ++i)
    EXPECT_NE(test.find(release[i]), nullptr) << release[i];
}

TEST_F(SynthProgram, LearningFromSyntheticDataIsDegraded) {
  expect_done({"abaw-lsd", "out", "--train", "60", "--val", "24", "--test", "12"});
  const auto train = affect::read_lsd_folder(folder_ / "out/training_set_synthetic_images");
  const auto validation = affect::read_lsd_folder(folder_ / "out/validation_set_real_images");
  ASSERT_EQ(train.size(), 60u);
  ASSERT_EQ(validation.size(), 24u);
  std::array<int, 6> counts{};
  for (const auto& row : train) ++counts[static_cast<std::size_t>(row.expression)];
  EXPECT_EQ(std::max_element(counts.begin(), counts.end()) - counts.begin(), 4);  // sadness
  EXPECT_GE(*std::min_element(counts.begin(), counts.end()), 1);
  EXPECT_TRUE(fs::is_directory(folder_.path() / "out/training_set_synthetic_images/ANGRER"));
  const auto mean_sharpness = [](const std::vector<affect::LsdRow>& rows) {
    double sum = 0;
    for (const auto& row : rows) sum += sharpness(row.image);
    return sum / static_cast<double>(rows.size());
  };
  EXPECT_LT(mean_sharpness(train), 0.9 * mean_sharpness(validation));
  const auto release = lines_of(folder_ / "out/LSD_Challenge_test_set_release.txt");
  ASSERT_EQ(release.size(), 13u);
  EXPECT_EQ(release[0], "image,expression");
  for (std::size_t i = 1; i < release.size(); ++i) {
    EXPECT_EQ(release[i], std::to_string(i - 1) + ".jpg");
    EXPECT_EQ(data::read_image(folder_ / ("out/lsd_test_data/" + release[i])).width(), 112);
  }
}

TEST_F(SynthProgram, SheetHasARowForEachExpressionOrActionUnit) {
  expect_done({"sheet", "out.png", "--columns", "3", "--size", "40"});
  const data::Image sheet = data::read_image(folder_ / "out.png");
  EXPECT_EQ(sheet.width(), 3 * 40);
  EXPECT_EQ(sheet.height(), 9 * 40);
  const ProcessResult done = run({"sheet", "aus.png", "--columns", "2", "--size", "40", "--aus"});
  EXPECT_EQ(data::read_image(folder_ / "aus.png").height(), 18 * 40);
  EXPECT_EQ(done.out,
            "aus.png: a row for each of AU1 AU2 AU4 AU5 AU6 AU7 AU9 AU10 AU12 AU14 AU15 AU17 AU20 "
            "AU23 AU24 AU25 AU26 AU45\n");
}

TEST_F(SynthProgram, NetworksAreWeightsOfTheirPrograms) {
  expect_done({"networks", "out"});
  EXPECT_EQ(files_in(folder_ / "out"), (std::vector<std::string>{"weights/analyze.safetensors",
                                                                 "weights/upscale.safetensors"}));
  expect_done({"faces", "out", "--count", "1", "--size", "40"});
  const ProcessResult done = run_program(
      "analyze",
      {"--weights", folder_ / "out/weights/analyze.safetensors", folder_ / "out/images"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
}

TEST_F(SynthProgram, WrongCommandLinesAreTold) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"paintings", "out"},
                                             {"faces"},
                                             {"faces", "out", "--size", "8"},
                                             {"faces", "out", "--count", "0"},
                                             {"affectnet", "out", "--train", "7"},
                                             {"abaw-lsd", "out", "--label-noise", "2"}}) {
    const ProcessResult done = run(arguments);
    EXPECT_EQ(done.exit_code, 2);
    EXPECT_FALSE(done.err.empty());
    EXPECT_FALSE(fs::exists(folder_.path() / "out"));
  }
  EXPECT_EQ(run({"--help"}).exit_code, 0);
}

TEST_F(SynthProgram, SetsAreNotMixedAndFilesNotOverwrittenByFolders) {
  fs::create_directories(folder_ / "old");
  for (const char* command : {"affectnet", "abaw-mtl", "abaw-lsd"}) {
    const ProcessResult done = run({command, "old"});
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_EQ(done.err, "mien-synth: [old] is there already; expected a new folder\n");
  }
  folder_.write("file", "");
  const ProcessResult done = run({"faces", "file", "--count", "1", "--size", "32"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_EQ(done.error_lines(), 1) << done.err;
}

TEST_F(SynthProgram, InterruptLeavesNoTableOfWhatIsNotThere) {
  const ProcessResult done = run_program(
      "synth", {"affectnet", "out", "--train", "8", "--val", "20000", "--size", "64"},
      {.folder = folder_.path().string(),
       .interrupt_when = [](const std::string& out) { return out.starts_with("train: 8 faces"); }});
  EXPECT_EQ(done.exit_code, 130);
  EXPECT_EQ(done.err, "mien-synth: interrupted; the pictures so far have no labels\n");
  EXPECT_TRUE(fs::exists(folder_ / "out/training.csv"));
  EXPECT_FALSE(fs::exists(folder_ / "out/validation.csv"));
}

}  // namespace
}  // namespace mien::test
