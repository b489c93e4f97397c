#include "batch.hpp"

#include <mien/data/image_convert.hpp>
#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>

#include <chrono>
#include <new>
#include <utility>

#include "memory_budget.hpp"

namespace mien::programs {
namespace {

std::int64_t bytes_of(std::int64_t width, std::int64_t height, const data::Image& like) {
  return width * height * like.channels() * (like.bits() / 8);
}

}  // namespace

Batch::Batch(const Options& options, const Network& network)
    : options_(options),
      network_(network),
      tile_pad_(options.tile_pad.value_or(infer::automatic_pad(network.run))),
      memory_(options.memory > 0 ? options.memory * 1'000'000
                                 : resident_memory() + available_memory() / 4 * 3) {}

ImageReport Batch::run(const ImageFile& file, const std::function<void(double)>& on_progress) {
  ImageReport report;
  try {
    report = enlarge(file, on_progress);
  } catch (const std::bad_alloc&) {
    report.error = "not enough memory for the image and its result";
  } catch (const std::exception& error) {
    report.error = error.what();
  }
  report.input = file.path.string();
  return report;
}

ImageReport Batch::enlarge(const ImageFile& file, const std::function<void(double)>& on_progress) {
  const auto start = std::chrono::steady_clock::now();
  ImageReport report;
  const auto skipped = [&](const fs::path& output) {
    report.output = output.string();
    if (!options_.skip_existing || !fs::exists(output)) return false;
    report.status = ImageReport::Status::skipped;
    return true;
  };
  fs::path output = output_path(file, false);
  if (skipped(output)) return report;
  const data::Image image = data::read_image(file.path.string());
  if (image.has_alpha()) {
    output = output_path(file, true);
    if (skipped(output)) return report;
  }
  claim(file, output);

  infer::UpscaleOptions how{.tile = tile_for(image),
                            .tile_pad = tile_pad_,
                            .pre_pad = options_.pre_pad,
                            .outscale = options_.outscale,
                            .alpha = options_.alpha};
  how.on_tile = [&](std::int64_t done, std::int64_t total) {
    on_progress(static_cast<double>(done) / static_cast<double>(total));
  };
  infer::Upscaled result = infer::upscale(network_.run, image, how);
  fs::create_directories(output.parent_path());
  if (lower_case_extension(output) != ".png")
    result.image = data::to_8_bits(std::move(result.image));
  data::write_image(output.string(), result.image);

  report.status = ImageReport::Status::done;
  report.width = image.width();
  report.height = image.height();
  report.out_width = result.image.width();
  report.out_height = result.image.height();
  report.tile = result.tile;
  report.tiles = result.tiles;
  report.retries = result.retries;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

// NAME_SUFFIX.EXT in the output folder, or in its folder of the same name. As in the original, an
// image with alpha becomes a PNG whatever was asked for; so does, under auto, what is neither PNG
// nor JPEG.
fs::path Batch::output_path(const ImageFile& file, bool alpha) const {
  std::string extension = "." + options_.extension;
  if (options_.extension == "auto") {
    const std::string own = lower_case_extension(file.path);
    const bool writable = own == ".png" || own == ".jpg" || own == ".jpeg";
    extension = writable ? file.path.extension().string() : ".png";
  }
  if (alpha) extension = ".png";
  std::string name = file.path.stem().string();
  if (!options_.suffix.empty()) name += "_" + options_.suffix;
  return fs::path(options_.output) / file.folder / (name + extension);
}

// No image of a run overwrites the result of another (a.jpg and a.png with --ext png), or itself.
void Batch::claim(const ImageFile& file, const fs::path& output) {
  std::error_code ignored;
  check(!fs::equivalent(file.path, output, ignored), file.path.string(),
        "would be overwritten by its result; give a --suffix or another --output");
  check(written_.insert(output.lexically_normal()).second, file.path.string(),
        "another image of this run became ", output.string(), " already");
}

std::int64_t Batch::tile_for(const data::Image& image) {
  if (options_.tile) return *options_.tile;
  if (!working_memory_) working_memory_ = infer::measure_working_memory(network_.run);
  trim_memory();
  const std::int64_t scale = network_.run.scale;
  std::int64_t results = bytes_of(image.width() * scale, image.height() * scale, image);
  if (options_.outscale > 0)
    results += static_cast<std::int64_t>(
        static_cast<double>(bytes_of(image.width(), image.height(), image)) * options_.outscale *
        options_.outscale);
  const auto left = static_cast<double>(memory_ - resident_memory() - results);
  return infer::largest_tile(*working_memory_, left, image.width(), image.height(), tile_pad_);
}

}  // namespace mien::programs
