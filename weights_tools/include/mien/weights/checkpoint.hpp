#pragma once
// Checkpoint: what a weight file holds, whatever its format; and the limits under which files of
// unknown origin are read.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/safetensors.hpp>

namespace mien::weights {

using io::Bytes;
using io::NamedTensor;

// A layer of a pickled module: its path ("blocks.0.0.bn1"), the name of its class ("BatchNorm2d")
// and its attributes that are numbers ("eps", "momentum").
struct ModuleRecord {
  std::string path;
  std::string type;
  std::map<std::string, double> numbers;
};

struct Checkpoint {
  std::string file;                  // for messages
  std::string format;                // "torch", "torchscript", "torch (legacy)", "safetensors", ...
  std::vector<NamedTensor> tensors;  // in file order, names and layouts (OIHW) as PyTorch has them
  std::map<std::string, std::string> metadata;
  std::vector<ModuleRecord> modules;  // of whole pickled modules only
};

// Bounds on what reading may cost. No allocation is larger than the file itself justifies.
struct Limits {
  std::uint64_t pickle_bytes = std::uint64_t{64} << 20;
  std::uint64_t pickle_opcodes = 1'000'000;  // a pickled EfficientNet-B0 has 40 thousand
  std::uint64_t zip_entries = 250'000;
  std::uint64_t name_length = 1024;
  std::uint64_t nesting = 64;        // of modules and dicts
  std::uint64_t visits = 4'000'000;  // dict entries looked at while modules are walked
  std::uint64_t tensors = 100'000;
  std::uint64_t graph_nodes = 100'000;  // ONNX nodes, ncnn layers
  // Inflated entries and tensors may take `memory_floor` bytes plus this many per byte of file.
  std::uint64_t memory_floor = std::uint64_t{256} << 20;
  std::uint64_t memory_ratio = 8;
};

// Counts the bytes that a file asks for, before they are allocated.
class MemoryBudget {
 public:
  MemoryBudget(const Limits& limits, std::size_t file_size)
      : left_(limits.memory_floor + limits.memory_ratio * file_size) {}

  void charge(std::uint64_t bytes, std::string_view where) {
    check(bytes <= left_, where, "asks for ", bytes, " bytes, more than a file of this size may");
    left_ -= bytes;
  }

 private:
  std::uint64_t left_;
};

// Throws unless the tensors' names are usable as keys: not empty, UTF-8, of bounded length, unique.
inline void check_names(const Checkpoint& checkpoint, const Limits& limits) {
  std::set<std::string_view> seen;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    check(!name.empty() && name.size() <= limits.name_length && io::is_utf8(name), checkpoint.file,
          "a tensor name that is empty, too long or not UTF-8");
    check(seen.insert(name).second, checkpoint.file, "two tensors are named ", name);
  }
}

}  // namespace mien::weights
