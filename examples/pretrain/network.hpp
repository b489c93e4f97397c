#pragma once
// The network that is trained, and the file it becomes.

#include <string>

#include <mien/models/emotieffnet.hpp>

#include "options.hpp"

namespace mien::programs {

using Network = models::EfficientNet<float>;

// MT-EmotiEffNet: from the weights of a file, whose last layer is a new one where it has other
// outputs, or from scratch.
Network make_network(const Options& options);

// Writes a file that mien-analyze reads.
void write_network(const std::string& path, Network& network, const Options& options);

}  // namespace mien::programs
