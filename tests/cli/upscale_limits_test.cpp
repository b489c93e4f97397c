// mien-upscale where memory is short or the user is impatient.

#include <cli/programs.hpp>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mien::test {
namespace {

namespace fs = std::filesystem;

class UpscaleLimits : public testing::Test {
 protected:
  struct Run {
    ProcessResult process;
    nlohmann::json report;
    data::Image image;
  };

  // Enlarges in.png.
  Run run(std::vector<std::string> arguments, ProcessOptions options = {}) {
    const std::string report = folder_ / "report.json";
    arguments.insert(arguments.end(), {"-i", folder_ / "in.png", "-o", folder_ / "out",
                                       "--model_path", weights_, "--json", report});
    Run done;
    done.process = run_program("upscale", arguments, options);
    std::ifstream file(report);
    if (file) done.report = nlohmann::json::parse(file);
    if (fs::exists(folder_ / "out/in_out.png"))
      done.image = data::read_image(folder_ / "out/in_out.png");
    return done;
  }

  TemporaryFolder folder_;
  std::string weights_ = write_upscaler(folder_ / "net.safetensors", 4, 1, 64);
};

TEST_F(UpscaleLimits, AFailedAllocationMeansSmallerTiles) {
  if (MIEN_ASAN) GTEST_SKIP() << "AddressSanitizer needs its address space";
  data::write_image(folder_ / "in.png", picture(700, 600));
  const Run free = run({"-t", "0"});
  ASSERT_EQ(free.process.exit_code, 0) << free.process.err;
  EXPECT_EQ(free.report["images"][0]["retries"], 0);
  const Run limited = run({"-t", "0"}, {.environment = {{"MIEN_NUM_THREADS", "2"}},
                                        .address_space = rlim_t{300} << 20});
  ASSERT_EQ(limited.process.exit_code, 0) << limited.process.err;
  EXPECT_GE(limited.report["images"][0]["retries"], 1);
  EXPECT_LT(limited.report["images"][0]["tile"], 700);
  EXPECT_LE(largest_difference(free.image, limited.image), 1);
}

TEST_F(UpscaleLimits, AutomaticTilesStayInTheMemoryGiven) {
  if (MIEN_ASAN) GTEST_SKIP() << "AddressSanitizer keeps freed memory";
  data::write_image(folder_ / "in.png", picture(600, 500));
  const Run whole = run({"--memory", "4000"});
  ASSERT_EQ(whole.process.exit_code, 0) << whole.process.err;
  EXPECT_EQ(whole.report["images"][0]["tiles"], 1);
  for (const int megabytes : {150, 250}) {
    const Run tiled = run({"--memory", std::to_string(megabytes)});
    ASSERT_EQ(tiled.process.exit_code, 0) << tiled.process.err;
    EXPECT_GT(tiled.report["images"][0]["tiles"], 1);
    EXPECT_LE(tiled.report["peak_memory_mb"], megabytes);
    EXPECT_LE(largest_difference(whole.image, tiled.image), 1);
  }
  const Run too_little = run({"--memory", "20"});
  EXPECT_EQ(too_little.process.exit_code, 1);
  EXPECT_EQ(too_little.process.error_lines(), 1) << too_little.process.err;
}

// With tiles of one size memory is the decoded input, the result, and a constant.
TEST_F(UpscaleLimits, MemoryFollowsTheTileAndNotTheImage) {
  if (MIEN_ASAN) GTEST_SKIP() << "AddressSanitizer keeps freed memory";
  const auto peak = [&](std::int64_t side, const std::string& outscale) {
    data::write_image(folder_ / "in.png", picture(side, side));
    const Run done = run({"-t", "128", "-s", outscale});
    EXPECT_EQ(done.process.exit_code, 0) << done.process.err;
    return done.report["peak_memory_mb"].get<double>();
  };
  const auto megabytes = [](std::int64_t side, double scale) {
    return static_cast<double>(side * side * 3) * (1 + scale * scale) / 1e6;
  };
  for (const double scale : {4.0, 1.0}) {
    const double small = peak(300, std::to_string(scale)) - megabytes(300, scale);
    const double large = peak(900, std::to_string(scale)) - megabytes(900, scale);
    EXPECT_LE(large - small, 16) << "outscale " << scale;
  }
}

TEST_F(UpscaleLimits, AnInterruptLeavesNoPartOfAFile) {
  // The first image is done quickly and told; the second would take minutes.
  fs::create_directory(folder_ / "in");
  data::write_image(folder_ / "in/1.png", picture(8, 8));
  data::write_image(folder_ / "in/2.png", picture(3000, 3000));
  const ProcessResult done =
      run_program("upscale",
                  {"-i", folder_ / "in", "-o", folder_ / "out", "--model_path", weights_, "-t",
                   "32", "--json", folder_ / "report.json"},
                  {.interrupt_when = [](const std::string& out) {
                    return out.find('\n') != std::string::npos;
                  }});
  EXPECT_EQ(done.exit_code, 130) << done.err;
  EXPECT_EQ(done.err, "mien-upscale: interrupted, 1 of 2 images are done\n");
  EXPECT_EQ(files_in(folder_ / "out"), std::vector<std::string>{"1_out.png"});
  std::ifstream file(folder_ / "report.json");
  EXPECT_EQ(nlohmann::json::parse(file)["images"].size(), 1u);
}

}  // namespace
}  // namespace mien::test
