#pragma once
// Tiling: how an image is cut into pieces that a network sees one at a time.
//
// The core of a tile is what it adds to the output. Its window is what the network sees for that:
// the core and `pad` pixels on every side, clipped to the image, since a network pads its own
// borders. With a pad of at least the network's receptive radius the tiles join without a seam:
// together they are the untiled result.
// Source: RealESRGANer.tile_process (github.com/xinntao/Real-ESRGAN, realesrgan/utils.py).

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mien/core/error.hpp>

namespace mien::infer {

struct Rect {
  std::int64_t x = 0, y = 0, width = 0, height = 0;

  std::int64_t pixels() const { return width * height; }
  std::int64_t longer_side() const { return std::max(width, height); }
  friend bool operator==(const Rect&, const Rect&) = default;
};

// Cuts `area` into cores of at most tile x tile pixels, row by row; those at the right and bottom
// edge are smaller.
inline std::vector<Rect> tile_cores(const Rect& area, std::int64_t tile) {
  check(tile >= 1, "tiling", "a tile of ", tile, " pixels");
  std::vector<Rect> cores;
  for (std::int64_t y = 0; y < area.height; y += tile)
    for (std::int64_t x = 0; x < area.width; x += tile)
      cores.push_back({area.x + x, area.y + y, std::min(tile, area.width - x),
                       std::min(tile, area.height - y)});
  return cores;
}

// The window of a core in an image of width x height pixels, both divisible by `multiple`. Windows
// begin and end at multiples of it: a network that begins with a pixel unshuffle then sees every
// pixel in the same phase as in the whole image.
inline Rect tile_window(const Rect& core, std::int64_t pad, std::int64_t width, std::int64_t height,
                        std::int64_t multiple = 1) {
  const auto begin = [&](std::int64_t at) {
    return std::max<std::int64_t>(at - pad, 0) / multiple * multiple;
  };
  const auto end = [&](std::int64_t at, std::int64_t size) {
    return std::min((at + pad + multiple - 1) / multiple * multiple, size);
  };
  const std::int64_t x = begin(core.x), y = begin(core.y);
  return {x, y, end(core.x + core.width, width) - x, end(core.y + core.height, height) - y};
}

}  // namespace mien::infer
