#pragma once
// Faces through the network, a batch at a time.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <mien/models/emotieffnet.hpp>
#include <mien/weights/load_model.hpp>
#include <support/image_files.hpp>

#include "options.hpp"

namespace mien::programs {

// The network that the options ask for. Throws where its class order is not known or does not fit.
weights::EmotionModel load_model(const Options& options);

struct Face {
  std::string image;  // path
  std::string error;  // why it could not be read; empty if it could
  models::Affect affect;
  std::vector<float> embedding;
  std::vector<std::byte> thumbnail;  // JPEG
};

// Reads and analyses a batch of images; the faces come in the order of the files. Their thumbnails
// have no side longer than `thumbnail_side` pixels; 0: they are not made.
std::vector<Face> analyze(const weights::EmotionModel& model, std::span<const ImageFile> files,
                          std::int64_t thumbnail_side = 0);

}  // namespace mien::programs
