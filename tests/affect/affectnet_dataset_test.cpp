// AffectNet's faces as a data set.

#include <gtest/gtest.h>
#include <mien/affect/affectnet_dataset.hpp>

#include <vector>

#include <mien/data/dataset.hpp>
#include <mien/data/flip.hpp>
#include <mien/data/image_cache.hpp>
#include <mien/data/image_encode.hpp>
#include <mien/data/loader.hpp>
#include <mien/data/resize.hpp>
#include <support/images.hpp>
#include <support/temporary_folder.hpp>
#include <support/thrown.hpp>

namespace mien::affect {
namespace {

using data::Image;

// What NumPy's image[top:bottom, left:right] has.
Image slice(const Image& image, std::int64_t left, std::int64_t top, std::int64_t right,
            std::int64_t bottom) {
  Image out(right - left, bottom - top, image.channels());
  for (std::int64_t y = top; y < bottom; ++y)
    for (std::int64_t i = 0; i < out.samples_per_row(); ++i)
      out.row<std::uint8_t>(y - top)[static_cast<std::size_t>(i)] =
          image.row<std::uint8_t>(y)[static_cast<std::size_t>(left * image.channels() + i)];
  return out;
}

TEST(AffectNetCrop, CutsNumbersToIntegers) {
  const Image image = test::picture(20, 12);
  const auto expect_crop = [&](const FaceBox& box, const Image& expected) {
    EXPECT_EQ(test::largest_difference(crop(image, box), expected), 0)
        << box.x << ' ' << box.y << ' ' << box.width << ' ' << box.height;
  };
  expect_crop({3, 2, 5, 4}, slice(image, 3, 2, 8, 6));
  // x + width is 8.8, but 3 + 5 pixels are cut.
  expect_crop({3.9, 2.9, 5.9, 4.9}, slice(image, 3, 2, 8, 6));
  expect_crop({0, 0, 20, 12}, image);
  expect_crop({15, 10, 100, 100}, slice(image, 15, 10, 20, 12));
  expect_crop({-2, -3, 6, 6}, slice(image, 0, 0, 4, 3));
  expect_crop({-1e300, -1e300, 2e300, 2e300}, image);
}

TEST(AffectNetCrop, RefusesBoxesOutside) {
  const Image image = test::picture(20, 12);
  for (const FaceBox box :
       {FaceBox{20, 0, 5, 5}, {0, 12, 5, 5}, {0, 0, 0.9, 5}, {0, 0, 5, -1}, {-5, 0, 5, 5}})
    EXPECT_NE(test::thrown([&] {
                crop(image, box, "a.jpg");
              }).find("[a.jpg] expected a box inside of 20 x 12, got x "),
              std::string::npos);
}

TEST(AffectNetFaces, AreRgbOf8Bits) {
  const test::TemporaryFolder folder;
  const AffectNetRow grey{.image = folder / "grey.png"}, deep{.image = folder / "deep.png"};
  data::write_image(grey.image, test::picture(9, 7, 2));
  data::write_image(deep.image, test::picture(9, 7, 4, 16));
  for (const AffectNetRow& row : {grey, deep}) {
    const Image face = read_face(row);
    EXPECT_EQ(face.channels(), 3);
    EXPECT_EQ(face.bits(), 8);
    EXPECT_EQ(face.width(), 9);
  }
  EXPECT_NE(test::thrown([&] { read_face({.image = folder / "none.png"}); }).find("none.png"),
            std::string::npos);
}

// A transform that draws.
struct Darken {
  Image operator()(Image image, Generator& random) const {
    image.samples<std::uint8_t>()[0] = static_cast<std::uint8_t>(random.uniform() * 255);
    return image;
  }
};

TEST(AffectNetDataset, JoinsFacesAndLabels) {
  const test::TemporaryFolder folder;
  const Image image = test::picture(20, 12);
  data::write_image(folder / "a.png", image);
  std::vector<AffectNetRow> rows(2, {.image = folder / "a.png"});
  rows[0] = {.image = rows[0].image, .expression = 6, .box = FaceBox{3, 2, 5, 4}};
  rows[1].valence = 0.5f, rows[1].arousal = -0.25f, rows[1].has_va = true;

  const AffectNetDataset faces(rows, FaceFiles(rows));
  static_assert(data::Dataset<AffectNetDataset<FaceFiles>>);
  static_assert(std::same_as<data::Example<AffectNetDataset<FaceFiles>>, AffectNetExample>);
  ASSERT_EQ(faces.size(), 2);
  Generator random(1);
  const AffectNetExample first = faces.get(0, random), second = faces.get(1, random);
  EXPECT_EQ(test::largest_difference(first.image, slice(image, 3, 2, 8, 6)), 0);
  EXPECT_EQ(first.label, 0);
  EXPECT_FALSE(first.has_va);
  EXPECT_EQ(first.index, 0);
  EXPECT_EQ(test::largest_difference(second.image, image), 0);
  EXPECT_EQ(second.label, 5);
  EXPECT_TRUE(second.has_va);
  EXPECT_EQ(second.valence, 0.5f);
  EXPECT_EQ(second.arousal, -0.25f);
  EXPECT_EQ(second.index, 1);
  EXPECT_EQ(test::thrown([&] { faces.get(2, random); }), "[affectnet] row 2 of 2");
  EXPECT_EQ(test::thrown([&] { faces.get(-1, random); }), "[affectnet] row -1 of 2");
}

TEST(AffectNetDataset, TakesImagesFromElsewhereAndTransformsThem) {
  const std::vector<AffectNetRow> rows(3);
  std::vector<std::int64_t> asked;
  const auto images = [&](std::int64_t index) {
    asked.push_back(index);
    return test::picture(4, 4);
  };
  const AffectNetDataset faces(rows, images, Darken{});
  Generator random(7), same(7);
  const auto drawn = static_cast<std::uint8_t>(same.uniform() * 255);
  EXPECT_EQ(faces.get(2, random).image.samples<std::uint8_t>()[0], drawn);
  EXPECT_EQ(asked, std::vector<std::int64_t>{2});
}

TEST(AffectNetDataset, WorksWithCacheTransformsAndLoader) {
  const test::TemporaryFolder folder;
  data::write_image(folder / "a.png", test::picture(20, 12));
  std::vector<AffectNetRow> rows(3, {.image = folder / "a.png"});
  for (int i = 0; i < 3; ++i)
    rows[static_cast<std::size_t>(i)] = {
        .image = rows[0].image, .expression = i, .box = FaceBox{static_cast<double>(i), 0, 8, 8}};
  const data::ImageCache cache({.count = 3, .height = 6, .width = 6});
  const auto cached = [&](std::int64_t i) {
    return cache.get(
        i, [&] { return data::resize_pillow(read_face(rows[static_cast<std::size_t>(i)]), 6, 6); });
  };
  const AffectNetDataset faces(
      rows, cached,
      data::compose(data::RandomHorizontalFlip{.p = 1}, data::Resize{.width = 4, .height = 4}));
  const data::Loader loader(faces, {.batch_size = 2, .workers = 1});
  std::vector<std::int64_t> labels;
  for (int epoch = 0; epoch < 2; ++epoch)
    for (const data::ImageBatch& batch : loader.epoch(epoch)) {
      EXPECT_EQ(batch.images.dim(1), 4);
      labels.insert(labels.end(), batch.labels.data(), batch.labels.data() + batch.labels.numel());
    }
  EXPECT_EQ(cache.filled(), 3);
  EXPECT_EQ(labels, (std::vector<std::int64_t>{5, 4, 6, 5, 4, 6}));
}

}  // namespace
}  // namespace mien::affect
