#pragma once
// What became of every image, for --json.

#include <cstdint>
#include <string>
#include <vector>

#include "network.hpp"
#include "options.hpp"

namespace mien::programs {

struct ImageReport {
  enum class Status { done, skipped, failed };

  std::string input, output, error;
  Status status = Status::failed;
  std::int64_t width = 0, height = 0, out_width = 0, out_height = 0;
  std::int64_t tile = 0, tiles = 0, retries = 0;
  double seconds = 0;
};

// Writes the report in one piece: the file is the old one or all of the new one.
void write_report(const Options& options, const Network& network, std::int64_t tile_pad,
                  const std::vector<ImageReport>& images);

}  // namespace mien::programs
