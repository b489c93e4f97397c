// Brightness, contrast, saturation, hue and HSV against checksums of what Pillow and torchvision
// make of the same pixels, on every instruction set.

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <mien/data/adjust_color.hpp>
#include <mien/data/hsv.hpp>

#include "data/generated_images.hpp"
#include "support/csv.hpp"
#include "support/data_dir.hpp"
#include "support/each_isa.hpp"
#include "support/images.hpp"
#include "support/thrown.hpp"

namespace {

using mien::data::adjust_brightness;
using mien::data::adjust_contrast;
using mien::data::adjust_hue;
using mien::data::adjust_saturation;
using mien::data::Image;
using mien::test::crc32;
using mien::test::noise_image;
using mien::test::thrown;

Image changed(Image image, const std::string& operation, double factor) {
  if (operation == "rgb_to_hsv") return rgb_to_hsv(std::move(image));
  if (operation == "hsv_to_rgb") return hsv_to_rgb(std::move(image));
  if (operation == "brightness") return adjust_brightness(std::move(image), factor);
  if (operation == "contrast") return adjust_contrast(std::move(image), factor);
  if (operation == "saturation") return adjust_saturation(std::move(image), factor);
  if (operation == "hue") return adjust_hue(std::move(image), factor);
  ADD_FAILURE() << "no operation " << operation;
  return image;
}

// Every (red, green, blue), red slowest.
Image all_colors() {
  Image image(4096, 4096, 3);
  std::uint8_t* p = image.samples<std::uint8_t>().data();
  for (int r = 0; r < 256; ++r)
    for (int g = 0; g < 256; ++g)
      for (int b = 0; b < 256; ++b)
        for (const int sample : {r, g, b}) *p++ = static_cast<std::uint8_t>(sample);
  return image;
}

class AdjustColor : public mien::test::EachIsa {};
INSTANTIATE_TEST_SUITE_P(EveryIsa, AdjustColor, mien::test::every_isa, mien::test::isa_name);

TEST_P(AdjustColor, EqualsPillowForEveryColor) {
  const Image colors = all_colors();
  const auto table = mien::test::read_csv(mien::test::golden_path("transforms/all_colors.csv"));
  ASSERT_EQ(table.size(), 5u);
  for (const auto& row : table)
    EXPECT_EQ(crc32(changed(colors, row.at(0), std::stod(row.at(1)))), std::stoll(row.at(2)))
        << row.at(0) << ' ' << row.at(1);
}

TEST_P(AdjustColor, EqualsTorchvision) {
  const auto table = mien::test::read_csv(mien::test::golden_path("transforms/adjust.csv"));
  ASSERT_GT(table.size(), 500u);
  for (const auto& row : table) {
    const Image image =
        noise_image(std::stoll(row.at(1)), std::stoll(row.at(2)), std::stoi(row.at(3)), 8);
    EXPECT_EQ(crc32(changed(image, row.at(0), std::stod(row.at(4)))), std::stoll(row.at(5)))
        << row.at(0) << ' ' << row.at(4) << " of " << row.at(1) << " x " << row.at(2) << " x "
        << row.at(3);
  }
}

TEST_P(AdjustColor, ChangesNoMoreThanItsPixels) {
  const Image image = noise_image(48, 1, 3, 8);
  const auto before = image.samples<std::uint8_t>();
  for (std::int64_t count = 0; count <= 40; ++count) {
    Image changed = image;
    const auto after = changed.samples<std::uint8_t>();
    mien::kernels::blend_with_grey(mien::Cpu{}, after.data(), count, 0.5f);
    mien::kernels::shift_hue(mien::Cpu{}, after.data(), count, 100);
    mien::kernels::blend_with_level(mien::Cpu{}, after.data(), 3 * count, 255, 0.5f);
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (i < static_cast<std::size_t>(3 * count))
        EXPECT_GE(after[i], 127) << i << " of " << count;
      else
        EXPECT_EQ(after[i], before[i]) << i << " of " << count;
    }
  }
}

TEST(AdjustColorErrors, SayWhatIsWrong) {
  const Image image = noise_image(3, 2, 3, 8);
  EXPECT_EQ(thrown([&] { adjust_brightness(Image(2, 2, 4), 1.5); }),
            "[adjust_brightness] expected 1 or 3 channels of 8 bits, got 4 of 8");
  EXPECT_EQ(thrown([&] { adjust_contrast(Image(2, 2, 3, 16), 1.5); }),
            "[adjust_contrast] expected 1 or 3 channels of 8 bits, got 3 of 16");
  EXPECT_EQ(thrown([&] { adjust_saturation(image, std::numeric_limits<double>::infinity()); }),
            "[adjust_saturation] expected a finite factor, got inf");
  EXPECT_EQ(thrown([&] { adjust_brightness(image, 1e60); }),
            "[adjust_brightness] expected a finite factor, got 1e+60");
  EXPECT_EQ(thrown([&] { adjust_hue(image, 0.51); }),
            "[adjust_hue] expected a factor of -0.5 to 0.5, got 0.51");
  EXPECT_EQ(thrown([&] { rgb_to_hsv(Image(2, 2, 1)); }),
            "[rgb_to_hsv] expected 3 channels of 8 bits, got 1 of 8");
  EXPECT_EQ(thrown([&] { hsv_to_rgb(Image(2, 2, 3, 16)); }),
            "[hsv_to_rgb] expected 3 channels of 8 bits, got 3 of 16");
}

}  // namespace
