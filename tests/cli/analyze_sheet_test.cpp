// mien-analyze --sheet: what is on the page that it draws.

#include <cli/programs.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <sstream>

#include <mien/data/resize_pillow.hpp>
#include <mien/io/byte_reader.hpp>
#include <mien/models/affectnet_emotions.hpp>
#include <nlohmann/json.hpp>

namespace mien::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string content_of(const std::string& path) {
  return std::string(io::as_text(io::MappedFile(path).bytes()));
}

int count_of(const std::string& text, const std::string& piece) {
  int count = 0;
  for (auto at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

std::string bytes_of_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::size_t bits = 0, count = 0;
  for (const char digit : text.substr(0, text.find('='))) {
    bits = (bits << 6 | digits.find(digit)) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255);
  }
  return bytes;
}

class AnalyzeSheet : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments, const std::string& folder = "") {
    arguments.insert(arguments.end(), {"--weights", weights_});
    return run_program("analyze", arguments, {.folder = folder_ / folder});
  }
  // Draws the page of these images.
  std::string sheet_of(std::vector<std::string> arguments, const std::string& folder = "") {
    const std::string path = folder_ / "sheet.svg";
    arguments.insert(arguments.end(), {"--sheet", path});
    const ProcessResult done = run(arguments, folder);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return content_of(path);
  }
  std::vector<json> results_of(const std::string& images) {
    std::vector<json> faces;
    std::istringstream lines(run({images, "--json"}).out);
    for (std::string line; std::getline(lines, line);) faces.push_back(json::parse(line));
    return faces;
  }
  void add_faces(int count) {
    fs::create_directories(folder_ / "faces");
    for (int i = 0; i < count; ++i)
      data::write_image(folder_ / ("faces/" + std::to_string(i) + ".png"),
                        picture(60 + 7 * i, 80 - 3 * i, 1 + i % 4));
  }

  TemporaryFolder folder_;
  std::string weights_ = write_classifier(folder_ / "net.safetensors", 10);
};

TEST_F(AnalyzeSheet, ShowsEveryFace) {
  add_faces(14);  // two rows
  const auto faces = results_of("faces");
  ASSERT_EQ(faces.size(), 14u);
  folder_.write("faces/bad.png", "no image");
  EXPECT_EQ(run({"faces", "--sheet", "sheet.svg"}).exit_code, 1);
  const std::string sheet = content_of(folder_ / "sheet.svg");
  EXPECT_EQ(count_of(sheet, "<image "), 14);
  EXPECT_EQ(count_of(sheet, ">14 faces</text>"), 1);
  EXPECT_EQ(count_of(sheet, "right"), 0);
  std::size_t at = 0;
  for (const json& face : faces) {
    const auto emotion = face["emotion"].get<std::string>();
    const auto percent = std::to_string(std::lround(100 * face["scores"][emotion].get<double>()));
    at = sheet.find("<title>" + face["image"].get<std::string>() + "</title>", at);
    ASSERT_NE(at, sheet.npos) << face;
    at = sheet.find('>' + emotion + ' ' + percent + " %</text>", at);
    ASSERT_NE(at, sheet.npos) << face;
    std::array<char, 40> affect;
    std::snprintf(affect.data(), affect.size(), ">V %+.2f, A %+.2f</text>",
                  face["valence"].get<double>(), face["arousal"].get<double>());
    at = sheet.find(affect.data(), at);
    ASSERT_NE(at, sheet.npos) << face;
  }
}

TEST_F(AnalyzeSheet, HoldsSmallJpegsOfTheImages) {
  data::Image wide = picture(640, 320);
  wide.icc.resize(3000);
  data::write_image(folder_ / "wide.jpg", wide);
  ASSERT_EQ(data::read_image(folder_ / "wide.jpg").icc.size(), 3000u);
  const std::string sheet = sheet_of({"wide.jpg"}), start = "data:image/jpeg;base64,";
  const auto at = sheet.find(start);
  ASSERT_NE(at, sheet.npos);
  const auto first = at + start.size();
  const std::string jpeg = bytes_of_base64(sheet.substr(first, sheet.find('"', first) - first));
  data::Image small = data::resize_pillow(data::read_image(folder_ / "wide.jpg"), 160, 80);
  small.icc.clear();
  const auto expected = data::encode_jpeg(small, {.jpeg_quality = 85});
  EXPECT_EQ(jpeg, io::as_text(expected));
}

