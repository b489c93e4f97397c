// The multi-task set of ABAW4 (s-Aff-Wild2).

#include <mien/affect/abaw_mtl.hpp>

#include <algorithm>
#include <array>

#include "abaw.hpp"
#include "kinds.hpp"

namespace mien::programs {
namespace {

using affect::MtlRow;

struct PaperCounts {
  std::int64_t rows, affect, expressions, action_units;
  std::array<std::int64_t, 8> classes;
  std::optional<std::array<std::int64_t, 12>> active_units;
};
constexpr PaperCounts paper_train = {
    142333,
    103917,
    90645,
    103316,
    {23976, 4555, 3168, 3122, 18135, 7609, 5228, 24852},
    {{18713, 8745, 20342, 30605, 41337, 38286, 26783, 2460, 2980, 5003, 70584, 10756}}};
constexpr PaperCounts paper_validation = {
    26876, 26876, 15440, 26876, {1886, 487, 565, 1254, 3751, 1893, 1003, 4601}, {}};
constexpr std::int64_t paper_images = 168097;
constexpr abaw::PaperTest paper_test = {51159, 50441};

void add_labels(Table& table, const std::vector<MtlRow>& rows, const PaperCounts& paper) {
  const auto count = [&](auto&& has) {
    return std::int64_t{std::count_if(rows.begin(), rows.end(), has)};
  };
  table.add("rows with a label", std::ssize(rows), paper.rows);
  table.add("with valence and arousal", count([](const auto& row) { return row.has_va; }),
            paper.affect);
  table.add("with action units", count([](const auto& row) { return row.has_action_units; }),
            paper.action_units);
  for (std::size_t i = 0; i < affect::abaw_action_units.size(); ++i) {
    const auto active = count([&](const auto& row) { return row.action_units[i] == 1; });
    table.add(str("AU", affect::abaw_action_units[i]), active,
              paper.active_units ? std::optional((*paper.active_units)[i]) : std::nullopt);
  }
  table.add("with an expression", count([](const auto& row) { return row.has_expression; }),
            paper.expressions);
  for (std::size_t i = 0; i < affect::abaw_expressions.size(); ++i)
    table.add(affect::abaw_expressions[i], count([&](const auto& row) {
                return row.has_expression && row.expression == static_cast<int>(i);
              }),
              paper.classes[i]);
}

// Checks one annotated part; adds its images' names to `names`.
void check_part(const std::string& list, const std::string& faces, const std::string& title,
                const PaperCounts& paper, const ImageChecks& checks, Report& report,
                std::vector<std::string>& names) {
  if (!affect::is_file(list)) {
    report.problem(list + " is missing");
    return;
  }
  Table table{title};
  affect::Omissions omissions;
  const affect::MtlRows read = affect::read_mtl_annotations(list, faces, {.omissions = &omissions});
  add_labels(table, read.rows, paper);
  table.add("rows without any label", read.unlabelled);
  std::vector<std::string> paths;
  for (const MtlRow& row : read.rows) {
    names.push_back(row.image);
    paths.push_back(str(faces, '/', row.image));
  }
  table.add("rows that repeat an image", count_repeats(names));
  table.add("missing images", omissions.missing_images);
  table.add("bad rows", omissions.bad_rows);
  report.omissions(omissions);
  check_images(paths, checks, table, report);
  report.tables.push_back(std::move(table));
}

}  // namespace

bool has_abaw_mtl(const std::string& root) {
  return affect::is_file(abaw::train_list(root)) || affect::is_file(abaw::validation_list(root)) ||
         affect::is_file(abaw::mtl_test_list(root));
}

std::vector<Report> check_abaw_mtl(const std::string& root, const ImageChecks& checks) {
  Report report{"abaw-mtl"};
  std::vector<std::string> train, validation;
  check_part(abaw::train_list(root), abaw::faces(root), "train", paper_train, checks, report,
             train);
  check_part(abaw::validation_list(root), abaw::faces(root), "validation", paper_validation, checks,
             report, validation);
  Table both{"train and validation"};
  both.add("images of both, by name", count_shared(train, validation));
  train.insert(train.end(), validation.begin(), validation.end());
  both.add("different images", std::ssize(train) - count_repeats(train), paper_images);
  report.tables.push_back(std::move(both));
  abaw::check_test(abaw::mtl_test_list(root), abaw::faces(abaw::mtl_test(root)), paper_test, checks,
                   report);
  return {std::move(report)};
}

}  // namespace mien::programs
