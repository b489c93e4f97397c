// mien-analyze as a user meets it, and against PyTorch's results for real faces.

#include <cli/programs.hpp>

#include <gtest/gtest.h>
#include <support/data_dir.hpp>

#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

namespace mien::test {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> objects;
  for (const std::string& line : lines_of(text)) objects.push_back(json::parse(line));
  return objects;
}

class AnalyzeProgram : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--weights", weights_});
    return run_program("analyze", arguments, {.folder = folder_.path().string()});
  }
  void add_faces(int count) {
    std::filesystem::create_directories(folder_ / "faces");
    for (int i = 0; i < count; ++i)
      data::write_image(folder_ / ("faces/" + std::to_string(i) + ".png"),
                        picture(60 + 7 * i, 80 - 5 * i, 1 + i % 4));
  }

  TemporaryFolder folder_;
  std::string weights_ = write_classifier(folder_ / "net.safetensors", 10);
};

TEST_F(AnalyzeProgram, PrintsOneLinePerImage) {
  add_faces(3);
  const ProcessResult done = run({"faces"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto lines = lines_of(done.out);
  ASSERT_EQ(lines.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const std::string& line = lines[static_cast<std::size_t>(i)];
    EXPECT_TRUE(line.starts_with("faces/" + std::to_string(i) + ".png\t")) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\t'), 4) << line;
  }
}

TEST_F(AnalyzeProgram, JsonHasScoresThatAreASoftmaxOfTheLogits) {
  add_faces(2);
  const auto objects = json_lines(run({"faces", "--json"}).out);
  ASSERT_EQ(objects.size(), 2u);
  for (const json& face : objects) {
    const auto logits = face["logits"].get<std::vector<double>>();
    ASSERT_EQ(logits.size(), 10u);
    EXPECT_FLOAT_EQ(face["valence"].get<float>(), static_cast<float>(logits[8]));
    EXPECT_FLOAT_EQ(face["arousal"].get<float>(), static_cast<float>(logits[9]));
    double sum = 0;
    for (int k = 0; k < 8; ++k) sum += std::exp(logits[static_cast<std::size_t>(k)]);
    ASSERT_EQ(face["scores"].size(), 8u);
    EXPECT_NEAR(face["scores"]["Anger"].get<double>(), std::exp(logits[0]) / sum, 1e-6);
    EXPECT_NEAR(face["scores"]["Surprise"].get<double>(), std::exp(logits[7]) / sum, 1e-6);
    const double best = face["scores"][face["emotion"].get<std::string>()].get<double>();
    for (const auto& [name, score] : face["scores"].items()) EXPECT_LE(score.get<double>(), best);
  }
}

TEST_F(AnalyzeProgram, ResultsDoNotDependOnTheBatch) {
  add_faces(5);
  const auto one = json_lines(run({"faces", "--json", "--batch", "1"}).out);
  const auto three = json_lines(run({"faces", "--json", "--batch", "3"}).out);
  ASSERT_EQ(one.size(), 5u);
  ASSERT_EQ(three.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(one[i]["image"], three[i]["image"]);
    for (std::size_t k = 0; k < 10; ++k)
      EXPECT_NEAR(one[i]["logits"][k].get<double>(), three[i]["logits"][k].get<double>(), 1e-5);
  }
}

TEST_F(AnalyzeProgram, MemoryStaysSmall) {
  if (MIEN_ASAN) GTEST_SKIP() << "AddressSanitizer keeps freed memory";
  add_faces(9);
  const ProcessResult done = run({"faces"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_LT(done.peak_memory_mb, 250);
}

TEST_F(AnalyzeProgram, WritesEmbeddings) {
  add_faces(3);
  folder_.write("faces/bad.png", "no image");
  const ProcessResult done = run({"faces", "--json", "--embeddings", "e.safetensors"});
  EXPECT_EQ(done.exit_code, 1);
  const auto objects = json_lines(done.out);
  const auto file = io::read_safetensors(folder_ / "e.safetensors");
  ASSERT_EQ(file.tensors.size(), 2u);
  const std::map<std::string, AnyTensor> tensors(file.tensors.begin(), file.tensors.end());
  EXPECT_EQ(tensors.at("embeddings").shape(), Shape({3, 1280}));
  const auto logits = tensors.at("logits").get<float>();
  ASSERT_EQ(logits.shape(), Shape({3, 10}));
  const json images = json::parse(file.metadata.at("images"));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(images[i], objects[i]["image"]);
    EXPECT_EQ(logits(i, 4), objects[i]["logits"][4].get<float>());
  }
  EXPECT_EQ(file.metadata.at("class_order"),
            "Anger,Contempt,Disgust,Fear,Happiness,Neutral,Sadness,Surprise");
}

TEST_F(AnalyzeProgram, DoesTheOthersWhenInputsAreBad) {
  add_faces(2);
  for (const auto& [name, content] : bad_images(folder_)) folder_.write("faces/" + name, content);
  const ProcessResult done = run({"nowhere.png", "faces"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_EQ(lines_of(done.out).size(), 2u);
  EXPECT_EQ(done.error_lines(), 5) << done.err;
  EXPECT_NE(done.err.find("mien-analyze: nowhere.png: there is no such file or folder\n"),
            std::string::npos)
      << done.err;
}

TEST_F(AnalyzeProgram, TakesClassOrderAndSizeFromTheFileOrTheUser) {
  add_faces(1);
  write_classifier(weights_, 3, {{"class_order", "calm,glad,cross"}});
  json face = json_lines(run({"faces", "--json"}).out).at(0);
  EXPECT_TRUE(face["scores"].contains("glad")) << face;
  EXPECT_FALSE(face.contains("valence")) << face;
  const json logits = face["logits"];
  face = json_lines(run({"faces", "--json", "--class-order", "a,b,c"}).out).at(0);
  EXPECT_TRUE(face["scores"].contains("b")) << face;
  EXPECT_EQ(face["logits"], logits);
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--input-size", "128"},
        {"--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"},
        {"--source", "torchvision"},
        {"--arch", "efficientnet_b0", "--source", "timm"}}) {
    std::vector<std::string> arguments = {"faces", "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProcessResult done = run(arguments);
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_NE(json_lines(done.out).at(0)["logits"], logits) << flags[0];
  }
}

TEST_F(AnalyzeProgram, SaysWhatIsWrongWithTheNetwork) {
  add_faces(1);
  const auto error_of = [&](std::vector<std::string> arguments) {
    const ProcessResult done = run(std::move(arguments));
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_EQ(done.error_lines(), 1) << done.err;
    return done.err;
  };
  EXPECT_NE(error_of({"faces", "--class-order", "a,b"}).find("has 10 outputs, expected 2"),
            std::string::npos);
  EXPECT_NE(error_of({"faces", "--arch", "efficientnet_b3"}).find("does not fit efficientnet_b3"),
            std::string::npos);
  write_classifier(weights_, 1000);
  EXPECT_NE(error_of({"faces"}).find("--class-order"), std::string::npos);
  write_upscaler(weights_);
  EXPECT_NE(error_of({"faces"}).find("expected an EfficientNet"), std::string::npos);
  folder_.write("net.safetensors", "rubbish");
  error_of({"faces"});
  EXPECT_EQ(run({"faces", "--batch", "0"}).exit_code, 2);
  EXPECT_EQ(run({}).exit_code, 2);
}

// PyTorch's logits for the same faces by the same network, a whole pickled timm module.
TEST(AnalyzeParity, LogitsOfRealFaces) {
  if (!data_dir()) GTEST_SKIP() << "MIEN_DATA is not set";
  std::ifstream file(*data_dir() + "/expected/enet_b0_va_mtl_standin.json");
  const json expected = json::parse(file);
  std::vector<std::string> arguments = {"--json", "--weights",
                                        *data_dir() + "/weights/enet_b0_va_mtl_standin.pt"};
  for (const auto& name : expected["files"])
    arguments.push_back(*data_dir() + "/images/" + name.get<std::string>());
  const ProcessResult done = run_program("analyze", arguments);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const auto faces = json_lines(done.out);
  ASSERT_EQ(faces.size(), 7u);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const auto logits = faces[i]["logits"].get<std::vector<double>>();
    const auto wanted = expected["logits"][i].get<std::vector<double>>();
    ASSERT_EQ(logits.size(), wanted.size());
    for (std::size_t k = 0; k < logits.size(); ++k) EXPECT_NEAR(logits[k], wanted[k], 1e-3);
    const auto best = [](const std::vector<double>& v) {
      return std::max_element(v.begin(), v.begin() + 8) - v.begin();
    };
    EXPECT_EQ(best(logits), best(wanted));
  }
}

}  // namespace
}  // namespace mien::test
