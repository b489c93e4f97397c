#include "faces.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <mien/data/color_jitter.hpp>
#include <mien/data/flip.hpp>
#include <mien/data/resize.hpp>
#include <mien/data/transform.hpp>
#include <mien/metrics/confusion_matrix.hpp>

namespace mien::programs {

namespace {

std::unique_ptr<data::ImageCache> make_cache(const Options& options, affect::Split split,
                                             const std::vector<affect::AffectNetRow>& rows) {
  if (options.cache.empty()) return nullptr;
  const bool in_memory = options.cache == "memory";
  std::vector<std::string> paths;
  for (const auto& row : rows) paths.push_back(row.image);
  return std::make_unique<data::ImageCache>(data::ImageCacheOptions{
      .path = in_memory ? "" : str(options.cache, '.', to_string(split)),
      .count = std::ssize(rows),
      .height = options.size,
      .width = options.size,
      .source = str("faces, Pillow bilinear ", in_memory ? 0 : data::digest_of_files(paths))});
}

}  // namespace

FaceBatch FaceCollate::operator()(std::vector<affect::AffectNetExample>&& examples) const {
  const auto n = std::ssize(examples);
  std::vector<data::Image> images;
  FaceBatch batch;
  batch.labels = {.expression = Tensor<std::int64_t>(Shape{n}),
                  .valence = Tensor<float>(Shape{n}),
                  .arousal = Tensor<float>(Shape{n}),
                  .has_va = Tensor<bool>(Shape{n})};
  for (std::int64_t i = 0; i < n; ++i) {
    auto& example = examples[static_cast<std::size_t>(i)];
    batch.labels.expression.mutable_data()[i] = example.label;
    batch.labels.valence.mutable_data()[i] = example.valence;
    batch.labels.arousal.mutable_data()[i] = example.arousal;
    batch.labels.has_va.mutable_data()[i] = example.has_va;
    images.push_back(std::move(example.image));
  }
  batch.images =
      data::to_tensor(std::span<const data::Image>(images), data::imagenet_normalization);
  return batch;
}

Faces::Faces(const Options& options, affect::Split split, bool augment)
    : side_(options.size), augment_(augment) {
  affect::Omissions omissions;
  part_ = affect::read_affectnet(options.data, split,
                                 {.omissions = options.lenient ? &omissions : nullptr});
  check(size() > 0, options.data, "the ", to_string(split), " part has no faces");
  if (omissions.bad_rows + omissions.missing_images > 0)
    left_out_ = str(", ", omissions.bad_rows, " bad rows and ", omissions.missing_images,
                    " without image left out (", omissions.reasons.front(), ')');
  cache_ = make_cache(options, split, part_.rows);
}

data::Image Faces::image(std::int64_t index) const {
  const auto make = [&] {
    return data::resize_pillow(affect::read_face(part_.rows[static_cast<std::size_t>(index)]),
                               side_, side_);
  };
  return cache_ ? cache_->get(index, make) : make();
}

affect::AffectNetExample Faces::get(std::int64_t index, Generator& random) const {
  static const auto augmentation = data::compose(
      data::ColorJitter({.brightness = 0.3, .contrast = 0.3, .saturation = 0.3, .hue = 0.1}),
      data::RandomHorizontalFlip{});
  const auto& row = part_.rows[static_cast<std::size_t>(index)];
  data::Image face = image(index);
  if (augment_) face = augmentation(std::move(face), random);
  return {std::move(face), row.output(), row.valence, row.arousal, row.has_va, index};
}

std::vector<std::int64_t> Faces::class_counts() const {
  std::vector<std::int64_t> labels;
  for (const auto& row : part_.rows) labels.push_back(row.output());
  return metrics::class_counts(labels, std::ssize(affect::affectnet8_outputs));
}

std::string Faces::summary() const {
  std::string text = str(size(), " faces (");
  const auto counts = class_counts();
  for (std::size_t c = 0; c < counts.size(); ++c)
    text += str(c == 0 ? "" : ", ", affect::affectnet8_outputs[c], ' ', counts[c]);
  return text + ')' + left_out_;
}

}  // namespace mien::programs
