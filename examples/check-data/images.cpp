#include "images.hpp"

#include <mien/core/parallel.hpp>
#include <mien/data/digest.hpp>
#include <mien/data/image_decode.hpp>
#include <mien/train/progress.hpp>
#include <support/error_text.hpp>

namespace mien::programs {
namespace {

struct Look {
  std::string error;
  std::uint64_t digest = 0;
};

Look look_at(const std::string& path, const ImageChecks& checks) {
  Look look;
  try {
    const io::MappedFile file(path);
    if (checks.digest) look.digest = data::digest(file.bytes());
    if (checks.decode) data::decode_image(file.bytes(), {}, path);
  } catch (const std::exception& error) {
    look.error = error_text(path, error.what());
  }
  return look;
}

}  // namespace

std::vector<std::uint64_t> check_images(std::vector<std::string> paths, const ImageChecks& checks,
                                        Table& table, Report& report) {
  if (!checks.decode && !checks.digest) return {};
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());

  constexpr std::size_t at_a_time = 256;
  std::vector<std::uint64_t> digests;
  std::int64_t unreadable = 0;
  train::Progress progress;
  progress.begin({table.title, static_cast<double>(paths.size()), "img"});
  for (std::size_t first = 0; first < paths.size(); first += at_a_time) {
    std::vector<Look> looks(std::min(at_a_time, paths.size() - first));
    parallel_for(std::ssize(looks), 1, [&](std::int64_t i, std::int64_t) {
      const auto at = static_cast<std::size_t>(i);
      looks[at] = look_at(paths[first + at], checks);
    });
    for (const Look& look : looks) {
      if (look.error.empty() && checks.digest) digests.push_back(look.digest);
      if (look.error.empty()) continue;
      ++unreadable;
      report.problem(look.error);
    }
    progress.update(static_cast<double>(first + looks.size()));
  }
  table.add("images that cannot be read", unreadable);
  if (checks.digest) table.add("images that repeat content", count_repeats(digests));
  return digests;
}

}  // namespace mien::programs
