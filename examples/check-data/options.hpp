#pragma once
// The flags of mien-check-data.

#include <optional>
#include <string>

#include "images.hpp"

namespace mien::programs {

struct Options {
  std::string root;
  std::string kind;  // empty: all that are there
  ImageChecks images;
  bool paper_counts = false;
  bool json = false;
};

// Reads the command line. An exit code instead of options: the user asked for help, or the line was
// wrong and has been told why.
struct CommandLine {
  Options options;
  std::optional<int> exit_code;
};
CommandLine read_command_line(int argc, char** argv);

}  // namespace mien::programs
