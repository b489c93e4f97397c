#pragma once
// The network that a command line asks for: from --model_path, or found by its name.

#include <string>

#include <mien/infer/upscaler.hpp>

#include "options.hpp"

namespace mien::programs {

struct Network {
  std::string file;  // two names joined by " + " where -dn mixes two networks
  std::string architecture;
  infer::SuperResolutionNetwork run;
};

// Throws where the file is not there, cannot be read, or holds another kind of network.
Network load_network(const Options& options);

}  // namespace mien::programs
