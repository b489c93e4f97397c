#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include <mien/core/index.hpp>
#include <mien/core/strided.hpp>
#include <mien/core/tensor.hpp>

namespace {

using namespace mien;

TEST(BroadcastStrides, StretchedAndAbsentDimensionsHaveStrideZero) {
  EXPECT_EQ(broadcast_strides({3, 1}, {1, 1}, {2, 3, 4}), (Shape{0, 1, 0}));
  EXPECT_EQ(broadcast_strides({}, {}, {2, 3}), (Shape{0, 0}));
  EXPECT_EQ(broadcast_strides({1}, {1}, {1}), (Shape{1}));
}

TEST(StridedRows, MergesWhatEveryOperandWalksAsOne) {
  const Shape shape{2, 3, 1, 4};
  const Shape dense = dense_strides(shape);
  const StridedRows<2> same(shape, {dense, dense});
  int calls = 0;
  same.each([&](const auto& at, std::int64_t n) {
    ++calls;
    EXPECT_EQ(at[0], 0);
    EXPECT_EQ(n, 24);
  });
  EXPECT_EQ(calls, 1);

  const StridedRows<2> stretched(shape, {dense, Shape{4, 0, 0, 1}});
  std::vector<std::int64_t> offsets(6);
  stretched.each([&](const auto& at, std::int64_t n) {
    EXPECT_EQ(n, 4);
    offsets[static_cast<std::size_t>(at[0] / 4)] = at[1];
  });
  EXPECT_EQ(offsets, (std::vector<std::int64_t>{0, 0, 0, 4, 4, 4}));
}

TEST(StridedRows, VisitsLongAndShortRowsOnce) {
  for (const Shape& shape : {Shape{3, 40001}, Shape{40001, 3}, Shape{7, 11, 13, 17}, Shape{}}) {
    // A stride of 2 more than dense per row keeps rows apart.
    Shape strides = dense_strides(shape);
    if (shape.rank() > 1) strides[-2] += 2;
    for (int d = shape.rank() - 3; d >= 0; --d) strides[d] = strides[d + 1] * shape[d + 1];
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(shape.numel()));
    const StridedRows<2> rows(shape, {dense_strides(shape), strides});
    rows.each([&](const auto& at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i)
        ++visits[static_cast<std::size_t>(at[0] + i * rows.steps()[0])];
    });
    for (const auto& count : visits) ASSERT_EQ(count, 1) << to_string(shape);
  }
}

TEST(StridedRows, NothingToVisit) {
  const StridedRows<1> rows({2, 0, 3}, {dense_strides({2, 0, 3})});
  rows.each([](const auto&, std::int64_t) { FAIL(); });
}

// Copies a permuted, reversed part of an array and compares element by element.
TEST(StridedCopy, AnyStrides) {
  const auto x = Tensor<float>::arange(5 * 6 * 7 * 8);
  const Shape shape{8, 3, 7, 5}, from{1, -112, -8, 336};  // of (5, 6, 7, 8); every other row
  const std::int64_t first = 4 * 56 + 6 * 8;
  const auto y = Tensor<double>::zeros(shape);
  strided_copy(y.mutable_data(), y.strides(), x.data() + first, from, shape);
  each_index(shape, [&](const Shape& at) {
    ASSERT_EQ(y.data()[offset_of(at, y.strides())],
              static_cast<double>(first + offset_of(at, from)));
  });
}

TEST(StridedCopy, IntoAViewTouchesNothingElse) {
  const auto x = Tensor<int>::full({18}, -1);
  x.as_strided({2, 3}, {10, 2}, 1).copy_from(Tensor<int>::arange(6).view_as({2, 3}));
  std::vector<int> got(18);
  x.copy_to(got.data());
  EXPECT_EQ(got,
            (std::vector<int>{-1, 0, -1, 1, -1, 2, -1, -1, -1, -1, -1, 3, -1, 4, -1, 5, -1, -1}));
}

}  // namespace
