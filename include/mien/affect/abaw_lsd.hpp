#pragma once
// ABAW4's learning from synthetic data: a folder of images for each of six expressions.

#include <string>
#include <vector>

#include <mien/affect/folders.hpp>
#include <mien/affect/label_orders.hpp>
#include <mien/affect/reading.hpp>

namespace mien::affect {

struct LsdRow {
  std::string image;   // path
  int expression = 0;  // of lsd_expressions
};

// `folder` is training_set_synthetic_images or validation_set_real_images; ANGER is taken for
// ANGRER. Rows are in the order of the bytes of their paths. A folder of another name is a bad row.
inline std::vector<LsdRow> read_lsd_folder(const std::string& folder,
                                           const ReadOptions& options = {}) {
  std::vector<LsdRow> rows;
  for (const std::string& name : subfolders(folder))
    read_row(options, [&] {
      const std::string images = str(folder, '/', name);
      const auto expression = find_lsd_folder(name);
      check(expression.has_value(), images,
            "expected one of ANGRER, DISGUST, FEAR, HAPPINESS, "
            "SADNESS, SURPRISE");
      for (const std::string& image : files_ending(images, {".jpg"}))
        rows.push_back({str(images, '/', image), *expression});
    });
  return rows;
}

}  // namespace mien::affect
