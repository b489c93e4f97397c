#pragma once
// The test releases of ABAW4: a header, then the name of an image a line. Predictions are handed in
// in this order, every line, doubled names too.

#include <string>
#include <vector>

#include <mien/affect/reading.hpp>

namespace mien::affect {

// The names in the list at `path`, which `images` is the folder of.
inline std::vector<std::string> read_image_list(const std::string& path, const std::string& images,
                                                const ReadOptions& options = {}) {
  io::CsvReader csv = io::CsvReader::open(path);
  csv.read_header();
  csv.set_columns({"image"});  // the header names what predictions have
  std::vector<std::string> names;
  each_row(csv, options, [&] {
    image_path(csv, 0, images, options);
    names.emplace_back(csv[0]);
  });
  return names;
}

}  // namespace mien::affect
