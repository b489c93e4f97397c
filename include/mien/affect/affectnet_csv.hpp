#pragma once
// AffectNet's lists as CSV: those of the release of 2017, whose images show whole scenes, and those
// derived from them with faces that are cut out.

#include <string>
#include <utility>

#include <mien/affect/affectnet_row.hpp>

namespace mien::affect {

// training.csv or validation.csv of the release of 2017. `images` is the folder that
// subDirectory_filePath begins at (Manually_Annotated_Images). Header:
//   subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,
//   arousal
inline AffectNetRows read_affectnet_2017(const std::string& path, const std::string& images,
                                         const ReadOptions& options = {}) {
  io::CsvReader csv = io::CsvReader::open(path);
  csv.read_header();
  const std::size_t image = csv.column("subDirectory_filePath"), x = csv.column("face_x"),
                    y = csv.column("face_y"), width = csv.column("face_width"),
                    height = csv.column("face_height"), expression = csv.column("expression"),
                    valence = csv.column("valence"), arousal = csv.column("arousal");
  AffectNetRows out;
  each_row(csv, options, [&] {
    AffectNetRow row;
    row.expression = csv.number<int>(expression);
    csv.expect(row.expression >= 0 && row.expression < std::ssize(affectnet_labels), expression,
               "a label from 0 to 10");
    if (row.expression >= std::ssize(affectnet8_outputs)) {
      ++out.no_expression;
      return;
    }
    row.box = {csv.number<double>(x), csv.number<double>(y), csv.number<double>(width),
               csv.number<double>(height)};
    if (row.box->width < 0) {
      ++out.no_face;
      return;
    }
    detail::read_affect_columns(row, csv, valence, arousal);
    row.image = image_path(csv, image, images, options);
    out.rows.push_back(std::move(row));
  });
  return out;
}

// training_filtered.csv or validation_filtered.csv. `faces` is the folder of the eight emotions'
// folders. Header, where pandas may have put a column without name in front:
//   filepath,emotion,valence,arousal
inline AffectNetRows read_affectnet_filtered(const std::string& path, const std::string& faces,
                                             const ReadOptions& options = {}) {
  io::CsvReader csv = io::CsvReader::open(path);
  csv.read_header();
  const std::size_t image = csv.column("filepath"), emotion = csv.column("emotion"),
                    valence = csv.column("valence"), arousal = csv.column("arousal");
  AffectNetRows out;
  each_row(csv, options, [&] {
    AffectNetRow row;
    const auto label = find_label(affectnet_labels, csv[emotion]);
    csv.expect(label.has_value(), emotion, "an emotion's name");
    if (*label >= std::ssize(affectnet8_outputs)) {
      ++out.no_expression;
      return;
    }
    row.expression = *label;
    detail::read_affect_columns(row, csv, valence, arousal);
    row.image = image_path(csv, image, faces, options);
    out.rows.push_back(std::move(row));
  });
  return out;
}

}  // namespace mien::affect
