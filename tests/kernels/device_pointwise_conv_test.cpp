// Every tile of the kernel, whatever its launcher would choose.

#include <gtest/gtest.h>

#include <kernels/pointwise_conv.hpp>
#include <mien/cuda/pointwise_conv.cuh>

namespace mien::test {
namespace {

using pointwise::Case;

template <class T>
class PointwiseConvTilesTest : public KernelTest {};
TYPED_TEST_SUITE(PointwiseConvTilesTest, StorageTypes);

template <class Shape, bool Aligned, class T>
void expect_tile(const Case& c) {
  SCOPED_TRACE(str(Shape::rows, "x", Shape::columns, Aligned ? "" : ", not aligned"));
  pointwise::expect_reference<T>(c, [](auto... arguments) {
    kernels::pointwise::launch<Shape, Aligned, T>(Cuda{}, arguments...);
  });
}

template <class T, class... Shapes>
void expect_tiles(const Case& c) {
  (expect_tile<Shapes, true, T>(c), ...);
}

TYPED_TEST(PointwiseConvTilesTest, AreTheProduct) {
  using namespace kernels::pointwise;
  const auto expect = [](const Case& c) { expect_tiles<TypeParam, Wide, Narrow, Small>(c); };
  // A second block of rows and of columns, images that begin within a block; stages in part, and
  // more of them than the shared memory holds.
  expect({{130, 50, 40, 136}, true, true, false, true});
  if (!few_shapes) {
    expect({{67, 7, 24, 40}, true, true, true, true});
    expect({{20, 400, 1048, 8}, false, true, true, false});
    expect({{20, 1, 168, 8}, true, false, false, false});
  }
}

TYPED_TEST(PointwiseConvTilesTest, TakeOddChannels) {
  using namespace kernels::pointwise;
  const Case odd{{66, 25, 35, 70}, true, true, true, true};
  expect_tile<Narrow, false, TypeParam>(odd);
  expect_tile<Small, false, TypeParam>(odd);
}

}  // namespace
}  // namespace mien::test
