#pragma once
// AffectNet as a data::Dataset: faces with their labels.
//
//   const AffectNetRows train = read_affectnet(root, Split::train);
//   const AffectNetDataset faces(train.rows, FaceFiles(train.rows), augment);
//
// Images come from any function of the row's index; through a cache of decoded images:
//
//   const auto cached = [&](std::int64_t i) {
//     return cache.get(i, [&] { return resize(read_face(train.rows[i])); });
//   };
//   const AffectNetDataset faces(train.rows, cached, augment);
//
// The rows must outlive both objects. Programs link mien::image.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/affect/affectnet_row.hpp>
#include <mien/core/random.hpp>
#include <mien/data/image_convert.hpp>
#include <mien/data/image_decode.hpp>
#include <mien/data/transform.hpp>

namespace mien::affect {

// The pixels [y, y + height) x [x, x + width) of `image`, numbers cut to integers first, as the
// published crops are made; what is outside of the image is left out. Errors begin with `where`.
inline data::Image crop(const data::Image& image, const FaceBox& box,
                        std::string_view where = "crop") {
  const auto edge = [](double at, std::int64_t end) {
    return static_cast<std::int64_t>(std::clamp(at, 0.0, static_cast<double>(end)));
  };
  const double x = std::trunc(box.x), y = std::trunc(box.y);
  const std::int64_t left = edge(x, image.width()), top = edge(y, image.height()),
                     right = edge(x + std::trunc(box.width), image.width()),
                     bottom = edge(y + std::trunc(box.height), image.height());
  check(left < right && top < bottom, where, "expected a box inside of ", image.width(), " x ",
        image.height(), ", got x ", box.x, ", y ", box.y, ", ", box.width, " x ", box.height);
  data::Image out(right - left, bottom - top, image.channels(), image.bits());
  data::with_sample(image, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t row = top; row < bottom; ++row)
      std::memcpy(out.row<T>(row - top).data(), image.row<T>(row).data() + left * image.channels(),
                  out.row<T>(row - top).size_bytes());
  });
  return out;
}

// A row's face: RGB of 8 bits, cut out where the row has a box.
inline data::Image read_face(const AffectNetRow& row) {
  data::Image image = data::to_8_bits(data::to_rgb(data::read_image(row.image)));
  return row.box ? crop(image, *row.box, row.image) : image;
}

// Faces by index, read from their files.
class FaceFiles {
 public:
  explicit FaceFiles(std::span<const AffectNetRow> rows) : rows_(rows) {}
  explicit FaceFiles(std::vector<AffectNetRow>&&) = delete;  // the rows would be gone at once
  data::Image operator()(std::int64_t index) const {
    return read_face(rows_[static_cast<std::size_t>(index)]);
  }

 private:
  std::span<const AffectNetRow> rows_;
};

// The transform that changes nothing.
struct KeepImage {
  data::Image operator()(data::Image image, Generator&) const { return image; }
};

struct AffectNetExample {
  data::Image image;
  std::int64_t label = 0;          // index of the network's output
  float valence = 0, arousal = 0;  // 0 where there are none
  bool has_va = false;
  std::int64_t index = 0;  // of the row
};

template <std::invocable<std::int64_t> Images, data::Transform Augment = KeepImage>
class AffectNetDataset {
 public:
  AffectNetDataset(std::span<const AffectNetRow> rows, Images images, Augment augment = {})
      : rows_(rows), images_(std::move(images)), augment_(std::move(augment)) {}
  AffectNetDataset(std::vector<AffectNetRow>&&, Images, Augment = {}) = delete;

  std::int64_t size() const { return std::ssize(rows_); }

  AffectNetExample get(std::int64_t index, Generator& random) const {
    check(index >= 0 && index < size(), "affectnet", "row ", index, " of ", size());
    const AffectNetRow& row = rows_[static_cast<std::size_t>(index)];
    return {augment_(images_(index), random),
            row.output(),
            row.valence,
            row.arousal,
            row.has_va,
            index};
  }

 private:
  std::span<const AffectNetRow> rows_;
  Images images_;
  Augment augment_;
};

}  // namespace mien::affect
