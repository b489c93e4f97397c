// ABAW4's learning from synthetic data.

#include <mien/affect/abaw_lsd.hpp>

#include <algorithm>
#include <array>

#include "abaw.hpp"
#include "kinds.hpp"

namespace mien::programs {
namespace {

using affect::LsdRow;

constexpr std::int64_t paper_train = 277251, paper_validation = 4670;
constexpr abaw::PaperTest paper_test = {106120, {}};
constexpr std::array<std::int64_t, 6> paper_train_classes = {18286, 15150,  10923,
                                                             73285, 144631, 14976};

// Checks one part; returns the digests of its images.
std::vector<std::uint64_t> check_folder(const std::string& folder, const std::string& title,
                                        std::int64_t paper, bool paper_classes,
                                        const ImageChecks& checks, Report& report) {
  if (!affect::is_folder(folder)) {
    report.problem(folder + " is missing");
    return {};
  }
  Table table{title};
  affect::Omissions omissions;
  const std::vector<LsdRow> rows = affect::read_lsd_folder(folder, {.omissions = &omissions});
  table.add("images", std::ssize(rows), paper);
  for (std::size_t label = 0; label < affect::lsd_folders.size(); ++label) {
    const std::int64_t count = std::count_if(rows.begin(), rows.end(), [&](const LsdRow& row) {
      return row.expression == static_cast<int>(label);
    });
    table.add(affect::lsd_folders[label], count,
              paper_classes ? std::optional(paper_train_classes[label]) : std::nullopt);
  }
  report.omissions(omissions);  // folders of other names
  std::vector<std::string> paths;
  for (const LsdRow& row : rows) paths.push_back(row.image);
  auto digests = check_images(paths, checks, table, report);
  report.tables.push_back(std::move(table));
  return digests;
}

}  // namespace

bool has_abaw_lsd(const std::string& root) {
  return affect::is_folder(abaw::lsd_train(root)) ||
         affect::is_folder(abaw::lsd_validation(root)) ||
         affect::is_file(abaw::lsd_test_list(root));
}

std::vector<Report> check_abaw_lsd(const std::string& root, const ImageChecks& checks) {
  Report report{"abaw-lsd"};
  const auto train =
      check_folder(abaw::lsd_train(root), "train", paper_train, true, checks, report);
  const auto validation = check_folder(abaw::lsd_validation(root), "validation", paper_validation,
                                       false, checks, report);
  if (checks.digest) {
    Table both{"train and validation"};
    both.add("images of both, by content", count_shared(train, validation));
    report.tables.push_back(std::move(both));
  }
  abaw::check_test(abaw::lsd_test_list(root), abaw::lsd_test(root), paper_test, checks, report);
  return {std::move(report)};
}

}  // namespace mien::programs
