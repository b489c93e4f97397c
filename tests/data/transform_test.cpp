// ColorJitter, Resize, flips, tensors and their composition against checksums of what torchvision
// makes of the same noise; and what is drawn at random.

#include <bit>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/color_jitter.hpp>
#include <mien/data/flip.hpp>
#include <mien/data/image_tensor.hpp>
#include <mien/data/resize.hpp>
#include <mien/data/transform.hpp>

#include "data/generated_images.hpp"
#include "support/csv.hpp"
#include "support/data_dir.hpp"
#include "support/each_isa.hpp"
#include "support/images.hpp"
#include "support/thrown.hpp"

namespace {

using mien::Generator;
using mien::Tensor;
using mien::data::Adjustment;
using mien::data::ColorJitter;
using mien::data::compose;
using mien::data::flip_horizontal;
using mien::data::Image;
using mien::data::RandomHorizontalFlip;
using mien::data::Resize;
using mien::data::ResizeShorterSide;
using mien::test::crc32;
using mien::test::largest_difference;
using mien::test::noise_image;
using mien::test::thrown;
using Row = std::vector<std::string>;

std::vector<Row> golden(const std::string& name) {
  return mien::test::read_csv(mien::test::golden_path("transforms/" + name));
}

// Noise of the width, height and channels in fields `at` on.
Image noise_of(const Row& row, std::size_t at) {
  return noise_image(std::stoll(row.at(at)), std::stoll(row.at(at + 1)), std::stoi(row.at(at + 2)),
                     8);
}

std::uint32_t crc32_of(const Tensor<float>& x) {
  return crc32(x.data(), static_cast<std::size_t>(x.numel()) * sizeof(float));
}

// Four operations and their factors in fields 3 to 10.
ColorJitter::Draw draw_of(const Row& row) {
  ColorJitter::Draw draw;
  for (std::size_t i = 0; i < 4; ++i) {
    const double factor = std::stod(row.at(7 + i));
    const std::string& name = row.at(3 + i);
    if (name == "brightness") {
      draw.order[i] = Adjustment::brightness;
      draw.brightness = factor;
    } else if (name == "contrast") {
      draw.order[i] = Adjustment::contrast;
      draw.contrast = factor;
    } else if (name == "saturation") {
      draw.order[i] = Adjustment::saturation;
      draw.saturation = factor;
    } else {
      draw.order[i] = Adjustment::hue;
      draw.hue = factor;
    }
  }
  return draw;
}

class Transforms : public mien::test::EachIsa {};
INSTANTIATE_TEST_SUITE_P(EveryIsa, Transforms, mien::test::every_isa, mien::test::isa_name);

TEST_P(Transforms, ColorJitterEqualsTorchvision) {
  const auto table = golden("jitter.csv");
  ASSERT_EQ(table.size(), 60u);
  for (const Row& row : table)
    EXPECT_EQ(crc32(ColorJitter::apply(noise_of(row, 0), draw_of(row))), std::stoll(row.at(11)))
        << row.at(0) << " x " << row.at(1) << ": " << row.at(3) << ' ' << row.at(7);
}

TEST_P(Transforms, ChainEqualsTorchvision) {
  const auto table = golden("chain.csv");
  ASSERT_EQ(table.size(), 2u);
  for (const Row& row : table) {
    const auto chain =
        compose([&](Image x, Generator&) { return ColorJitter::apply(std::move(x), draw_of(row)); },
                Resize{.width = 40, .height = 24}, RandomHorizontalFlip{.p = 1});
    Generator random;
    const Image image = chain(noise_of(row, 0), random);
    const Tensor<float> x = mien::data::to_tensor(image, mien::data::imagenet_normalization);
    EXPECT_EQ(crc32_of(x), std::stoll(row.at(11)));
  }
}

TEST(Geometry, EqualsTorchvision) {
  const auto table = golden("geometry.csv");
  ASSERT_EQ(table.size(), 52u);
  Generator random;
  for (const Row& row : table) {
    const Image image = noise_of(row, 1);
    const std::int64_t size = std::stoll(row.at(4));
    const Image out = row.at(0) == "flip"     ? flip_horizontal(image)
                      : row.at(0) == "resize" ? Resize{48, size}(image, random)
                                              : ResizeShorterSide{size}(image, random);
    EXPECT_EQ(out.width(), std::stoll(row.at(5)));
    EXPECT_EQ(out.height(), std::stoll(row.at(6)));
    EXPECT_EQ(crc32(out), std::stoll(row.at(7))) << row.at(0) << ' ' << size;
  }
}

TEST(Geometry, FlipOfOtherImages) {
  for (const int bits : {8, 16}) {
    for (const int channels : {1, 2, 3, 4}) {
      const Image image = noise_image(6, 3, channels, bits), flipped = flip_horizontal(image);
      mien::data::with_sample(image, [&](auto zero) {
        using T = decltype(zero);
        for (int x = 0; x < 6 * channels; ++x)
          EXPECT_EQ(flipped.row<T>(1)[static_cast<std::size_t>(x)],
                    image.row<T>(
                        1)[static_cast<std::size_t>((5 - x / channels) * channels + x % channels)]);
      });
    }
  }
}

TEST(ToTensor, EqualsTorchvision) {
  const auto table = golden("tensor.csv");
  ASSERT_EQ(table.size(), 18u);
  for (const Row& row : table) {
    const mien::data::Normalization by =
        row.at(3) == "1" ? mien::data::imagenet_normalization : mien::data::Normalization{};
    EXPECT_EQ(crc32_of(mien::data::to_tensor(noise_of(row, 0), by)), std::stoll(row.at(4)))
        << row.at(0) << " x " << row.at(1) << " x " << row.at(2) << ", " << row.at(3);
  }
}

TEST(ToTensor, FillsAnExampleOfABatch) {
  const Image image = noise_image(5, 4, 3, 8);
  const Tensor<float> whole = mien::data::to_tensor(image);
  std::vector<float> batch(3 * 60, -1.0f);
  mien::data::to_tensor(std::span(batch).subspan(60, 60), image);
  for (std::size_t i = 0; i < batch.size(); ++i)
    EXPECT_EQ(batch[i], i / 60 == 1 ? whole.data()[i - 60] : -1.0f);
  EXPECT_EQ(thrown([&] { mien::data::to_tensor(std::span(batch), image); }),
            "[to_tensor] expected room for 60 samples, got 180");
}

TEST(ColorJitter, DrawsFactorsFromTheirRangesInEveryOrder) {
  const ColorJitter jitter(
      {.brightness = 0.3, .contrast = {0.5, 0.75}, .saturation = 2, .hue = 0.1});
  Generator random(1);
  std::set<std::array<Adjustment, 4>> orders;
  double least = 1, most = 1;
  for (int i = 0; i < 1000; ++i) {
    const ColorJitter::Draw draw = jitter.draw(random);
    orders.insert(draw.order);
    least = std::min(least, *draw.brightness);
    most = std::max(most, *draw.brightness);
    EXPECT_TRUE(*draw.contrast >= 0.5 && *draw.contrast < 0.75) << *draw.contrast;
    EXPECT_TRUE(*draw.saturation >= 0 && *draw.saturation < 3) << *draw.saturation;
    EXPECT_TRUE(*draw.hue >= -0.1 && *draw.hue < 0.1) << *draw.hue;
  }
  EXPECT_EQ(orders.size(), 24u);
  EXPECT_TRUE(least >= 0.7 && least < 0.71 && most > 1.29 && most < 1.3) << least << ' ' << most;
}

TEST(ColorJitter, LeavesOutWhatIsNotAskedFor) {
  const ColorJitter jitter({.contrast = {1, 1}, .saturation = {2, 2}});
  Generator random;
  const ColorJitter::Draw draw = jitter.draw(random);
  EXPECT_FALSE(draw.brightness || draw.contrast || draw.hue);
  EXPECT_EQ(draw.saturation, 2.0);
  const Image image = noise_image(7, 3, 3, 8);
  EXPECT_EQ(largest_difference(jitter(image, random), adjust_saturation(image, 2)), 0);
  EXPECT_EQ(largest_difference(ColorJitter({})(image, random), image), 0);
}

TEST(ColorJitter, RefusesImpossibleRanges) {
  const auto error = [](const mien::data::ColorJitterOptions& options) {
    return thrown([&] { const ColorJitter jitter(options); });
  };
  EXPECT_EQ(error({.brightness = -0.1}),
            "[color_jitter] brightness: expected a distance of at least 0, got -0.1");
  EXPECT_EQ(error({.contrast = {-1, 2}}),
            "[color_jitter] contrast: expected a range within 0 to inf, got -1 to 2");
  EXPECT_EQ(error({.saturation = {2, 1}}),
            "[color_jitter] saturation: expected a range within 0 to inf, got 2 to 1");
  EXPECT_EQ(error({.hue = 0.6}),
            "[color_jitter] hue: expected a range within -0.5 to 0.5, got -0.6 to 0.6");
}

TEST(Compose, AppliesInTurnAndRepeatsWithTheGenerator) {
  const auto augment = compose(ColorJitter({.brightness = 0.5, .hue = 0.1}),
                               Resize{.width = 9, .height = 8}, RandomHorizontalFlip{});
  static_assert(mien::data::Transform<decltype(augment)>);
  static_assert(!mien::data::Transform<int>);
  const Image image = noise_image(20, 11, 3, 8);
  Generator random(3), again(3);
  const Image first = augment(image, random), second = augment(image, random);
  EXPECT_EQ(first.width(), 9);
  EXPECT_EQ(first.height(), 8);
  EXPECT_EQ(largest_difference(first, augment(image, again)), 0);
  EXPECT_GT(largest_difference(first, second), 0);
}

TEST(RandomHorizontalFlip, FlipsWithItsProbability) {
  const Image image = noise_image(4, 1, 1, 8);
  Generator random(1);
  const auto flips = [&](double p) {
    int count = 0;
    for (int i = 0; i < 1000; ++i)
      count += largest_difference(RandomHorizontalFlip{p}(image, random), image) != 0;
    return count;
  };
  EXPECT_EQ(flips(0), 0);
  EXPECT_EQ(flips(1), 1000);
  EXPECT_NEAR(flips(0.5), 500, 60);
  EXPECT_NEAR(flips(0.2), 200, 60);
  EXPECT_EQ(thrown([&] { flips(1.5); }),
            "[random_horizontal_flip] expected a probability, got 1.5");
}

}  // namespace
