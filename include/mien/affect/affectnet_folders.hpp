#pragma once
// AffectNet's faces in a folder for each emotion, as torchvision's ImageFolder reads them: Anger,
// ..., Surprise; those without Contempt too. There is no valence and no arousal.

#include <string>

#include <mien/affect/affectnet_row.hpp>
#include <mien/affect/folders.hpp>

namespace mien::affect {

// `folder` is train or val. Rows are in the order of the bytes of their paths. A folder of another
// name is a bad row.
inline AffectNetRows read_affectnet_folders(const std::string& folder,
                                            const ReadOptions& options = {}) {
  AffectNetRows out;
  for (const std::string& emotion : subfolders(folder))
    read_row(options, [&] {
      const std::string faces = str(folder, '/', emotion);
      check(find_label(affectnet8_outputs, emotion).has_value(), faces,
            "expected the name of an emotion");
      for (const std::string& name : files_ending(faces, {".jpg", ".jpeg", ".png", ".bmp"}))
        out.rows.push_back(
            {.image = str(faces, '/', name), .expression = *find_label(affectnet_labels, emotion)});
    });
  return out;
}

}  // namespace mien::affect
