#include "abaw.hpp"

#include <mien/affect/image_list.hpp>

namespace mien::programs::abaw {

void check_test(const std::string& list, const std::string& images, const PaperTest& paper,
                const ImageChecks& checks, Report& report) {
  if (!affect::is_file(list)) {
    report.notes.push_back("there is no list of the test set");
    return;
  }
  Table table{"test"};
  affect::Omissions omissions;
  const auto names = affect::read_image_list(list, images, {.omissions = &omissions});
  table.add("rows", std::ssize(names), paper.rows);
  table.add("different images", std::ssize(names) - count_repeats(names), paper.images);
  table.add("missing images", omissions.missing_images);
  table.add("bad rows", omissions.bad_rows);
  report.omissions(omissions);
  std::vector<std::string> paths;
  for (const std::string& name : names) paths.push_back(str(images, '/', name));
  check_images(paths, checks, table, report);
  report.tables.push_back(std::move(table));
}

}  // namespace mien::programs::abaw
