// mien-check-data: what a folder of AffectNet or ABAW4 holds and lacks, beside the paper's counts.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "kinds.hpp"
#include "options.hpp"

namespace {

using namespace mien;
using namespace mien::programs;

std::vector<Report> check(const Options& options) {
  std::vector<Report> reports;
  for (const Kind& kind : kinds) {
    if (options.kind.empty() ? !kind.is_in(options.root) : options.kind != kind.name) continue;
    for (Report& report : kind.check(options.root, options.images))
      reports.push_back(std::move(report));
  }
  mien::check(!reports.empty(), options.root,
              "holds no data that is known here (README.md has the layouts)");
  if (options.paper_counts)
    for (Report& report : reports) report.expect_paper_counts();
  return reports;
}

// Returns the exit code: 0 if all is well, else 1.
int run(const Options& options) {
  const std::vector<Report> reports = check(options);
  options.json ? print_json(options.root, reports) : print_text(options.root, reports);
  return std::any_of(reports.begin(), reports.end(),
                     [](const Report& report) { return report.problem_count > 0; });
}

}  // namespace

int main(int argc, char** argv) {
  const CommandLine line = read_command_line(argc, argv);
  if (line.exit_code) return *line.exit_code;
  try {
    return run(line.options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mien-check-data: %s\n", error.what());
    return 1;
  }
}
