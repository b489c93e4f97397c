#pragma once
// AffectNet in any of its forms on disk:
//   csv_2017      training.csv, validation.csv, Manually_Annotated_Images/
//   npy_2021      {train,val}_set/{images,annotations}/
//   filtered_csv  training_filtered.csv, validation_filtered.csv, full_res/{train,val}/EMOTION/
//   folders       full_res/{train,val}/EMOTION/
// The faces of the last two may be in 224/ instead, or in the root itself.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <mien/affect/affectnet_csv.hpp>
#include <mien/affect/affectnet_folders.hpp>
#include <mien/affect/affectnet_npy.hpp>

namespace mien::affect {

enum class AffectNetRelease { filtered_csv, csv_2017, npy_2021, folders };

inline constexpr std::array<std::string_view, 4> affectnet_release_names = {
    "filtered_csv", "csv_2017", "npy_2021", "folders"};

inline std::string_view to_string(AffectNetRelease release) {
  return affectnet_release_names[static_cast<std::size_t>(release)];
}

enum class Split { train, validation };

inline std::string_view to_string(Split split) {
  return split == Split::train ? "train" : "validation";
}

// Where the parts of a release are.
class AffectNetPaths {
 public:
  explicit AffectNetPaths(std::string root) : root_(std::move(root)) {}

  std::string csv_2017(Split split) const { return root_ + '/' + stem(split) + ".csv"; }
  std::string images_2017() const { return root_ + "/Manually_Annotated_Images"; }
  std::string folder_2021(Split split) const { return root_ + '/' + short_name(split) + "_set"; }
  std::string filtered_csv(Split split) const {
    return root_ + '/' + stem(split) + "_filtered.csv";
  }
  // The folder of the emotions' folders.
  std::string faces(Split split) const {
    for (const char* folder : {"/full_res/", "/224/"})
      if (is_folder(root_ + folder + short_name(split))) return root_ + folder + short_name(split);
    return root_ + '/' + short_name(split);
  }

 private:
  static std::string stem(Split split) { return split == Split::train ? "training" : "validation"; }
  static std::string short_name(Split split) { return split == Split::train ? "train" : "val"; }

  std::string root_;
};

// The forms that the folder `root` has of one part, the best first: faces that are cut out with all
// labels before whole images, and those before labels of the emotion alone.
inline std::vector<AffectNetRelease> find_affectnet(const std::string& root, Split split) {
  const AffectNetPaths paths(root);
  std::vector<AffectNetRelease> found;
  const auto add = [&](AffectNetRelease release, bool there) {
    if (there) found.push_back(release);
  };
  const bool faces = is_folder(paths.faces(split));
  add(AffectNetRelease::filtered_csv, faces && is_file(paths.filtered_csv(split)));
  add(AffectNetRelease::csv_2017, is_file(paths.csv_2017(split)));
  add(AffectNetRelease::npy_2021, is_folder(paths.folder_2021(split)));
  add(AffectNetRelease::folders, faces);
  return found;
}

inline AffectNetRows read_affectnet(const std::string& root, Split split, AffectNetRelease release,
                                    const ReadOptions& options = {}) {
  const AffectNetPaths paths(root);
  switch (release) {
    case AffectNetRelease::filtered_csv:
      return read_affectnet_filtered(paths.filtered_csv(split), paths.faces(split), options);
    case AffectNetRelease::csv_2017:
      return read_affectnet_2017(paths.csv_2017(split), paths.images_2017(), options);
    case AffectNetRelease::npy_2021:
      return read_affectnet_2021(paths.folder_2021(split), options);
    case AffectNetRelease::folders:
      break;
  }
  return read_affectnet_folders(paths.faces(split), options);
}

// The best form that is there.
inline AffectNetRows read_affectnet(const std::string& root, Split split,
                                    const ReadOptions& options = {}) {
  const auto found = find_affectnet(root, split);
  check(!found.empty(), root, "holds no ", to_string(split),
        " part of AffectNet: expected training.csv, train_set/, training_filtered.csv or "
        "train/Anger/... with their counterparts for validation");
  return read_affectnet(root, split, found.front(), options);
}

}  // namespace mien::affect
