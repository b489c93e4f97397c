#pragma once
// The images of one run, one after another.

#include <functional>
#include <optional>
#include <set>
#include <string>

#include <mien/data/image.hpp>
#include <mien/infer/automatic_tiling.hpp>
#include <support/image_files.hpp>

#include "network.hpp"
#include "options.hpp"
#include "report.hpp"

namespace mien::programs {

class Batch {
 public:
  Batch(const Options& options, const Network& network);

  // Enlarges one image and writes the result; `on_progress` is given the share of it that is done
  // and may throw to stop. What is wrong with the image is told in the report, not thrown.
  ImageReport run(const ImageFile& file, const std::function<void(double)>& on_progress);

  std::int64_t tile_pad() const { return tile_pad_; }

 private:
  ImageReport enlarge(const ImageFile& file, const std::function<void(double)>& on_progress);
  fs::path output_path(const ImageFile& file, bool alpha) const;
  void claim(const ImageFile& file, const fs::path& output);
  std::int64_t tile_for(const data::Image& image);

  const Options& options_;
  const Network& network_;
  std::int64_t tile_pad_;
  std::int64_t memory_;                                 // bytes
  std::optional<infer::WorkingMemory> working_memory_;  // measured when first needed
  std::set<fs::path> written_;
};

}  // namespace mien::programs
