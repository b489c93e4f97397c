#include "embedding_file.hpp"

#include <mien/io/safetensors.hpp>

#include <nlohmann/json.hpp>

namespace mien::programs {

void EmbeddingFile::add(const Face& face) {
  images_.push_back(face.image);
  embeddings_.insert(embeddings_.end(), face.embedding.begin(), face.embedding.end());
  logits_.insert(logits_.end(), face.affect.logits.begin(), face.affect.logits.end());
}

void EmbeddingFile::write(const std::string& path,
                          const std::vector<std::string>& class_order) const {
  check(!images_.empty(), path, "is not written: there are no faces");
  const auto rows = static_cast<std::int64_t>(images_.size());
  const auto matrix = [&](const std::vector<float>& values) {
    return Tensor<float>::from({rows, static_cast<std::int64_t>(values.size()) / rows}, values);
  };
  std::string order;
  for (const std::string& name : class_order) order += (order.empty() ? "" : ",") + name;
  const nlohmann::json images = images_;
  using Json = nlohmann::json;
  io::write_safetensors(path,
                        {{{"embeddings", matrix(embeddings_)}, {"logits", matrix(logits_)}},
                         {{"images", images.dump(-1, ' ', false, Json::error_handler_t::replace)},
                          {"class_order", order}}});
}

}  // namespace mien::programs
