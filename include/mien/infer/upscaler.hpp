#pragma once
// Super-resolution of images by a network, tile by tile: straight from 8 or 16 bits to 8 or 16
// bits, so that beside input and output only one tile is held as floats.
//
// Arithmetic: RealESRGANer.enhance (github.com/xinntao/Real-ESRGAN, realesrgan/utils.py), except
// that the depth is the image's own (the original guesses it from the brightness), that grey with
// alpha stays that, and that a tile for which memory runs out is cut smaller instead of left out.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <new>
#include <utility>

#include <mien/core/memory.hpp>
#include <mien/infer/bicubic.hpp>
#include <mien/infer/enlarged_rows.hpp>
#include <mien/infer/pixel_exchange.hpp>
#include <mien/infer/tiling.hpp>

namespace mien::infer {

// A network that enlarges RGB pictures with values around [0, 1].
struct SuperResolutionNetwork {
  // (1, h, w, 3) -> (1, h * scale, w * scale, 3)
  std::function<Tensor<float>(const Tensor<float>&)> forward;
  std::int64_t scale = 4;
  // How many input pixels to each side an output pixel depends on.
  std::int64_t receptive_radius = 0;

  // What the sides of its input must be divisible by: generators for x2 and x1 begin with a pixel
  // unshuffle.
  std::int64_t multiple() const { return scale == 1 ? 4 : scale == 2 ? 2 : 1; }
};

enum class AlphaUpsampler { network, bicubic };

struct UpscaleOptions {
  std::int64_t tile = 0;       // side of a tile's core in input pixels; 0: the whole image
  std::int64_t tile_pad = 10;  // input pixels around the core
  std::int64_t pre_pad = 0;    // reflected at the right and bottom before the network
  double outscale = 0;         // other than the network's scale (0): resized by Lanczos4
  AlphaUpsampler alpha = AlphaUpsampler::network;
  // Called after every tile with the pixels done and the pixels of the image; what it throws ends
  // the run.
  std::function<void(std::int64_t done, std::int64_t total)> on_tile = {};
};

struct Upscaled {
  data::Image image;
  std::int64_t tiles = 0;
  std::int64_t tile = 0;     // longer side of the largest core
  std::int64_t retries = 0;  // times that memory ran out and the tiles were made smaller
};

namespace detail {

// One image with samples of type T on its way through the network.
template <data::Sample T>
class Upscaling {
 public:
  Upscaling(const SuperResolutionNetwork& network, const data::Image& image,
            const UpscaleOptions& options)
      : network_(network),
        image_(image),
        options_(options),
        size_{image.width(), image.height(), options.pre_pad, network.multiple()},
        rows_(shapes(network, image, options), image.bits()) {}

  Upscaled run() {
    const std::int64_t width = image_.width(), height = image_.height();
    const std::int64_t tile = options_.tile > 0 ? options_.tile : std::max(width, height);
    const std::int64_t band = rows_.resizes() ? std::min(tile, height) : height;
    for (std::int64_t y = 0; y < height; y += band) {
      const Rect area{0, y, width, std::min(band, height - y)};
      rows_.begin(area.height * network_.scale);
      run(area, tile);
      rows_.finish();
    }
    trim_memory();  // what is kept for reuse would be of no use for writing the result
    out_.image = rows_.take();
    out_.image.copy_metadata(image_);
    return std::move(out_);
  }

 private:
  static constexpr std::int64_t smallest_tile = 16;

  static data::ResizeShape shapes(const SuperResolutionNetwork& network, const data::Image& image,
                                  const UpscaleOptions& options) {
    const double outscale =
        options.outscale > 0 ? options.outscale : static_cast<double>(network.scale);
    const auto scaled = [&](std::int64_t size) {  // truncated, as the original does
      return static_cast<std::int64_t>(static_cast<double>(size) * outscale);
    };
    const data::ResizeShape shape{image.width() * network.scale, image.height() * network.scale,
                                  scaled(image.width()), scaled(image.height()), image.channels()};
    check(shape.out_width >= 1 && shape.out_height >= 1, "upscale", "an outscale of ", outscale,
          " leaves nothing of ", image.width(), " x ", image.height(), " pixels");
    return shape;
  }

