#pragma once
// OpenFaceFolder: the rows of OpenFace's files by image.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/affect/folders.hpp>
#include <mien/affect/openface.hpp>

namespace mien::affect {

class OpenFaceFolder {
 public:
  // `csvs` holds VIDEO.csv (openface_aus_cropped_aligned), `frames` VIDEO/FRAME.jpg
  // (cropped_aligned). A file with another number of rows than its video has frames is a bad row.
  OpenFaceFolder(const std::string& csvs, const std::string& frames,
                 const ReadOptions& options = {}) {
    for (const std::string& name : files_ending(csvs, {".csv"}))
      read_row(options, [&] {
        const std::string path = str(csvs, '/', name), video = name.substr(0, name.size() - 4);
        Video of{files_ending(str(frames, '/', video), {".jpg"}), read_openface(path, options)};
        check(of.frames.size() == of.rows.size(), path, "expected ", of.frames.size(),
              " rows as the video has frames, got ", of.rows.size());
        videos_.emplace(video, std::move(of));
      });
  }

  // The row of "video/00001.jpg"; null where there is none.
  const OpenFaceRow* find(std::string_view image) const {
    const std::size_t slash = std::min(image.find('/'), image.size());
    const auto video = videos_.find(image.substr(0, slash));
    if (video == videos_.end() || slash == image.size()) return nullptr;
    const auto& [frames, rows] = video->second;
    const std::string_view frame = image.substr(slash + 1);
    const auto at = std::lower_bound(frames.begin(), frames.end(), frame);
    if (at == frames.end() || *at != frame) return nullptr;
    return &rows[static_cast<std::size_t>(at - frames.begin())];
  }

  std::int64_t videos() const { return std::ssize(videos_); }

 private:
  struct Video {
    std::vector<std::string> frames;
    std::vector<OpenFaceRow> rows;
  };
  std::map<std::string, Video, std::less<>> videos_;
};

}  // namespace mien::affect
