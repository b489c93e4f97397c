// OpenFace's action units of the multi-task set's faces.

#include <mien/affect/abaw_mtl.hpp>
#include <mien/affect/image_list.hpp>
#include <mien/affect/openface_folder.hpp>

#include "abaw.hpp"
#include "kinds.hpp"

namespace mien::programs {
namespace {

// The frames of one part that OpenFace found a face in, and those that it did not.
struct PaperCounts {
  std::int64_t found, failed;
};

void add_part(Table& table, const std::string& part, const std::vector<std::string>& images,
              const affect::OpenFaceFolder& openface, const PaperCounts& paper) {
  std::int64_t found = 0, failed = 0, missing = 0;
  for (const std::string& image : images) {
    const affect::OpenFaceRow* row = openface.find(image);
    ++(row == nullptr ? missing : row->success ? found : failed);
  }
  table.add(part + ": with action units", found, paper.found);
  table.add(part + ": without success", failed, paper.failed);
  table.add(part + ": without a row", missing);
}

// The labelled images of a list, without regard to the files.
std::vector<std::string> labelled_images(const std::string& list) {
  std::vector<std::string> images;
  if (!affect::is_file(list)) return images;
  affect::Omissions ignored;  // told by abaw-mtl
  auto read = affect::read_mtl_annotations(list, "", {&ignored, false});
  for (affect::MtlRow& row : read.rows) images.push_back(std::move(row.image));
  return images;
}

std::vector<std::string> test_images(const std::string& list) {
  affect::Omissions ignored;
  return affect::is_file(list) ? affect::read_image_list(list, "", {&ignored, false})
                               : std::vector<std::string>();
}

affect::OpenFaceFolder read_folder(const std::string& root, Table& table, Report& report) {
  affect::Omissions omissions;
  affect::OpenFaceFolder folder(abaw::openface(root), abaw::faces(root), {.omissions = &omissions});
  table.add("videos", folder.videos());
  table.add("bad rows", omissions.bad_rows);
  report.omissions(omissions);
  return folder;
}

}  // namespace

bool has_openface(const std::string& root) { return affect::is_folder(abaw::openface(root)); }

std::vector<Report> check_openface(const std::string& root, const ImageChecks&) {
  Report report{"openface"};
  Table table{"train and validation"};
  const affect::OpenFaceFolder openface = read_folder(root, table, report);
  add_part(table, "train", labelled_images(abaw::train_list(root)), openface, {133568, 8765});
  add_part(table, "validation", labelled_images(abaw::validation_list(root)), openface,
           {25796, 1080});
  report.tables.push_back(std::move(table));

  const std::string test_root = abaw::mtl_test(root);
  if (!has_openface(test_root)) {
    report.notes.push_back("there are no action units of the test set");
    return {std::move(report)};
  }
  Table test{"test"};
  const affect::OpenFaceFolder of_test = read_folder(test_root, test, report);
  add_part(test, "test", test_images(abaw::mtl_test_list(root)), of_test, {47790, 3369});
  report.tables.push_back(std::move(test));
  return {std::move(report)};
}

}  // namespace mien::programs
