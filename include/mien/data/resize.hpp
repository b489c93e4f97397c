#pragma once
// Resizing as a transform: what torchvision's Resize does with PIL images.

#include <cstdint>
#include <utility>

#include <mien/core/random.hpp>
#include <mien/data/resize_pillow.hpp>

namespace mien::data {

// To width x height, whatever the image's shape: Resize((height, width)).
struct Resize {
  std::int64_t width = 0, height = 0;
  PillowResize how = {};

  Image operator()(const Image& image, Generator&) const {
    return resize_pillow(image, width, height, how);
  }
};

// The shorter side to `side`, the other in proportion, rounded down: Resize(side).
struct ResizeShorterSide {
  std::int64_t side = 0;
  PillowResize how = {};

  Image operator()(const Image& image, Generator&) const {
    const std::int64_t w = image.width(), h = image.height();
    return w <= h ? resize_pillow(image, side, side * h / w, how)
                  : resize_pillow(image, side * w / h, side, how);
  }
};

}  // namespace mien::data
