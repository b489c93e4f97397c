#pragma once
// The annotations of ABAW4's multi-task challenge (s-Aff-Wild2; Kollias: "ABAW: learning from
// synthetic data & multi-task learning challenges", 2022).

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mien/affect/label_orders.hpp>
#include <mien/affect/reading.hpp>

namespace mien::affect {

// The action units that are annotated, in the order of the file.
inline constexpr std::array<int, 12> abaw_action_units = {1,  2,  4,  6,  7,  10,
                                                          12, 15, 23, 24, 25, 26};

// What is not annotated is 0.
struct MtlRow {
  std::string image;                            // "video/00001.jpg"
  float valence = 0, arousal = 0;               // -1 to 1
  int expression = 0;                           // of abaw_expressions
  std::array<std::uint8_t, 12> action_units{};  // 0 or 1
  bool has_va = false, has_expression = false, has_action_units = false;
};

struct MtlRows {
  std::vector<MtlRow> rows;     // in the order of the file; images repeat
  std::int64_t unlabelled = 0;  // rows without any label, which are left out
};

namespace detail {

inline void check_frame(const io::CsvReader& csv) {
  csv.expect(stays_inside(csv[0]) && std::count(csv[0].begin(), csv[0].end(), '/') == 1, 0,
             "VIDEO/FRAME.jpg");
}

inline MtlRow parse_mtl_row(const io::CsvReader& csv) {
  MtlRow row{.image = std::string(csv[0])};
  check_frame(csv);
  double affect[2];
  for (std::size_t i = 0; i < 2; ++i) {
    affect[i] = csv.number<double>(1 + i);
    csv.expect(affect[i] == -5 || (affect[i] >= -1 && affect[i] <= 1), 1 + i,
               "a number from -1 to 1, or -5 for none");
  }
  row.has_va = affect[0] > -5 && affect[1] > -5;
  if (row.has_va) {
    row.valence = static_cast<float>(affect[0]);
    row.arousal = static_cast<float>(affect[1]);
  }
  const int expression = csv.number<int>(3);
  csv.expect(expression >= -1 && expression < std::ssize(abaw_expressions), 3,
             "a label from 0 to 7, or -1 for none");
  row.has_expression = expression >= 0;
  row.expression = std::max(expression, 0);
  row.has_action_units = true;
  for (std::size_t i = 0; i < abaw_action_units.size(); ++i) {
    const int unit = csv.number<int>(4 + i);
    csv.expect(unit >= -1 && unit <= 1, 4 + i, "0 or 1, or -1 for none");
    row.has_action_units &= unit >= 0;  // one that is missing spoils all
    row.action_units[i] = unit == 1;
  }
  if (!row.has_action_units) row.action_units = {};
  return row;
}

}  // namespace detail

// training_set_annotations.txt or validation_set_annotations.txt: a header, then lines
//   VIDEO/FRAME.jpg,valence,arousal,expression,AU1,AU2,AU4,...,AU26
// `images` is the folder of the videos' folders.
inline MtlRows read_mtl_annotations(const std::string& path, const std::string& images,
                                    const ReadOptions& options = {}) {
  io::CsvReader csv = io::CsvReader::open(path);
  csv.read_header();
  std::vector<std::string> columns = {"image", "valence", "arousal", "expression"};
  for (const int unit : abaw_action_units) columns.push_back(str("AU", unit));
  csv.set_columns(std::move(columns));  // the header has one name for all action units
  MtlRows out;
  each_row(csv, options, [&] {
    MtlRow row = detail::parse_mtl_row(csv);
    if (!row.has_va && !row.has_expression && !row.has_action_units) {
      ++out.unlabelled;
      return;
    }
    check_image(str(images, '/', row.image), csv.where(), options);
    out.rows.push_back(std::move(row));
  });
  return out;
}

}  // namespace mien::affect
