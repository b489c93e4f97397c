// mien-analyze: the emotion, valence and arousal of faces, by an EfficientNet such as
// MT-EmotiEffNet.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <support/error_text.hpp>
#include <support/image_files.hpp>

#include "embedding_file.hpp"
#include "faces.hpp"
#include "options.hpp"
#include "sheet.hpp"

namespace {

using namespace mien;
using namespace mien::programs;

void print_line(const Face& face, const std::vector<std::string>& class_order) {
  const models::Affect& affect = face.affect;
  std::printf("%s\t%s\t%.4f", face.image.c_str(), class_order[affect.emotion].c_str(),
              affect.scores[affect.emotion]);
  if (affect.logits.size() > class_order.size())
    std::printf("\t%+.4f\t%+.4f", affect.valence, affect.arousal);
  std::printf("\n");
}

void print_json(const Face& face, const std::vector<std::string>& class_order) {
  using Json = nlohmann::ordered_json;
  const models::Affect& affect = face.affect;
  Json scores;
  for (std::size_t i = 0; i < class_order.size(); ++i) scores[class_order[i]] = affect.scores[i];
  Json json{{"image", face.image},
            {"emotion", class_order[affect.emotion]},
            {"scores", scores},
            {"logits", affect.logits}};
  if (affect.logits.size() > class_order.size()) {
    json["valence"] = affect.valence;
    json["arousal"] = affect.arousal;
  }
  std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

// All images of all inputs. An input that is not there is told, and the others are done.
std::vector<ImageFile> find_images(const Options& options, int& exit_code) {
  std::vector<ImageFile> files;
  for (const std::string& input : options.inputs) {
    try {
      for (ImageFile& file : image_files(input, options.recursive))
        files.push_back(std::move(file));
    } catch (const std::exception& error) {
      std::fprintf(stderr, "mien-analyze: %s\n", error_text(input, error.what()).c_str());
      exit_code = 1;
    }
  }
  return files;
}

// Returns the exit code: 0 if every image is done, else 1.
int run(const Options& options) {
  const weights::EmotionModel model = load_model(options);
  int exit_code = 0;
  const std::vector<ImageFile> files = find_images(options, exit_code);
  if (!options.sheet.empty())
    check(files.size() <= Sheet::max_faces, options.sheet, "a sheet shows up to ", Sheet::max_faces,
          " faces, got ", files.size(), " images");
  EmbeddingFile embeddings;
  Sheet sheet(model.class_order);
  const std::int64_t thumbnail_side = options.sheet.empty() ? 0 : Sheet::thumbnail_side;
  const auto batch = static_cast<std::size_t>(options.batch);
  for (std::size_t at = 0; at < files.size(); at += batch) {
    const std::size_t count = std::min(batch, files.size() - at);
    const auto batch_files = std::span(files).subspan(at, count);
    for (const Face& face : analyze(model, batch_files, thumbnail_side)) {
      if (!face.error.empty()) {
        std::fprintf(stderr, "mien-analyze: %s\n", error_text(face.image, face.error).c_str());
        exit_code = 1;
        continue;
      }
      options.json ? print_json(face, model.class_order) : print_line(face, model.class_order);
      if (!options.embeddings.empty()) embeddings.add(face);
      if (!options.sheet.empty()) sheet.add(face);
    }
    std::fflush(stdout);
  }
  if (!options.embeddings.empty()) embeddings.write(options.embeddings, model.class_order);
  if (!options.sheet.empty()) sheet.write(options.sheet);
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  const CommandLine line = read_command_line(argc, argv);
  if (line.exit_code) return *line.exit_code;
  try {
    return run(line.options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mien-analyze: %s\n", error.what());
    return 1;
  }
}
