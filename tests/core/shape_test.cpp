#include <gtest/gtest.h>

#include <mien/core/shape.hpp>

#include "support/thrown.hpp"

namespace {

using mien::broadcast;
using mien::dense_strides;
using mien::Shape;
using mien::test::thrown;

constexpr std::int64_t big = std::int64_t{1} << 40;

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape{}.numel(), 1);
  EXPECT_EQ((Shape{2, 3, 4}.numel()), 24);
  EXPECT_EQ((Shape{2, 0, 4}.numel()), 0);
  EXPECT_EQ((Shape{big, 1 << 22}.numel()), std::int64_t{1} << 62);
}

TEST(Shape, RefusesSizesThatDoNotFit) {
  EXPECT_EQ(thrown([] {
              Shape{big, big}.numel();
            }),
            "[shape] too many elements in (1099511627776, 1099511627776)");
  // A size of 0 does not help: the strides would still overflow.
  EXPECT_EQ(thrown([] {
              Shape{0, big, big}.numel();
            }),
            "[shape] too many elements in (0, 1099511627776, 1099511627776)");
  EXPECT_EQ(thrown([] { Shape{2, -1}.numel(); }), "[shape] negative size in (2, -1)");
  EXPECT_EQ(thrown([] { Shape({1, 2, 3, 4, 5, 6, 7}); }), "[shape] at most 6 dimensions, got 7");
  Shape full{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(thrown([&] { full.push_back(7); }), "[shape] at most 6 dimensions");
}

TEST(Shape, IndexesFromBothEnds) {
  Shape shape{5, 6, 7};
  EXPECT_EQ(shape[0], 5);
  EXPECT_EQ(shape[-1], 7);
  EXPECT_EQ(shape[-3], 5);
  shape[-2] = 9;
  EXPECT_EQ(to_string(shape), "(5, 9, 7)");
  EXPECT_EQ(thrown([&] { shape[3]; }), "[shape] dimension 3 of a shape of rank 3");
  EXPECT_EQ(thrown([&] { shape[-4]; }), "[shape] dimension -4 of a shape of rank 3");
  EXPECT_EQ(thrown([] { Shape{}[0]; }), "[shape] dimension 0 of a shape of rank 0");
}

TEST(Shape, ComparesRankAndSizes) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2}), (Shape{2, 1}));
  EXPECT_EQ(Shape{}, Shape{});
  EXPECT_EQ(to_string(Shape{}), "()");
}

TEST(Shape, DenseStrides) {
  EXPECT_EQ(dense_strides({2, 3, 4}), (Shape{12, 4, 1}));
  EXPECT_EQ(dense_strides({}), Shape{});
  EXPECT_EQ(dense_strides({3, 0, 4}), (Shape{0, 4, 1}));
}

TEST(Broadcast, FollowsNumPy) {
  EXPECT_EQ(broadcast({2, 3}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast({2, 3}, {3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast({3, 1, 4}, {5, 1}), (Shape{3, 5, 4}));
  EXPECT_EQ(broadcast({}, {4, 2}), (Shape{4, 2}));
  EXPECT_EQ(broadcast({1}, {0}), (Shape{0}));
  EXPECT_EQ(broadcast({0, 1}, {3}), (Shape{0, 3}));
  EXPECT_EQ(thrown([] {
              broadcast({2, 3}, {2}, "add");
            }),
            "[add] shapes (2, 3) and (2) do not broadcast");
  EXPECT_EQ(thrown([] { broadcast({0}, {2}, "add"); }),
            "[add] shapes (0) and (2) do not broadcast");
}

TEST(WrapDim, CountsFromTheEnd) {
  EXPECT_EQ(mien::wrap_dim(-1, 4, "sum"), 3);
  EXPECT_EQ(mien::wrap_dim(0, 1, "sum"), 0);
  EXPECT_EQ(thrown([] { mien::wrap_dim(4, 4, "sum"); }), "[sum] dimension 4 of a tensor of rank 4");
  EXPECT_EQ(thrown([] { mien::wrap_dim(-5, 4, "sum"); }),
            "[sum] dimension -5 of a tensor of rank 4");
}

}  // namespace
