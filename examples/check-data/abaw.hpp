#pragma once
// What the kinds of ABAW4's data share: where its parts are, and the lists of the test sets.

#include <optional>
#include <string>

#include <mien/affect/folders.hpp>

#include "images.hpp"
#include "report.hpp"

namespace mien::programs::abaw {

inline std::string train_list(const std::string& root) {
  return root + "/training_set_annotations.txt";
}
inline std::string validation_list(const std::string& root) {
  return root + "/validation_set_annotations.txt";
}
inline std::string mtl_test_list(const std::string& root) {
  return root + "/MTL_Challenge_test_set_release.txt";
}
inline std::string lsd_test_list(const std::string& root) {
  return root + "/LSD_Challenge_test_set_release.txt";
}

// Faces of the multi-task set below `root`, aligned where they are there.
inline std::string faces(const std::string& root) {
  const std::string aligned = root + "/cropped_aligned";
  return affect::is_folder(aligned) ? aligned : root + "/cropped";
}
inline std::string mtl_test(const std::string& root) { return root + "/mtl_test_data"; }

inline std::string openface(const std::string& root) {
  return root + "/openface_aus_cropped_aligned";
}

inline std::string lsd_train(const std::string& root) {
  return root + "/training_set_synthetic_images";
}
inline std::string lsd_validation(const std::string& root) {
  return root + "/validation_set_real_images";
}
inline std::string lsd_test(const std::string& root) { return root + "/lsd_test_data"; }

// The counts of a test set; that it is missing is a note.
struct PaperTest {
  std::int64_t rows;
  std::optional<std::int64_t> images;  // different ones
};
void check_test(const std::string& list, const std::string& images, const PaperTest& paper,
                const ImageChecks& checks, Report& report);

}  // namespace mien::programs::abaw
