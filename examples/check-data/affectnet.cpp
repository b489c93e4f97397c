// AffectNet, in every form that the folder has.

#include <mien/affect/affectnet.hpp>

#include <algorithm>
#include <array>

#include "kinds.hpp"

namespace mien::programs {
namespace {

using affect::AffectNetRelease;
using affect::AffectNetRow;
using affect::Split;

// Of training by AffectNet's own labels; validation has 500 of each.
constexpr std::array<std::int64_t, 8> paper_classes = {74874, 134416, 25459, 14090,
                                                       6378,  3803,   24882, 3750};

// Faces, counted by rows; files in folders are one less in training, where two rows have one name.
std::int64_t paper_faces(Split split, AffectNetRelease release) {
  if (split == Split::validation) return 4000;
  return release == AffectNetRelease::folders ? 287651 : 287652;
}

struct Part {
  affect::AffectNetRows read;
  std::vector<std::string> names;  // by which an image is known in training and validation
  std::vector<std::uint64_t> digests;
};

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void add_classes(Table& table, Split split, const std::vector<AffectNetRow>& rows,
                 AffectNetRelease release) {
  for (std::size_t label = 0; label < paper_classes.size(); ++label) {
    const std::int64_t count = std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
      return row.expression == static_cast<int>(label);
    });
    std::optional<std::int64_t> paper;
    if (split == Split::validation)
      paper = 500;
    else if (release != AffectNetRelease::folders)  // which class has one less is not published
      paper = paper_classes[label];
    table.add(affect::affectnet_labels[label], count, paper);
  }
}

void add_affect(Table& table, const std::vector<AffectNetRow>& rows) {
  const std::int64_t count =
      std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.has_va; });
  table.add("with valence and arousal", count);
  table.add("without valence and arousal", std::ssize(rows) - count);
  for (const auto& [name, of] : {std::pair("valence", &AffectNetRow::valence),
                                 std::pair("arousal", &AffectNetRow::arousal)}) {
    double least = 1, most = -1;
    for (const AffectNetRow& row : rows) {
      if (!row.has_va) continue;
      least = std::min<double>(least, row.*of);
      most = std::max<double>(most, row.*of);
    }
    if (count == 0) continue;
    table.add(str("least ", name), least);
    table.add(str("greatest ", name), most);
  }
}

Part check_split(const std::string& root, Split split, AffectNetRelease release,
                 const ImageChecks& checks, Report& report) {
  Table table{std::string(to_string(split))};
  affect::Omissions omissions;
  Part part{read_affectnet(root, split, release, {.omissions = &omissions}), {}, {}};
  const auto& rows = part.read.rows;
  table.add("faces", std::ssize(rows), paper_faces(split, release));
  add_classes(table, split, rows, release);
  if (release != AffectNetRelease::folders) {
    add_affect(table, rows);
    table.add("other labels (8 to 10)", part.read.no_expression);
  }
  if (release == AffectNetRelease::csv_2017) {
    table.add("without a face box", part.read.no_face);
    table.add("rows of the list",
              std::ssize(rows) + part.read.no_expression + part.read.no_face + omissions.bad_rows +
                  omissions.missing_images,
              split == Split::train ? 414800 : 5500);
  }
  std::vector<std::string> paths;
  for (const AffectNetRow& row : rows) {
    paths.push_back(row.image);
    const bool by_path =
        release == AffectNetRelease::csv_2017 || release == AffectNetRelease::npy_2021;
    part.names.push_back(by_path ? row.image : file_name(row.image));
  }
  table.add("rows that repeat an image", count_repeats(paths));
  table.add("missing images", omissions.missing_images);
  table.add("bad rows", omissions.bad_rows);
  report.omissions(omissions);
  part.digests = check_images(paths, checks, table, report);
  report.tables.push_back(std::move(table));
  return part;
}

std::vector<AffectNetRelease> releases_in(const std::string& root) {
  auto found = find_affectnet(root, Split::train);
  for (const AffectNetRelease release : find_affectnet(root, Split::validation))
    if (std::find(found.begin(), found.end(), release) == found.end()) found.push_back(release);
  return found;
}

}  // namespace

bool has_affectnet(const std::string& root) { return !releases_in(root).empty(); }

std::vector<Report> check_affectnet(const std::string& root, const ImageChecks& checks) {
  std::vector<Report> reports;
  for (const AffectNetRelease release : releases_in(root)) {
    Report& report = reports.emplace_back(Report{"affectnet", std::string(to_string(release))});
    std::vector<Part> parts;
    for (const Split split : {Split::train, Split::validation}) {
      const auto found = find_affectnet(root, split);
      if (std::find(found.begin(), found.end(), release) != found.end())
        parts.push_back(check_split(root, split, release, checks, report));
      else
        report.problem(str("the ", to_string(split), " part is missing"));
    }
    if (parts.size() < 2) continue;
    Table both{"train and validation"};
    both.add("images of both, by name", count_shared(parts[0].names, parts[1].names));
    if (checks.digest)
      both.add("images of both, by content", count_shared(parts[0].digests, parts[1].digests));
    report.tables.push_back(std::move(both));
  }
  return reports;
}

}  // namespace mien::programs
