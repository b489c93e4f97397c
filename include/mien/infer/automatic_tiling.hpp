#pragma once
// How wide tiles overlap, from the network's receptive field, and how large they may be for a given
// amount of memory, measured on the network itself.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <mien/core/memory.hpp>
#include <mien/infer/upscaler.hpp>

namespace mien::infer {

// The pad that joins tiles without a seam: the network's receptive radius. Of networks that see
// hundreds of pixels far (RRDBNet with 23 blocks: 350), where windows would be mostly pad, 32: more
// than three times what the original takes, but not exact.
//
// Measured on realesr-animevideov3 (radius 18), tiles of 64 pixels, largest difference to the
// untiled result in levels of 8 bits: pad 0: 103, 8: 10.7, 10: 5.9, 14: 1.1, 16: 0.5, 18: 0.0003.
inline std::int64_t automatic_pad(const SuperResolutionNetwork& network) {
  constexpr std::int64_t affordable = 64, otherwise = 32;
  return network.receptive_radius <= affordable ? network.receptive_radius : otherwise;
}

// What a run of a network on one window takes beside its weights: fixed + per_pixel * pixels bytes.
struct WorkingMemory {
  double fixed = 0, per_pixel = 0;
};

// Runs the network on two small windows. What counts is what the process then holds: blocks kept
// for reuse included, since a run frees blocks of sizes that it does not need again. Memory that
// other threads take meanwhile is counted too.
inline WorkingMemory measure_working_memory(const SuperResolutionNetwork& network) {
  const auto held = [&](std::int64_t side) {
    trim_memory();
    const std::size_t before = memory_stats().in_use;
    reset_peak_memory();
    network.forward(Tensor<float>::zeros({1, side, side, 3}));
    const MemoryStats after = memory_stats();
    return static_cast<double>(std::max(after.peak, after.in_use + after.cached) - before);
  };
  constexpr std::int64_t small = 24, large = 48;
  held(small);  // packs the weights, which stay
  const double at_small = held(small), at_large = held(large);
  const double per_pixel = std::max((at_large - at_small) / (large * large - small * small), 1.0);
  constexpr double rounding = 1.125;  // blocks of other sizes are rounded up by at most an eighth
  return {std::max(at_large - per_pixel * large * large, 0.0), per_pixel * rounding};
}

// The side of the largest tiles of an image of width x height pixels whose windows, with `pad` on
// every side, fit into `bytes`; 0 where the whole image does. Throws where no useful tile fits.
inline std::int64_t largest_tile(const WorkingMemory& memory, double bytes, std::int64_t width,
                                 std::int64_t height, std::int64_t pad) {
  constexpr std::int64_t smallest = 32, step = 16;
  const double pixels = (bytes - memory.fixed) / memory.per_pixel;
  if (static_cast<double>(width) * static_cast<double>(height) <= pixels) return 0;
  const auto window = static_cast<std::int64_t>(std::sqrt(std::max(pixels, 0.0)));
  const std::int64_t tile = (window - 2 * pad) / step * step;
  const double needed = std::pow(smallest + 2 * pad, 2) * memory.per_pixel + memory.fixed;
  check(tile >= smallest, "tile", "tiles of ", smallest, " pixels with a pad of ", pad, " take ",
        std::ceil(needed / 1e6), " MB, ", std::floor(std::max(bytes, 0.0) / 1e6), " MB are left");
  return tile;
}

}  // namespace mien::infer
