// The tile for many pixels on a few: its launcher takes it where they fill a GPU.

#include <gtest/gtest.h>

#include <kernels/pointwise_conv.hpp>
#include <mien/cuda/pointwise_conv.cuh>

namespace mien::test {
namespace {

template <class T>
class LargePointwiseConvTest : public KernelTest {};
TYPED_TEST_SUITE(LargePointwiseConvTest, StorageTypes);

TYPED_TEST(LargePointwiseConvTest, IsTheProduct) {
  const auto expect = [](const pointwise::Case& c) {
    pointwise::expect_reference<TypeParam>(c, [](auto... arguments) {
      kernels::pointwise::launch<kernels::pointwise::Large, kernels::dev::DeviceMma, TypeParam>(
          Cuda{}, arguments...);
    });
  };
  expect({{130, 50, 40, 66}, true, true, false, true});  // a second block of rows, and of columns
  expect({{5, 50, 35, 7}, false, true, true, false});
}

}  // namespace
}  // namespace mien::test
