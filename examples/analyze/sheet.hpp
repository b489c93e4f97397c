#pragma once
// --sheet: all faces with what the network says of them, on one page.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mien/train/svg.hpp>

#include "faces.hpp"

namespace mien::programs {

// A page that is written as one SVG file and needs no other: thumbnails in rows of twelve, under
// each the emotion, its probability, valence and arousal. Where the folder of an image is named
// like a class, that is the true expression: the caption says whether the network found it, in
// green or red, and the title counts.
class Sheet {
 public:
  static constexpr std::size_t max_faces = 1000;
  static constexpr std::int64_t thumbnail_side = 160;  // pixels

  explicit Sheet(std::vector<std::string> class_order) : class_order_(std::move(class_order)) {}

  void add(const Face& face);
  // The file is the old one or all of the new one. Throws where there are no faces.
  void write(const std::string& path) const;

 private:
  std::vector<std::string> class_order_;
  train::Svg drawing_;
  std::size_t faces_ = 0, known_ = 0, right_ = 0;  // known: faces whose true expression is
};

}  // namespace mien::programs
