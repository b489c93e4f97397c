// mien-upscale as a user meets it: names, folders, flags, and what is said about bad input.

#include <cli/programs.hpp>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mien::test {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

class UpscaleProgram : public testing::Test {
 protected:
  void add(const std::string& name, const data::Image& image = picture(9, 6)) {
    fs::create_directories(fs::path(folder_ / name).parent_path());
    data::write_image(folder_ / name, image);
  }

  // Runs in the folder with weights for x4.
  ProcessResult run(Strings arguments, ProcessOptions options = {}) {
    arguments.insert(arguments.end(), {"--model_path", weights_});
    options.folder = folder_.path().string();
    return run_program("upscale", arguments, options);
  }

  data::Image result(const std::string& name) { return data::read_image(folder_ / name); }

  TemporaryFolder folder_;
  std::string weights_ = write_upscaler(folder_ / "net.safetensors");
};

// An ICC profile for RGB whose only tag is a copyright (ICC.1, section 7), long enough for libpng,
// which takes profiles that compress to a few bytes for broken.
std::vector<std::byte> small_profile() {
  std::string profile(255, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    profile.replace(at, text.size(), text);
  };
  put(3, "\xff");  // its size
  put(8, std::string_view("\x02\x10", 2));
  put(12, "mntrRGB XYZ ");
  put(36, "acsp");
  put(68, std::string_view("\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d", 12));  // D50
  put(131, "\1");
  put(132, std::string_view("cprt\0\0\0\x90\0\0\0\x6f", 12));  // at 144, of 111 bytes
  put(144, "text");
  for (std::size_t i = 152; i < 254; ++i) profile[i] = static_cast<char>(33 + i * i % 89);
  std::vector<std::byte> bytes;
  for (const char c : profile) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

TEST_F(UpscaleProgram, EnlargesAnImageByTheNetworksScale) {
  add("photo.png");
  const ProcessResult done = run({"-i", "photo.png"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.err, "");
  EXPECT_TRUE(done.out.starts_with("photo.png -> results/photo_out.png (36 x 24, ")) << done.out;
  EXPECT_EQ(files_in(folder_ / "results"), Strings{"photo_out.png"});
  EXPECT_EQ(result("results/photo_out.png").width(), 36);
}

TEST_F(UpscaleProgram, ScaleFollowsTheNetworkAndOutscaleTheUser) {
  add("photo.png");
  write_upscaler(weights_, 2);
  EXPECT_EQ(run({"-i", "photo.png"}).exit_code, 0);
  EXPECT_EQ(result("results/photo_out.png").width(), 18);
  EXPECT_EQ(run({"-i", "photo.png", "-s", "3.3"}).exit_code, 0);
  EXPECT_EQ(result("results/photo_out.png").width(), 29);
  EXPECT_EQ(result("results/photo_out.png").height(), 19);
}

TEST_F(UpscaleProgram, NamesResultsAsTheOriginalDoes) {
  add("a/one.png");
  add("a/two.JPG");
  add("a/three.jpeg");
  add("a/alpha.png", picture(9, 6, 4));
  add("a/with.dots.png");
  fs::rename(folder_ / "a/alpha.png",
             folder_ / "a/alpha.jpg");  // told by its content, not its name
  EXPECT_EQ(run({"-i", "a", "-o", "auto"}).exit_code, 0);
  EXPECT_EQ(files_in(folder_ / "auto"), (Strings{"alpha_out.png", "one_out.png", "three_out.jpeg",
                                                 "two_out.JPG", "with.dots_out.png"}));
  EXPECT_EQ(run({"-i", "a", "-o", "jpg", "--ext", "jpg", "--suffix", "x4"}).exit_code, 0);
  EXPECT_EQ(files_in(folder_ / "jpg"), (Strings{"alpha_x4.png", "one_x4.jpg", "three_x4.jpg",
                                                "two_x4.jpg", "with.dots_x4.jpg"}));
  EXPECT_EQ(run({"-i", "a", "-o", "plain", "--suffix", "", "--ext", "png"}).exit_code, 0);
  EXPECT_EQ(files_in(folder_ / "plain"),
            (Strings{"alpha.png", "one.png", "three.png", "two.png", "with.dots.png"}));
}

TEST_F(UpscaleProgram, KeepsChannelsAndDepth) {
  for (const int channels : {1, 2, 3, 4})
    for (const int bits : {8, 16}) {
      add("in.png", picture(9, 6, channels, bits));
      ASSERT_EQ(run({"-i", "in.png"}).exit_code, 0);
      const data::Image out = result("results/in_out.png");
      EXPECT_EQ(out.channels(), channels);
      EXPECT_EQ(out.bits(), bits);
    }
  EXPECT_EQ(run({"-i", "in.png", "--alpha_upsampler", "bicubic"}).exit_code, 0);
}

TEST_F(UpscaleProgram, SixteenBitsBecomeEightInAJpeg) {
  add("deep.png", picture(9, 6, 3, 16));
  ASSERT_EQ(run({"-i", "deep.png", "--ext", "jpg"}).exit_code, 0);
  EXPECT_EQ(result("results/deep_out.jpg").bits(), 8);
}

TEST_F(UpscaleProgram, CarriesColourProfileAndExifOver) {
  data::Image image = picture(9, 6);
  image.icc = small_profile();
  for (const char c : std::string_view("MM\0*\0\0\0\x08\0\0\0\0\0\0", 14))
    image.exif.push_back(static_cast<std::byte>(c));
  for (const std::string name : {"photo.png", "photo.jpg"}) {
    add(name, image);
    ASSERT_EQ(run({"-i", name}).exit_code, 0);
    const data::Image out = result("results/" + std::string("photo_out") + name.substr(5));
    EXPECT_EQ(out.icc, image.icc) << name;
    EXPECT_EQ(out.exif, image.exif) << name;
  }
}

TEST_F(UpscaleProgram, LooksIntoFoldersWhenAsked) {
  add("in/top.png");
  add("in/a/middle.png");
  add("in/a/b/deep.png");
  add("in/.hidden/no.png");
  folder_.write("in/notes.txt", "no image");
  EXPECT_EQ(run({"-i", "in/", "-o", "flat"}).exit_code, 0);
  EXPECT_EQ(files_in(folder_ / "flat"), Strings{"top_out.png"});
  EXPECT_EQ(run({"-i", "in/", "-o", "deep", "-r"}).exit_code, 0);
  EXPECT_EQ(files_in(folder_ / "deep"),
            (Strings{"a/b/deep_out.png", "a/middle_out.png", "top_out.png"}));
}

TEST_F(UpscaleProgram, SkipsWhatIsThere) {
  add("in/a.png");
  add("in/b.png");
  folder_.write("results/a_out.png", "mine");
  const ProcessResult done = run({"-i", "in", "--skip-existing"});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_NE(done.out.find("in/a.png: results/a_out.png is there already\n"), std::string::npos);
  EXPECT_EQ(fs::file_size(folder_ / "results/a_out.png"), 4u);
  EXPECT_EQ(result("results/b_out.png").width(), 36);
}

TEST_F(UpscaleProgram, DoesTheOthersWhenImagesAreBad) {
  for (const auto& [name, content] : bad_images(folder_)) folder_.write("in/" + name, content);
  add("in/good.png");
  add("in/good2.jpg");
  const ProcessResult done = run({"-i", "in", "--json", "report.json"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_EQ(done.error_lines(), 4) << done.err;
  for (const std::string name : {"empty.png", "huge.png", "text.png", "truncated.png"})
    EXPECT_NE(done.err.find("mien-upscale: in/" + name + ": "), std::string::npos) << done.err;
  EXPECT_EQ(files_in(folder_ / "results"), (Strings{"good2_out.jpg", "good_out.png"}));

  std::ifstream file(folder_ / "report.json");
  const auto report = nlohmann::json::parse(file);
  EXPECT_EQ(report["scale"], 4);
  ASSERT_EQ(report["images"].size(), 6u);
  for (const auto& image : report["images"]) {
    const bool good = image["input"].get<std::string>().find("good") != std::string::npos;
    EXPECT_EQ(image["status"], good ? "done" : "failed") << image;
    EXPECT_EQ(image.contains("error"), !good) << image;
  }
}

TEST_F(UpscaleProgram, NeverOverwritesAnInputOrAResultOfTheSameRun) {
  add("in/a.jpg");
  add("in/a.png");
  const ProcessResult twice = run({"-i", "in", "--ext", "png"});
  EXPECT_EQ(twice.exit_code, 1);
  EXPECT_EQ(twice.error_lines(), 1) << twice.err;
  const ProcessResult itself = run({"-i", "in/a.png", "-o", "in", "--suffix", ""});
  EXPECT_EQ(itself.exit_code, 1);
  EXPECT_EQ(result("in/a.png").width(), 9);
}

TEST_F(UpscaleProgram, SaysWhatIsMissing) {
  const ProcessResult no_input = run({"-i", "nowhere.png"});
  EXPECT_EQ(no_input.exit_code, 1);
  EXPECT_EQ(no_input.err, "mien-upscale: [nowhere.png] there is no such file or folder\n");
  fs::create_directories(folder_ / "empty");
  EXPECT_EQ(run({"-i", "empty"}).exit_code, 1);

  add("photo.png");
  fs::remove(weights_);
  const ProcessResult no_weights = run({"-i", "photo.png"});
  EXPECT_EQ(no_weights.exit_code, 1);
  EXPECT_EQ(no_weights.error_lines(), 1) << no_weights.err;
  write_classifier(weights_, 10);
  const ProcessResult wrong = run({"-i", "photo.png"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_NE(wrong.err.find("holds efficientnet_b0, expected a super-resolution network"),
            std::string::npos)
      << wrong.err;
}

TEST_F(UpscaleProgram, RefusesFlagsThatItCannotHonour) {
  add("photo.png");
  const std::vector<Strings> wrong = {
      {"--face_enhance"},    {"-g", "0"},        {"-t", "large"},    {"-t", "-1"},
      {"--tile_pad", "1.5"}, {"-s", "0"},        {"--ext", "webp"},  {"--alpha_upsampler", "magic"},
      {"-dn", "2"},          {"--no-such-flag"}, {"--pre_pad", "-1"}};
  for (const Strings& flags : wrong) {
    Strings arguments = {"-i", "photo.png"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProcessResult done = run(arguments);
    EXPECT_EQ(done.exit_code, 2) << flags[0];
    EXPECT_NE(done.err, "") << flags[0];
  }
  EXPECT_FALSE(fs::exists(folder_ / "results"));
  EXPECT_EQ(
      run({"-i", "photo.png", "--fp32", "-g", "cpu", "-t", "0", "--tile_pad", "10"}).exit_code, 0);
  EXPECT_EQ(run({"-i", "photo.png", "-g", "-1", "-t", "auto", "--tile_pad", "auto"}).exit_code, 0);
  EXPECT_EQ(run({"--help"}).exit_code, 0);
}

// -n looks into ./weights, then into the folder that MIEN_DATA names.
TEST_F(UpscaleProgram, FindsWeightsByName) {
  add("photo.png");
  fs::create_directories(folder_ / "weights");
  fs::create_directories(folder_ / "data/weights");
  const ProcessOptions options{.folder = folder_.path().string(),
                               .environment = {{"MIEN_DATA", folder_ / "data"}}};
  const auto run_named = [&](const std::string& name) {
    return run_program("upscale", {"-i", "photo.png", "-n", name}, options);
  };
  write_upscaler(folder_ / "weights/here.pth", 2);  // told by its content
  write_upscaler(folder_ / "data/weights/there.safetensors", 4);
  EXPECT_EQ(run_named("here").exit_code, 0);
  EXPECT_EQ(result("results/photo_out.png").width(), 18);
  EXPECT_EQ(run_named("there.pth").exit_code, 0);  // what follows the dot is dropped
  EXPECT_EQ(result("results/photo_out.png").width(), 36);

  const ProcessResult missing = run_named("RealESRGAN_x4plus");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(missing.error_lines(), 1);
  for (const std::string place : {"weights/RealESRGAN_x4plus", "data/weights/RealESRGAN_x4plus"})
    EXPECT_NE(missing.err.find(place), std::string::npos) << missing.err;
}

// -dn mixes realesr-general-x4v3 with its partner that keeps noise.
TEST_F(UpscaleProgram, MixesTwoNetworksByDenoiseStrength) {
  add("photo.png");
  fs::create_directories(folder_ / "weights");
  const auto enlarged = [&](const std::string& name, const std::string& strength) {
    const ProcessResult done =
        run_program("upscale", {"-i", "photo.png", "-n", name, "-dn", strength},
                    {.folder = folder_.path().string()});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return result("results/photo_out.png");
  };
  write_upscaler(folder_ / "weights/realesr-general-x4v3.safetensors", 4, 1);
  EXPECT_EQ(run_program("upscale", {"-i", "photo.png", "-n", "realesr-general-x4v3"},
                        {.folder = folder_.path().string()})
                .exit_code,
            1);  // the default strength of 0.5 needs the partner
  write_upscaler(folder_ / "weights/realesr-general-wdn-x4v3.safetensors", 4, 2);
  const data::Image first = enlarged("realesr-general-x4v3", "1");
  const data::Image second = enlarged("realesr-general-wdn-x4v3", "1");
  ASSERT_GT(largest_difference(first, second), 0);
  EXPECT_EQ(largest_difference(enlarged("realesr-general-x4v3", "0"), second), 0);
  const data::Image mixed = enlarged("realesr-general-x4v3", "0.5");
  EXPECT_GT(largest_difference(mixed, first), 0);
  EXPECT_GT(largest_difference(mixed, second), 0);
}

TEST_F(UpscaleProgram, GivesTheSameBytesWithAnyNumberOfThreads) {
  add("photo.png", picture(70, 50));
  data::Image results[2];
  for (const int threads : {1, 2}) {
    ASSERT_EQ(run({"-i", "photo.png", "-t", "32"},
                  {.environment = {{"MIEN_NUM_THREADS", std::to_string(threads)}}})
                  .exit_code,
              0);
    results[threads - 1] = result("results/photo_out.png");
  }
  EXPECT_EQ(largest_difference(results[0], results[1]), 0);
}

}  // namespace
}  // namespace mien::test
