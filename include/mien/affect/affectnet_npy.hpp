#pragma once
// AffectNet's release of 2021: images/ID.jpg, a face each, with annotations/ID_exp.npy, ID_val.npy
// and ID_aro.npy, which hold a number or its text each.

#include <algorithm>
#include <string>
#include <utility>

#include <mien/affect/affectnet_row.hpp>
#include <mien/affect/folders.hpp>
#include <mien/io/npy.hpp>

namespace mien::affect {

// `folder` is train_set or val_set. Rows are in the order of the annotations' names as bytes: "10"
// before "2". An image without annotation is a bad row.
inline AffectNetRows read_affectnet_2021(const std::string& folder,
                                         const ReadOptions& options = {}) {
  constexpr std::string_view ending = "_exp.npy";
  const std::string images = folder + "/images/", annotations = folder + "/annotations/";
  const auto labelled = files_ending(annotations, {ending});
  AffectNetRows out;
  for (const std::string& name : labelled) {
    read_row(options, [&] {
      const std::string id = name.substr(0, name.size() - ending.size());
      const auto number = [&](std::string_view what) {
        return io::read_npy_number(str(annotations, id, what, ".npy"));
      };
      const double label = number("_exp"), valence = number("_val"), arousal = number("_aro");
      check(label >= 0 && label < std::ssize(affectnet_labels) && label == std::floor(label),
            annotations + name, "expected a label from 0 to 10, got ", label);
      if (label >= std::ssize(affectnet8_outputs)) {
        ++out.no_expression;
        return;
      }
      check(detail::is_affect(valence) && detail::is_affect(arousal), annotations + id,
            "_val.npy, _aro.npy: expected numbers from -1 to 1, or -2 for none, got ", valence,
            " and ", arousal);
      AffectNetRow row{.image = images + id + ".jpg", .expression = static_cast<int>(label)};
      detail::set_affect(row, valence, arousal);
      check_image(row.image, annotations + name, options);
      out.rows.push_back(std::move(row));
    });
  }
  for (const std::string& name : files_ending(images, {".jpg"}))
    read_row(options, [&] {
      const std::string annotation = str(name.substr(0, name.rfind('.')), ending);
      check(std::binary_search(labelled.begin(), labelled.end(), annotation), images + name,
            "has no annotation ", annotation);
    });
  return out;
}

}  // namespace mien::affect