  void run(const Rect& area, std::int64_t tile) {
    for (const Rect& core : tile_cores(area, std::min(tile, largest_))) {
      if (core.longer_side() > largest_ || !fits(core)) {
        run(core, largest_);
        continue;
      }
      done_ += core.pixels();
      if (options_.on_tile) options_.on_tile(done_, image_.width() * image_.height());
    }
  }

  // Runs a tile, or returns false with a smaller largest_ where memory does not suffice.
  bool fits(const Rect& core) try {
    const Rect window = tile_window(core, options_.tile_pad, size_.padded_width(),
                                    size_.padded_height(), size_.multiple);
    // Blocks kept from windows of another shape would be of no use: memory follows one tile.
    if (window.width != last_window_.width || window.height != last_window_.height) trim_memory();
    last_window_ = window;
    run_plane(core, window, Plane::colour);
    if (image_.has_alpha()) run_alpha(core, window);
    ++out_.tiles;
    out_.tile = std::max(out_.tile, core.longer_side());
    return true;
  } catch (const OutOfMemory&) {
    if (!make_smaller(core)) throw;
    return false;
  } catch (const std::bad_alloc&) {
    if (!make_smaller(core)) throw;
    return false;
  }

  bool make_smaller(const Rect& core) {
    if (core.longer_side() <= smallest_tile) return false;
    largest_ = (core.longer_side() + 1) / 2;
    ++out_.retries;
    return true;
  }

  void run_alpha(const Rect& core, const Rect& window) {
    if (options_.alpha == AlphaUpsampler::network) return run_plane(core, window, Plane::alpha);
    enlarge_bicubic<T>(rows_.band(), enlarged(core), rows_.first_row(), image_,
                       image_.channels() - 1, network_.scale);
  }

  void run_plane(const Rect& core, const Rect& window, Plane plane) {
    const std::int64_t scale = network_.scale;
    const Tensor<float> result =
        network_.forward(read_window<T>(image_, size_, window, plane)).dense();
    const Shape expected{1, window.height * scale, window.width * scale, 3};
    check(result.shape() == expected, "upscale", "the network gave ", result.shape(), ", expected ",
          expected);
    Rect to = enlarged(core);
    to.y -= rows_.first_row();
    const bool finite = write_plane<T>(rows_.band(), to, plane, result, (core.x - window.x) * scale,
                                       (core.y - window.y) * scale);
    check(finite, "upscale", "the network gave NaN or infinity in the tile at x ", core.x, ", y ",
          core.y, " of ", core.width, " x ", core.height, " pixels");
  }

  Rect enlarged(const Rect& core) const {
    const std::int64_t scale = network_.scale;
    return {core.x * scale, core.y * scale, core.width * scale, core.height * scale};
  }

  const SuperResolutionNetwork& network_;
  const data::Image& image_;
  const UpscaleOptions& options_;
  PaddedSize size_;
  EnlargedRows<T> rows_;
  Upscaled out_;
  Rect last_window_;
  std::int64_t largest_ = std::numeric_limits<std::int64_t>::max();  // side of a core that may fit
  std::int64_t done_ = 0;
};

}  // namespace detail

// `image` enlarged by the network; grey, alpha, depth, colour profile and EXIF stay. Nothing is
// kept between calls, and any number of threads may call. Throws where the network gives NaN or
// infinity, and OutOfMemory where not even a tile of 16 pixels fits.
inline Upscaled upscale(const SuperResolutionNetwork& network, const data::Image& image,
                        const UpscaleOptions& options = {}) {
  check(!image.empty(), "upscale", "the image is empty");
  check(options.tile >= 0 && options.tile_pad >= 0, "upscale", "a tile of ", options.tile,
        " pixels with a pad of ", options.tile_pad);
  check(options.pre_pad >= 0 && options.pre_pad < std::min(image.width(), image.height()),
        "upscale", "a pre_pad of ", options.pre_pad, ", expected less than the image's sides (",
        image.width(), " x ", image.height(), ")");
  return with_sample(image, [&](auto zero) {
    return detail::Upscaling<decltype(zero)>(network, image, options).run();
  });
}

}  // namespace mien::infer
