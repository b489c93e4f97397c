#include <gtest/gtest.h>

#include <limits>

#include <mien/core/print.hpp>

namespace {

using mien::Shape;
using mien::Tensor;

TEST(Print, NestsAndNamesTypeAndShape) {
  EXPECT_EQ(to_string(Tensor<float>::scalar(2.5f)), "2.5 f32 ()");
  EXPECT_EQ(to_string(Tensor<std::int32_t>::from({3}, {1, -2, 3})), "[1, -2, 3] i32 (3)");
  EXPECT_EQ(to_string(Tensor<std::uint8_t>::from({2, 2}, {1, 2, 3, 255})),
            "[[1, 2],\n [3, 255]] u8 (2, 2)");
  EXPECT_EQ(to_string(Tensor<std::int64_t>::arange(4).view_as({2, 1, 2})),
            "[[[0, 1]],\n [[2, 3]]] i64 (2, 1, 2)");
  EXPECT_EQ(to_string(Tensor<bool>::from({2}, {true, false})), "[true, false] bool (2)");
}

TEST(Print, ShowsSpecialValuesAndRoundsToDigits) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_string(Tensor<float>::from({3}, {inf, -inf, 1.0f / 3})),
            "[inf, -inf, 0.3333] f32 (3)");
  EXPECT_EQ(to_string(Tensor<double>::scalar(1.0 / 3), {.digits = 9}), "0.333333333 f64 ()");
  EXPECT_EQ(to_string(Tensor<mien::bf16>::full({1}, mien::bf16(0.5f))), "[0.5] bf16 (1)");
}

TEST(Print, ShortensLongDimensions) {
  EXPECT_EQ(to_string(Tensor<std::int32_t>::arange(8)), "[0, 1, 2, 3, 4, 5, 6, 7] i32 (8)");
  EXPECT_EQ(to_string(Tensor<std::int32_t>::arange(9)), "[0, 1, 2, ..., 6, 7, 8] i32 (9)");
  EXPECT_EQ(to_string(Tensor<std::int32_t>::arange(9), {.edge = 1, .limit = 2}),
            "[0, ..., 8] i32 (9)");
  EXPECT_EQ(to_string(Tensor<std::int32_t>::arange(4), {.edge = 0, .limit = 2}), "[...] i32 (4)");
  // Edges that meet leave nothing to shorten.
  EXPECT_EQ(to_string(Tensor<std::int32_t>::arange(9), {.edge = 5, .limit = 8}),
            "[0, 1, 2, 3, 4, 5, 6, 7, 8] i32 (9)");
}

TEST(Print, HandlesEmptyUndefinedAndStridedTensors) {
  EXPECT_EQ(to_string(Tensor<float>()), "undefined tensor");
  EXPECT_EQ(to_string(Tensor<float>(Shape{2, 0})), "[] f32 (2, 0)");
  const auto x = Tensor<std::int32_t>::arange(6).view_as({2, 3});
  EXPECT_EQ(to_string(x.as_strided({3, 2}, {1, 3})), "[[0, 3],\n [1, 4],\n [2, 5]] i32 (3, 2)");
}

}  // namespace
