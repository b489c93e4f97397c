#pragma once
// What mien-convert prints about a weight file.

#include <string>

#include <mien/weights/checkpoint.hpp>
#include <mien/weights/import.hpp>

namespace mien::programs {

// One line per tensor (name, dtype, shape) and a total.
std::string listing(const weights::Checkpoint& checkpoint);

// The network that was recognised, what it lacks, and a digest of its tensors.
struct Examination {
  std::string text;
  bool ok = true;  // complete, nothing superfluous, the file's own digest (if any) is right
};
Examination examine(const weights::ImportedModel& model);

}  // namespace mien::programs
