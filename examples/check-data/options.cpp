#include "options.hpp"

#include <mien/config.hpp>

#include <CLI/CLI.hpp>

#include "kinds.hpp"

namespace mien::programs {

CommandLine read_command_line(int argc, char** argv) {
  constexpr int usage_error = 2;
  CommandLine line;
  Options& o = line.options;
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.emplace_back(kind.name);
  CLI::App app("Tells what a folder of face data holds and lacks.", "mien-check-data");
  app.set_version_flag("--version", str("mien-check-data ", MIEN_VERSION_MAJOR, '.',
                                        MIEN_VERSION_MINOR, '.', MIEN_VERSION_PATCH));
  app.add_option("root", o.root, "The folder of the data")
      ->type_name("FOLDER")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--kind", o.kind, "Which data to expect; else all that are there")
      ->check(CLI::IsMember(names));
  app.add_flag("--decode", o.images.decode, "Decode every image");
  app.add_flag("--digest", o.images.digest, "Find images of the same content");
  app.add_flag("--paper-counts", o.paper_counts, "Counts that are not the paper's are problems");
  app.add_flag("--json", o.json, "One JSON object, with up to 100 problems of each kind");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;
    app.exit(error);
    line.exit_code = asked ? 0 : usage_error;
  }
  return line;
}

}  // namespace mien::programs
