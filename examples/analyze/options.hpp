#pragma once
// The flags of mien-analyze.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mien::programs {

struct Options {
  std::vector<std::string> inputs;  // images and folders
  bool recursive = false;
  std::string weights;
  bool json = false;
  std::string embeddings;  // safetensors file to write
  std::string sheet;       // SVG file to write
  std::int64_t batch = 4;
  // What overrides the weight file; empty or 0: as it says.
  std::string architecture, source;
  std::vector<std::string> class_order;
  std::int64_t input_size = 0;
  std::vector<float> mean, std;
};

// Reads the command line. An exit code instead of options: the user asked for help, or the line was
// wrong and has been told why.
struct CommandLine {
  Options options;
  std::optional<int> exit_code;
};
CommandLine read_command_line(int argc, char** argv);

}  // namespace mien::programs
