// The arithmetic around the network against Real-ESRGAN's own (tests/golden/infer), and what mien
// promises beyond it.

#include <mien/infer/upscaler.hpp>

#include <gtest/gtest.h>
#include <infer/small_network.hpp>
#include <mien/io/safetensors.hpp>
#include <support/data_dir.hpp>
#include <support/images.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>

namespace mien::infer {
namespace {

using data::Image;
using test::largest_difference;
using test::picture;
using test::small_network;

struct GoldenCase {
  Image input, output;
  std::int64_t scale = 4;
  UpscaleOptions options;
};

Image image_of(const AnyTensor& tensor) {
  const bool deep = tensor.dtype() != DType::u8;
  Image image(tensor.shape()[1], tensor.shape()[0], static_cast<int>(tensor.shape()[2]),
              deep ? 16 : 8);
  const auto values = tensor.as<std::int32_t>();
  with_sample(image, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < values.numel(); ++i)
      image.samples<T>()[static_cast<std::size_t>(i)] = static_cast<T>(values.data()[i]);
  });
  return image;
}

std::map<std::string, GoldenCase> golden_cases() {
  std::map<std::string, GoldenCase> cases;
  for (const auto& [name, tensor] :
       io::read_safetensors(test::golden_path("infer/upscale.safetensors")).tensors) {
    const auto dot = name.find('.');
    GoldenCase& golden = cases[name.substr(0, dot)];
    const std::string part = name.substr(dot + 1);
    if (part == "input") golden.input = image_of(tensor);
    if (part == "output") golden.output = image_of(tensor);
    if (part != "options") continue;
    const auto numbers = tensor.get<std::int32_t>();
    golden.scale = numbers(0);
    golden.options.tile = numbers(1);
    golden.options.tile_pad = numbers(2);
    golden.options.pre_pad = numbers(3);
    golden.options.outscale = numbers(4) / 100.0;
    if (numbers(5) == 1) golden.options.alpha = AlphaUpsampler::bicubic;
  }
  return cases;
}

TEST(Upscale, EqualsTheOriginalArithmetic) {
  const auto cases = golden_cases();
  EXPECT_EQ(cases.size(), 19u);
  for (const auto& [name, golden] : cases) {
    SCOPED_TRACE(name);
    const Upscaled result = upscale(small_network(golden.scale), golden.input, golden.options);
    // OpenCV's float grey may round otherwise at 16 bits, its 8-bit bicubic is in fixed point.
    const bool exact = golden.input.bits() == 8 && golden.options.alpha == AlphaUpsampler::network;
    EXPECT_LE(largest_difference(result.image, golden.output), exact ? 0 : 1);
  }
}

TEST(Upscale, TilesWithTheReceptiveRadiusAsPadJoinExactly) {
  for (const std::int64_t scale : {1, 2, 4})
    for (const std::int64_t tile : {3, 5, 8}) {  // phases of 2 x 2 and 4 x 4 pixels differ
      const Image image = picture(23, 18, 4, 16);
      const auto network = small_network(scale);
      const Upscaled whole = upscale(network, image);
      const Upscaled tiled =
          upscale(network, image, {.tile = tile, .tile_pad = network.receptive_radius});
      EXPECT_EQ(largest_difference(whole.image, tiled.image), 0) << scale << ' ' << tile;
      EXPECT_EQ(whole.tiles, 1);
      EXPECT_EQ(tiled.tile, tile);
    }
}

// With a final resize, rows of tiles are resized one after another.
TEST(Upscale, ResizesBandsAsItResizesTheWhole) {
  for (const double outscale : {0.3, 1.0, 2.0, 3.3, 7.7})
    for (const std::int64_t tile : {1, 3, 8, 17})
      for (const int bits : {8, 16}) {
        const Image image = picture(11, 19, 4, bits);
        const Upscaled whole = upscale(small_network(), image, {.outscale = outscale});
        const Upscaled tiled =
            upscale(small_network(), image, {.tile = tile, .tile_pad = 1, .outscale = outscale});
        EXPECT_EQ(largest_difference(whole.image, tiled.image), 0) << outscale << ' ' << tile;
      }
}

TEST(Upscale, KeepsGreyWithAlphaInTwoChannels) {
  const Image image = picture(6, 5, 2);
  Image grey(6, 5, 1), alpha(6, 5, 1);
  for (std::size_t i = 0; i < 30; ++i) {
    grey.samples<std::uint8_t>()[i] = image.samples<std::uint8_t>()[2 * i];
    alpha.samples<std::uint8_t>()[i] = image.samples<std::uint8_t>()[2 * i + 1];
  }
  const auto network = small_network();
  const Image both = upscale(network, image).image;
  const Image grey_alone = upscale(network, grey).image,
              alpha_alone = upscale(network, alpha).image;
  ASSERT_EQ(both.channels(), 2);
  for (std::size_t i = 0; i < 30 * 16; ++i) {
    EXPECT_EQ(both.samples<std::uint8_t>()[2 * i], grey_alone.samples<std::uint8_t>()[i]);
    EXPECT_EQ(both.samples<std::uint8_t>()[2 * i + 1], alpha_alone.samples<std::uint8_t>()[i]);
  }
}

