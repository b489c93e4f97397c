#include "report.hpp"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace mien::programs {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Value& value) {
  if (const auto* count = std::get_if<std::int64_t>(&value)) return std::to_string(*count);
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", std::get<double>(value));
  return text;
}

bool differs(const Entry& entry) { return entry.paper && entry.value != Value(*entry.paper); }

void print_table(const Table& table) {
  const bool paper = std::any_of(table.entries.begin(), table.entries.end(),
                                 [](const Entry& entry) { return entry.paper.has_value(); });
  std::printf("\n  %-32s %10s%s\n", table.title.c_str(), "found", paper ? "      paper" : "");
  for (const Entry& entry : table.entries) {
    std::printf("    %-30s %10s", entry.name.c_str(), text_of(entry.value).c_str());
    if (entry.paper) std::printf(" %10lld", static_cast<long long>(*entry.paper));
    if (differs(entry))
      std::printf("  %+lld",
                  static_cast<long long>(std::get<std::int64_t>(entry.value) - *entry.paper));
    std::printf("\n");
  }
}

Json json_of(const Entry& entry) {
  const Json value = std::visit([](auto number) { return Json(number); }, entry.value);
  return entry.paper ? Json{{"found", value}, {"paper", *entry.paper}} : value;
}

Json json_of(const Report& report) {
  Json tables = Json::object();
  for (const Table& table : report.tables)
    for (const Entry& entry : table.entries) tables[table.title][entry.name] = json_of(entry);
  return {{"kind", report.kind},
          {"form", report.form},
          {"tables", tables},
          {"problem_count", report.problem_count},
          {"problems", report.problems},
          {"notes", report.notes}};
}

}  // namespace

void Report::omissions(const affect::Omissions& omissions) {
  for (const std::string& reason : omissions.reasons) problem(reason);
  problem_count += omissions.bad_rows + omissions.missing_images - std::ssize(omissions.reasons);
}

void Report::expect_paper_counts() {
  for (const Table& table : tables)
    for (const Entry& entry : table.entries)
      if (differs(entry))
        problem(str(table.title, ": ", entry.name, ": expected ", *entry.paper, ", got ",
                    text_of(entry.value)));
}

void print_text(const std::string& root, const std::vector<Report>& reports) {
  constexpr std::size_t shown = 20;
  for (const Report& report : reports) {
    std::printf("%s%s%s in %s\n", report.kind.c_str(), report.form.empty() ? "" : ", ",
                report.form.c_str(), root.c_str());
    for (const Table& table : report.tables) print_table(table);
    for (const std::string& note : report.notes) std::printf("\n  note: %s\n", note.c_str());
    std::printf("\n  problems: %lld\n", static_cast<long long>(report.problem_count));
    for (std::size_t i = 0; i < std::min(report.problems.size(), shown); ++i)
      std::printf("    %s\n", report.problems[i].c_str());
    if (report.problems.size() > shown) std::printf("    ... (--json has more)\n");
    std::printf("\n");
  }
}

void print_json(const std::string& root, const std::vector<Report>& reports) {
  Json json{{"root", root}, {"reports", Json::array()}};
  for (const Report& report : reports) json["reports"].push_back(json_of(report));
  std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace mien::programs
