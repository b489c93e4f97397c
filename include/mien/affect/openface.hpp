#pragma once
// Action units by OpenFace (Baltrusaitis et al.: "OpenFace 2.0: facial behavior analysis toolkit",
// 2018): what FeatureExtraction -aus writes of one video.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mien/affect/reading.hpp>

namespace mien::affect {

// The columns that are features, in the order of the file: 17 intensities (_r, 0 to 5), then 18
// presences (_c, 0 or 1).
inline constexpr std::array<std::string_view, 35> openface_features = {
    "AU01_r", "AU02_r", "AU04_r", "AU05_r", "AU06_r", "AU07_r", "AU09_r", "AU10_r", "AU12_r",
    "AU14_r", "AU15_r", "AU17_r", "AU20_r", "AU23_r", "AU25_r", "AU26_r", "AU45_r", "AU01_c",
    "AU02_c", "AU04_c", "AU05_c", "AU06_c", "AU07_c", "AU09_c", "AU10_c", "AU12_c", "AU14_c",
    "AU15_c", "AU17_c", "AU20_c", "AU23_c", "AU25_c", "AU26_c", "AU28_c", "AU45_c"};

// One frame. Without success the features mean nothing.
struct OpenFaceRow {
  bool success = false;
  std::array<float, 35> features{};
};

namespace detail {

struct OpenFaceColumns {
  explicit OpenFaceColumns(const io::CsvReader& csv)
      : frame(csv.column("frame")), success(csv.column("success")) {
    std::transform(openface_features.begin(), openface_features.end(), features.begin(),
                   [&](std::string_view name) { return csv.column(name); });
  }
  std::size_t frame, success;
  std::array<std::size_t, 35> features{};
};

inline OpenFaceRow parse_openface_row(const io::CsvReader& csv, const OpenFaceColumns& columns,
                                      std::int64_t frame) {
  csv.expect(csv.number<std::int64_t>(columns.frame) == frame, columns.frame, str("frame ", frame));
  const auto number = [&](std::size_t column, double last, std::string_view what) {
    const double value = csv.number<double>(column);
    csv.expect(value >= 0 && value <= last, column, what);
    return value;
  };
  const auto flag = [&](std::size_t column) {
    const double value = number(column, 1, "0 or 1");
    csv.expect(value == 0 || value == 1, column, "0 or 1");
    return value;
  };
  OpenFaceRow row;
  row.success = flag(columns.success) == 1;
  for (std::size_t i = 0; i < openface_features.size(); ++i) {
    const bool intensity = openface_features[i].ends_with("_r");
    const std::size_t column = columns.features[i];
    row.features[i] =
        static_cast<float>(intensity ? number(column, 5, "a number from 0 to 5") : flag(column));
  }
  return row;
}

}  // namespace detail

// VIDEO.csv: row i is of the i-th of the video's frames, in the order of the bytes of their names.
// Read leniently, a bad row is one without success, so that the others keep their places.
inline std::vector<OpenFaceRow> read_openface(const std::string& path,
                                              const ReadOptions& options = {}) {
  io::CsvReader csv = io::CsvReader::open(path, {.trim = true});  // ", " in old versions
  csv.read_header();
  const detail::OpenFaceColumns columns(csv);
  std::vector<OpenFaceRow> rows;
  bool more = true;
  while (more) {
    OpenFaceRow row;
    read_row(options, [&] {
      more = csv.next();
      if (more) row = detail::parse_openface_row(csv, columns, std::ssize(rows) + 1);
    });
    if (more) rows.push_back(row);
  }
  return rows;
}

}  // namespace mien::affect
