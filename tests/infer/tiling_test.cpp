#include <mien/infer/tiling.hpp>

#include <gtest/gtest.h>

namespace mien::infer {
namespace {

TEST(TileCores, CoverEveryPixelOnce) {
  for (const std::int64_t width : {1, 7, 8, 9, 24})
    for (const std::int64_t height : {1, 5, 16}) {
      std::vector<int> covered(static_cast<std::size_t>(width * height), 0);
      for (const Rect& core : tile_cores({0, 0, width, height}, 8)) {
        EXPECT_LE(core.longer_side(), 8);
        for (std::int64_t y = core.y; y < core.y + core.height; ++y)
          for (std::int64_t x = core.x; x < core.x + core.width; ++x)
            ++covered[static_cast<std::size_t>(y * width + x)];
      }
      for (const int times : covered) EXPECT_EQ(times, 1) << width << " x " << height;
    }
}

TEST(TileCores, StayInsideAnAreaThatDoesNotBeginAtZero) {
  const auto cores = tile_cores({10, 20, 5, 3}, 4);
  ASSERT_EQ(cores.size(), 2u);
  EXPECT_EQ(cores[0], (Rect{10, 20, 4, 3}));
  EXPECT_EQ(cores[1], (Rect{14, 20, 1, 3}));
}

TEST(TileCores, RefuseATileOfNothing) { EXPECT_THROW(tile_cores({0, 0, 4, 4}, 0), Error); }

TEST(TileWindow, IsClippedToTheImage) {
  EXPECT_EQ(tile_window({0, 0, 8, 8}, 3, 20, 20), (Rect{0, 0, 11, 11}));
  EXPECT_EQ(tile_window({8, 8, 8, 8}, 3, 20, 20), (Rect{5, 5, 14, 14}));
  EXPECT_EQ(tile_window({16, 8, 4, 8}, 3, 20, 20), (Rect{13, 5, 7, 14}));
  EXPECT_EQ(tile_window({0, 0, 20, 20}, 100, 20, 20), (Rect{0, 0, 20, 20}));
}

TEST(TileWindow, BeginsAndEndsAtMultiples) {
  EXPECT_EQ(tile_window({5, 5, 5, 5}, 2, 24, 24, 4), (Rect{0, 0, 12, 12}));
  EXPECT_EQ(tile_window({9, 0, 3, 24}, 0, 24, 24, 2), (Rect{8, 0, 4, 24}));
}

}  // namespace
}  // namespace mien::infer
