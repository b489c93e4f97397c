// mien-upscale: enlarges images by a Real-ESRGAN network, with the flags of Real-ESRGAN's own
// inference_realesrgan.py.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <mien/train/interrupt.hpp>
#include <mien/train/progress.hpp>

#include <support/error_text.hpp>
#include <support/image_files.hpp>

#include "batch.hpp"
#include "network.hpp"
#include "options.hpp"
#include "report.hpp"

namespace {

using namespace mien::programs;

void tell(const ImageReport& image) {
  switch (image.status) {
    case ImageReport::Status::done:
      std::printf("%s -> %s (%lld x %lld, %.1f s)\n", image.input.c_str(), image.output.c_str(),
                  static_cast<long long>(image.out_width), static_cast<long long>(image.out_height),
                  image.seconds);
      break;
    case ImageReport::Status::skipped:
      std::printf("%s: %s is there already\n", image.input.c_str(), image.output.c_str());
      break;
    case ImageReport::Status::failed:
      std::fprintf(stderr, "mien-upscale: %s\n", error_text(image.input, image.error).c_str());
  }
  std::fflush(stdout);
}

// Returns the exit code: 0 if every image is done, 1 if one failed, 130 after Ctrl-C.
int run(const Options& options) {
  mien::train::catch_interrupts();
  const auto files = image_files(options.input, options.recursive);
  const Network network = load_network(options);
  Batch batch(options, network);
  std::vector<ImageReport> reports;
  mien::train::Progress progress({.line_seconds = 0});
  progress.begin({.total = static_cast<double>(files.size())});
  int exit_code = 0;
  try {
    for (const ImageFile& file : files) {
      const auto before = static_cast<double>(reports.size());
      reports.push_back(batch.run(file, [&](double share) {
        progress.update(before + share, file.path.filename().string());
        mien::train::throw_if_interrupted();
      }));
      progress.clear();
      tell(reports.back());
      if (reports.back().status == ImageReport::Status::failed) exit_code = 1;
      mien::train::throw_if_interrupted();
    }
  } catch (const mien::train::Interrupted& interrupted) {
    progress.clear();
    std::fprintf(stderr, "mien-upscale: interrupted, %zu of %zu images are done\n", reports.size(),
                 files.size());
    exit_code = interrupted.exit_code();
  }
  if (!options.report.empty()) write_report(options, network, batch.tile_pad(), reports);
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  const CommandLine line = read_command_line(argc, argv);
  if (line.exit_code) return *line.exit_code;
  try {
    return run(line.options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mien-upscale: %s\n", error.what());
    return 1;
  }
}
