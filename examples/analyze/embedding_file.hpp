#pragma once
// --embeddings: the network's features and outputs of every face, for training other heads on them.

#include <string>
#include <vector>

#include "faces.hpp"

namespace mien::programs {

// Collects faces and writes them as one safetensors file: embeddings (n, features) and logits
// (n, outputs) in float32; in its metadata the images as a JSON list, and the class order.
class EmbeddingFile {
 public:
  void add(const Face& face);
  // The file is the old one or all of the new one. Throws where there are no faces.
  void write(const std::string& path, const std::vector<std::string>& class_order) const;

 private:
  std::vector<std::string> images_;
  std::vector<float> embeddings_, logits_;
};

}  // namespace mien::programs
