#pragma once
// AffectNet's faces as batches.

#include <memory>
#include <string>
#include <vector>

#include <mien/affect/affectnet.hpp>
#include <mien/affect/affectnet_dataset.hpp>
#include <mien/data/image_cache.hpp>
#include <mien/data/loader.hpp>
#include <mien/loss/affect.hpp>

#include "options.hpp"

namespace mien::programs {

struct FaceBatch {
  Tensor<float> images;  // (n, size, size, 3)
  loss::AffectLabels<float> labels;
};

struct FaceCollate {
  FaceBatch operator()(std::vector<affect::AffectNetExample>&& examples) const;
};

// One part of AffectNet, its faces resized, decoded once where they are cached.
class Faces {
 public:
  Faces(const Options& options, affect::Split split, bool augment);

  // As data::Dataset wants it.
  std::int64_t size() const { return std::ssize(part_.rows); }
  affect::AffectNetExample get(std::int64_t index, Generator& random) const;

  // Faces of each output of the network.
  std::vector<std::int64_t> class_counts() const;
  std::string summary() const;

 private:
  data::Image image(std::int64_t index) const;

  affect::AffectNetRows part_;
  std::int64_t side_;
  bool augment_;
  std::string left_out_;
  std::unique_ptr<data::ImageCache> cache_;
};

using FaceLoader = data::Loader<Faces, FaceCollate>;

}  // namespace mien::programs