TEST(Upscale, KeepsColourProfileAndExif) {
  Image image = picture(4, 4, 3);
  image.icc = {std::byte{1}, std::byte{2}};
  image.exif = {std::byte{3}};
  for (const double outscale : {4.0, 2.0}) {
    const Image result = upscale(small_network(), image, {.outscale = outscale}).image;
    EXPECT_EQ(result.icc, image.icc);
    EXPECT_EQ(result.exif, image.exif);
  }
}

TEST(Upscale, TakesTheSmallestImages) {
  for (const std::int64_t scale : {1, 2, 4}) {
    const Image result = upscale(small_network(scale), picture(1, 1, 3)).image;
    EXPECT_EQ(result.width(), scale);
    EXPECT_EQ(result.height(), scale);
  }
}

// Runs out of memory for windows of more than `limit` pixels.
SuperResolutionNetwork limited_network(std::int64_t limit, bool tensor_memory) {
  SuperResolutionNetwork network = small_network();
  network.forward = [limit, tensor_memory](const Tensor<float>& x) {
    if (x.dim(1) * x.dim(2) > limit) {
      if (tensor_memory) throw OutOfMemory("[memory] out of memory");
      throw std::bad_alloc();
    }
    return test::small_network_forward(x, 4);
  };
  return network;
}

TEST(Upscale, CutsTilesSmallerWhenMemoryRunsOut) {
  const Image image = picture(100, 70, 4);
  const Upscaled expected = upscale(small_network(), image);
  for (const bool tensor_memory : {false, true})
    for (const std::int64_t tile : {0, 64}) {
      const auto network = limited_network(40 * 40, tensor_memory);
      const Upscaled result = upscale(network, image, {.tile = tile, .tile_pad = 1});
      EXPECT_EQ(largest_difference(result.image, expected.image), 0);
      EXPECT_GE(result.retries, 1);
      EXPECT_LE(result.tile, 40);
    }
}

TEST(Upscale, GivesUpWhereNoTileFits) {
  const Image image = picture(100, 70, 3);
  EXPECT_THROW(upscale(limited_network(10, true), image), OutOfMemory);
  EXPECT_THROW(upscale(limited_network(10, false), image), std::bad_alloc);
}

TEST(Upscale, NamesTheTileThatIsNotFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    int calls = 0;
    SuperResolutionNetwork network = small_network();
    network.forward = [&](const Tensor<float>& x) {
      Tensor<float> y = test::small_network_forward(x, 4);
      if (++calls == 3) y.mutable_data()[y.numel() - 1] = bad;
      return y;
    };
    try {
      upscale(network, picture(12, 10, 3), {.tile = 8, .tile_pad = 0});
      FAIL() << "expected an error";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(),
                   "[upscale] the network gave NaN or infinity in the tile at x 0, y 8 of 8 x 2 "
                   "pixels");
    }
  }
}

TEST(Upscale, TellsProgressAndStopsWhenAskedTo) {
  struct Stop {};
  const Image image = picture(20, 10, 4);
  std::vector<std::int64_t> steps;
  UpscaleOptions options{.tile = 10, .tile_pad = 1};
  options.on_tile = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 200);
    steps.push_back(done);
  };
  EXPECT_EQ(upscale(small_network(), image, options).tiles, 2);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{100, 200}));

  int calls = 0;
  options.on_tile = [&](std::int64_t, std::int64_t) {
    ++calls;
    throw Stop{};
  };
  EXPECT_THROW(upscale(small_network(), image, options), Stop);
  EXPECT_EQ(calls, 1);
}

TEST(Upscale, ManyThreadsMayUseOneNetwork) {
  const auto network = small_network();
  const Image first = picture(30, 20, 3), second = picture(17, 9, 1);
  const Image first_alone = upscale(network, first).image;
  const Image second_alone = upscale(network, second).image;
  std::atomic<int> wrong = 0;
  parallel_for(8, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const bool even = i % 2 == 0;
      const Image result =
          upscale(network, even ? first : second, {.tile = 8, .tile_pad = 1}).image;
      const Image& expected = even ? first_alone : second_alone;
      const auto a = result.samples<std::uint8_t>(), b = expected.samples<std::uint8_t>();
      wrong += !std::equal(a.begin(), a.end(), b.begin(), b.end());
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(Upscale, SaysWhatIsWrongWithTheOptions) {
  const Image image = picture(8, 6, 3);
  const auto network = small_network();
  EXPECT_THROW(upscale(network, Image()), Error);
  EXPECT_THROW(upscale(network, image, {.tile = -1}), Error);
  EXPECT_THROW(upscale(network, image, {.tile_pad = -1}), Error);
  EXPECT_THROW(upscale(network, image, {.pre_pad = 6}), Error);
  EXPECT_THROW(upscale(network, image, {.outscale = 0.01}), Error);
}

TEST(Upscale, RefusesANetworkOfAnotherScale) {
  SuperResolutionNetwork network = small_network(4);
  network.scale = 3;
  EXPECT_THROW(upscale(network, picture(4, 4, 3)), Error);
}

}  // namespace
}  // namespace mien::infer
