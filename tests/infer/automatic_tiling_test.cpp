#include <mien/infer/automatic_tiling.hpp>

#include <gtest/gtest.h>
#include <infer/small_network.hpp>

namespace mien::infer {
namespace {

TEST(AutomaticPad, IsTheReceptiveRadiusWhereThatIsAffordable) {
  SuperResolutionNetwork network;
  network.receptive_radius = 18;
  EXPECT_EQ(automatic_pad(network), 18);
  network.receptive_radius = 349;
  EXPECT_EQ(automatic_pad(network), 32);
}

// Holds `floats` floats per input pixel and 1 MB beside them.
SuperResolutionNetwork hungry_network(std::int64_t floats) {
  return {.forward =
              [floats](const Tensor<float>& x) {
                const Tensor<float> fixed({1 << 18});
                const Tensor<float> held({x.dim(1), x.dim(2), floats});
                return Tensor<float>({1, x.dim(1) * 4, x.dim(2) * 4, 3});
              },
          .scale = 4};
}

TEST(WorkingMemory, IsMeasured) {
  for (const std::int64_t floats : {16, 640}) {
    const WorkingMemory memory = measure_working_memory(hungry_network(floats));
    const double expected = 4.0 * static_cast<double>(floats + 3 + 48);  // with input and output
    EXPECT_GE(memory.per_pixel, expected);
    EXPECT_LE(memory.per_pixel, expected * 1.27);  // blocks are rounded up by an eighth, at most
    EXPECT_NEAR(memory.fixed, 1 << 20, 1 << 19);
  }
}

TEST(LargestTile, FillsTheMemoryAndNoMore) {
  const WorkingMemory memory{.fixed = 1e6, .per_pixel = 1000};
  for (const double bytes : {30e6, 100e6, 5e9}) {
    const std::int64_t tile = largest_tile(memory, bytes, 5000, 3000, 10);
    const auto needed = [&](std::int64_t side) {
      return memory.fixed + memory.per_pixel * static_cast<double>((side + 20) * (side + 20));
    };
    EXPECT_LE(needed(tile), bytes);
    EXPECT_GT(needed(tile + 16), bytes);
  }
}

TEST(LargestTile, IsTheWholeImageWhereThatFits) {
  const WorkingMemory memory{.fixed = 1e6, .per_pixel = 1000};
  EXPECT_EQ(largest_tile(memory, 11e6, 100, 100, 10), 0);
  EXPECT_GT(largest_tile(memory, 10.9e6, 100, 100, 10), 0);
}

TEST(LargestTile, SaysHowMuchIsNeeded) {
  const WorkingMemory memory{.fixed = 1e6, .per_pixel = 1000};
  try {
    largest_tile(memory, 2e6, 100, 100, 18);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "[tile] tiles of 32 pixels with a pad of 18 take 6 MB, 2 MB are left");
  }
  EXPECT_THROW(largest_tile(memory, -5e6, 100, 100, 0), Error);
}

}  // namespace
}  // namespace mien::infer
