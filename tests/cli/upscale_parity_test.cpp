// mien-upscale on real photographs and a real network against what Real-ESRGAN's own pipeline gives
// for them (PyTorch, float32, untiled).

#include <cli/programs.hpp>

#include <gtest/gtest.h>
#include <support/data_dir.hpp>

namespace mien::test {
namespace {

class UpscaleParity : public testing::Test {
 protected:
  void SetUp() override {
    if (!data_dir()) GTEST_SKIP() << "MIEN_DATA is not set";
    data_ = *data_dir();
  }

  data::Image enlarged(const std::string& image, std::vector<std::string> flags = {},
                       const std::string& weights = "realesr-animevideov3.pth") {
    flags.insert(flags.end(),
                 {"-i", data_ + "/images/" + image, "-o", folder_.path().string(), "--suffix", "",
                  "--ext", "png", "--model_path", data_ + "/weights/" + weights});
    const ProcessResult done = run_program("upscale", flags);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return data::read_image(folder_ / (image.substr(0, image.rfind('.')) + ".png"));
  }

  data::Image expected(const std::string& name) {
    return data::read_image(data_ + "/expected/" + name + ".png");
  }

  TemporaryFolder folder_;
  std::string data_;
};

TEST_F(UpscaleParity, Photograph) {
  EXPECT_LE(largest_difference(enlarged("0014.jpg"), expected("0014_realesr-animevideov3_x4")), 1);
}

TEST_F(UpscaleParity, PhotographAtAnotherScale) {
  EXPECT_LE(largest_difference(enlarged("0014.jpg", {"-s", "2"}),
                               expected("0014_realesr-animevideov3_x2")),
            1);
}

TEST_F(UpscaleParity, Grey) {
  EXPECT_LE(largest_difference(enlarged("00017_gray.png"),
                               expected("00017_gray_realesr-animevideov3_x4")),
            1);
}

TEST_F(UpscaleParity, Alpha) {
  EXPECT_LE(largest_difference(enlarged("children_alpha_96.png"),
                               expected("children_alpha_96_realesr-animevideov3_x4")),
            1);
}

TEST_F(UpscaleParity, SixteenBitsWithAlpha) {
  constexpr int tolerance = 13;  // 2e-4 of 65535
  EXPECT_LE(largest_difference(enlarged("tree_alpha_16bit_64.png"),
                               expected("tree_alpha_16bit_64_realesr-animevideov3_x4")),
            tolerance);
}

TEST_F(UpscaleParity, TilesJoinWithoutASeam) {
  const data::Image whole = enlarged("0014.jpg", {"-t", "0"});
  EXPECT_LE(largest_difference(enlarged("0014.jpg", {"-t", "64", "--tile_pad", "32"}), whole), 1);
  EXPECT_LE(largest_difference(enlarged("0014.jpg", {"-t", "64"}), whole), 1);
  // The original's default is not enough for this network: what `auto` spares its users.
  EXPECT_GT(largest_difference(enlarged("0014.jpg", {"-t", "64", "--tile_pad", "10"}), whole), 2);
}

// ncnn keeps the same weights in 16 bits.
TEST_F(UpscaleParity, WeightsOfAnotherFormat) {
  EXPECT_LE(largest_difference(enlarged("0014.jpg", {}, "realesr-animevideov3-x4.param"),
                               expected("0014_realesr-animevideov3_x4")),
            2);
}

}  // namespace
}  // namespace mien::test
