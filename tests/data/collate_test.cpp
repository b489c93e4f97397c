// The loader's default collate function.

#include <cstdint>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/collate.hpp>

#include "support/images.hpp"
#include "support/thrown.hpp"

namespace {

using mien::Shape;
using mien::Tensor;
using mien::data::Collate;
using mien::data::Image;
using mien::test::picture;
using mien::test::thrown;

struct Face {
  Image image;
  int label;
};

std::vector<Face> faces(std::int64_t second_width) {
  std::vector<Face> examples;
  examples.push_back({picture(5, 4), 7});
  examples.push_back({picture(second_width, 4), 2});
  return examples;
}

TEST(Collate, ImagesAndLabels) {
  const Collate collate{.normalization = mien::data::imagenet_normalization};
  const auto [images, labels] = collate(faces(5));
  ASSERT_EQ(images.shape(), (Shape{2, 4, 5, 3}));
  const Tensor<float> one =
      mien::data::to_tensor(picture(5, 4), mien::data::imagenet_normalization);
  for (std::int64_t i = 0; i < images.numel(); ++i)
    ASSERT_EQ(images.data()[i], one.data()[i % one.numel()]);
  ASSERT_EQ(labels.shape(), Shape{2});
  EXPECT_EQ(labels(0), 7);
  EXPECT_EQ(labels(1), 2);
}

TEST(Collate, ImagesOfSeveralSizesAreRefused) {
  EXPECT_EQ(thrown([] { Collate()(faces(6)); }),
            "[to_tensor] images of 5 x 4 x 3 and 6 x 4 x 3 in one batch");
}

using Row = std::tuple<Tensor<float>, Tensor<std::int64_t>>;

TEST(Collate, TuplesOfTensors) {
  const Tensor<float> square = Tensor<float>::from({2, 2}, {1, 2, 3, 4});
  const auto transposed = square.as_strided({2, 2}, {1, 2});
  const auto [x, y] = Collate()(std::vector<Row>{{square, Tensor<std::int64_t>::scalar(5)},
                                                 {transposed, Tensor<std::int64_t>::scalar(6)}});
  ASSERT_EQ(x.shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(std::vector<float>(x.data(), x.data() + 8),
            (std::vector<float>{1, 2, 3, 4, 1, 3, 2, 4}));
  ASSERT_EQ(y.shape(), Shape{2});
  EXPECT_EQ(y(0), 5);
  EXPECT_EQ(y(1), 6);
}

TEST(Collate, TensorsOfSeveralShapesAreRefused) {
  const Tensor<std::int64_t> scalar = Tensor<std::int64_t>::scalar(0),
                             two = Tensor<std::int64_t>(Shape{2});
  const Tensor<float> x(Shape{3});
  EXPECT_EQ(thrown([&] {
              Collate()(std::vector<Row>{{x, scalar}, {x, two}});
            }),
            "[collate] tensors of shapes () and (2) in place 1 of one batch");
  const Tensor<float> deep(Shape{1, 1, 1, 1, 1, 1});
  EXPECT_EQ(thrown([&] {
              Collate()(std::vector<Row>{{deep, scalar}});
            }),
            "[shape] at most 6 dimensions");
}

}  // namespace
