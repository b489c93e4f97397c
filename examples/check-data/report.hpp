#pragma once
// What the program tells: tables of counts beside the paper's, problems and notes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <mien/affect/reading.hpp>

namespace mien::programs {

using Value = std::variant<std::int64_t, double>;

struct Entry {
  std::string name;
  Value value;
  std::optional<std::int64_t> paper = {};  // what the published data have
};

struct Table {
  std::string title;
  std::vector<Entry> entries = {};

  void add(std::string_view name, Value value, std::optional<std::int64_t> paper = {}) {
    entries.push_back({std::string(name), value, paper});
  }
};

// Of one kind of data in one form.
struct Report {
  static constexpr std::size_t max_problems = 100;

  std::string kind, form = {};  // "affectnet", "csv_2017"
  std::vector<Table> tables = {};
  std::int64_t problem_count = 0;
  std::vector<std::string> problems = {};  // the first of them
  std::vector<std::string> notes = {};     // what the published data have too, or may lack

  void problem(std::string text) {
    ++problem_count;
    if (problems.size() < max_problems) problems.push_back(std::move(text));
  }
  // The problems of what a reader left out.
  void omissions(const affect::Omissions& omissions);
  // A problem for every count that is not the paper's.
  void expect_paper_counts();
};

void print_text(const std::string& root, const std::vector<Report>& reports);
void print_json(const std::string& root, const std::vector<Report>& reports);

}  // namespace mien::programs
