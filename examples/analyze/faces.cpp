#include "faces.hpp"

#include <mien/data/image_convert.hpp>
#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>
#include <mien/data/image_tensor.hpp>
#include <mien/data/resize_pillow.hpp>
#include <mien/weights/read.hpp>

#include <algorithm>

namespace mien::programs {
namespace {

// A small JPEG without EXIF and colour profile: the network does not see them either.
std::vector<std::byte> thumbnail(const data::Image& image, std::int64_t side) {
  const std::int64_t longer = std::max({image.width(), image.height(), side});
  const auto scaled = [&](std::int64_t length) {
    return std::max<std::int64_t>(length * side / longer, 1);
  };
  data::Image small = data::resize_pillow(image, scaled(image.width()), scaled(image.height()));
  small.icc.clear();
  small.exif.clear();
  return data::encode_jpeg(small, {.jpeg_quality = 85});
}

data::Normalization normalization(const weights::EmotionModel& model) {
  data::Normalization by;
  std::copy_n(model.mean.begin(), 3, by.mean);
  std::copy_n(model.std.begin(), 3, by.std);
  return by;
}

}  // namespace

weights::EmotionModel load_model(const Options& options) {
  weights::ImportOptions import{.architecture = options.architecture, .source = {}};
  if (!options.source.empty()) import.source = models::parse_source(options.source);
  weights::EmotionModel model =
      weights::load_emotion_model(weights::read_checkpoint(options.weights), import);
  if (!options.class_order.empty()) model.class_order = options.class_order;
  if (options.input_size > 0) model.input_size = options.input_size;
  if (!options.mean.empty()) model.mean = options.mean;
  if (!options.std.empty()) model.std = options.std;

  const std::int64_t outputs = model.network->options().num_classes;
  const auto classes = static_cast<std::int64_t>(model.class_order.size());
  check(classes > 0, options.weights, "has ", outputs,
        " outputs and does not tell the class order; give it by --class-order");
  check(outputs == classes || outputs == classes + 2, options.weights, "has ", outputs,
        " outputs, expected ", classes,
        " for the class order, or two more with valence and arousal");
  return model;
}

std::vector<Face> analyze(const weights::EmotionModel& model, std::span<const ImageFile> files,
                          std::int64_t thumbnail_side) {
  std::vector<Face> faces(files.size());
  std::vector<data::Image> inputs(files.size());
  parallel_for(static_cast<std::int64_t>(files.size()), 1, [&](std::int64_t i, std::int64_t) {
    const auto at = static_cast<std::size_t>(i);
    faces[at].image = files[at].path.string();
    try {
      const data::Image image = data::to_8_bits(data::to_rgb(data::read_image(faces[at].image)));
      if (thumbnail_side > 0) faces[at].thumbnail = thumbnail(image, thumbnail_side);
      // As the networks were trained: without regard to its aspect, by Pillow's bilinear filter.
      inputs[at] = data::resize_pillow(image, model.input_size, model.input_size);
    } catch (const std::exception& error) {
      faces[at].error = error.what();
    }
  });
  std::erase_if(inputs, [](const data::Image& image) { return image.empty(); });
  if (inputs.empty()) return faces;

  const Tensor<float> batch = data::to_tensor(inputs, normalization(model));
  const Tensor<float> embeddings = model.embed(batch);
  const Tensor<float> logits = model.classify(embeddings);
  const auto affects =
      models::read_affect(logits, static_cast<std::int64_t>(model.class_order.size()));
  const float* embedding = embeddings.data();
  auto affect = affects.begin();
  for (Face& face : faces) {
    if (!face.error.empty()) continue;
    face.affect = *affect++;
    face.embedding.assign(embedding, embedding + embeddings.dim(1));
    embedding += embeddings.dim(1);
  }
  return faces;
}

}  // namespace mien::programs