TEST_F(AnalyzeSheet, NetworksWithoutValenceHaveNone) {
  add_faces(2);
  write_classifier(weights_, 8);
  const std::string sheet = sheet_of({"faces"});
  EXPECT_EQ(count_of(sheet, "<image "), 2);
  EXPECT_EQ(count_of(sheet, ">V "), 0);
}

TEST_F(AnalyzeSheet, CountsWhatIsRight) {
  add_faces(3);
  const auto faces = results_of("faces");
  ASSERT_EQ(faces.size(), 3u);
  const std::string first = faces[0]["emotion"];
  for (const auto emotion : models::affectnet_emotions) {
    const std::string folder = "set/" + std::string(emotion);
    fs::create_directories(folder_ / "set");
    fs::copy(folder_ / "faces", folder_ / folder);
  }
  // Each of the three is right in one of the eight folders; three more lie in a folder of no class.
  const std::string sheet = sheet_of({"-r", "set", "faces"});
  EXPECT_EQ(count_of(sheet, ">27 faces, 3 of 24 expressions right</text>"), 1);
  EXPECT_EQ(count_of(sheet, ">right</text>"), 3);
  EXPECT_EQ(count_of(sheet, ">is "), 21);
  for (const auto emotion : models::affectnet_emotions) {
    const auto wrong = std::count_if(faces.begin(), faces.end(),
                                     [&](const json& face) { return face["emotion"] != emotion; });
    EXPECT_EQ(count_of(sheet, ">is " + std::string(emotion) + "</text>"), wrong);
  }

  // The folder counts that an image lies in, however its path is written.
  for (const std::string& path :
       {std::string("0.png"), std::string("./0.png"), "../Fear/../" + first + "/0.png"})
    EXPECT_EQ(count_of(sheet_of({path}, "set/" + first), ">1 face, 1 of 1 expressions right<"), 1)
        << path;
}

TEST_F(AnalyzeSheet, EscapesNames) {
  const std::string name = "<&\">";
  fs::create_directories(folder_ / name);
  data::write_image(folder_ / (name + "/\"\xff<.png"), picture(40, 30));
  write_classifier(weights_, 1, {{"class_order", name}});
  const std::string sheet = sheet_of({name});
  EXPECT_EQ(count_of(sheet, "<title>&lt;&amp;&quot;&gt;/&quot;?&lt;.png</title>"), 1);
  EXPECT_EQ(count_of(sheet, ">&lt;&amp;&quot;&gt; 100 %</text>"), 1);
  EXPECT_EQ(count_of(sheet, ">1 face, 1 of 1 expressions right</text>"), 1);
}

TEST_F(AnalyzeSheet, SaysWhyItIsNotWritten) {
  add_faces(1);
  ProcessResult done = run({"faces", "--sheet", "nowhere/sheet.svg"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_EQ(count_of(done.out, "\n"), 1);
  EXPECT_EQ(done.err,
            "mien-analyze: [nowhere/sheet.svg] cannot be written: No such file or directory\n");

  folder_.write("faces/0.png", "no image");
  done = run({"faces", "--sheet", "sheet.svg"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_EQ(count_of(done.err, "mien-analyze: [sheet.svg] is not written: there are no faces\n"),
            1);

  for (int i = 0; i <= 1000; ++i) folder_.write("faces/" + std::to_string(i) + ".png", "");
  done = run({"faces", "--sheet", "sheet.svg"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err,
            "mien-analyze: [sheet.svg] a sheet shows up to 1000 faces, got 1001 images\n");
  EXPECT_FALSE(fs::exists(folder_ / "sheet.svg"));
}

}  // namespace
}  // namespace mien::test
