// Copies of the convolution's main loop, each with one bug, and the proof that the checks of
// conv3x3_test.cpp find it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <kernels/conv3x3.hpp>
#include <kernels/values.hpp>
#include <mien/cuda/conv3x3.cuh>
#include <support/backend.hpp>
#if defined(MIEN_SIMT)
#include <simt/sanitizer.hpp>
#endif

namespace mien::kernels {
namespace {

enum class Bug { none, border_shifted, last_slab_left_out, no_wait, no_barrier };

// One stage of shared memory for each slab.
template <Bug bug>
MIEN_KERNEL(conv::threads)
void broken_conv3x3_kernel(float* y, const float* x, const float* packed, Conv3x3Params p,
                           Conv3x3Layout l) {
  constexpr int K = 3, R = conv::low, Tiles = 1, bytes = conv::Stage<K, R, Tiles>::bytes;
  MIEN_DYN_SHARED(unsigned char, shared);
  const conv::Place at(p, l, conv::warps * R);
  conv::Place from = at;
  if (bug == Bug::border_shifted) ++from.column;
  const conv::Loader<K, R, Tiles, float> load(x, packed, p, l, from, true);
  const int slabs = l.slabs - (bug == Bug::last_slab_left_out ? 1 : 0);
  for (int slab = 0; slab < slabs; ++slab) load(shared + slab * bytes, slab);
  dev::commit_copies();
  if (bug != Bug::no_wait) dev::wait_copies<0>();
  if (bug != Bug::no_barrier) __syncthreads();
  conv::Sums<R, Tiles> sums = {};
  for (int slab = 0; slab < slabs; ++slab)
    conv::add_slab<dev::DeviceMma, float, K>(sums, shared + slab * bytes);
  conv::store(y, sums, p, Conv3x3Epilogue<float>{}, at, true);
  dev::wait_copies<0>();
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

using kernels::Bug;
using BrokenConv3x3Test = KernelTest;

// What the checks say of the kernel with this bug; empty where they find nothing.
template <Bug bug>
std::string found() {
  const auto p = plain(1, 8, 5, 16, 8);
  const auto x = random_values<float>(x_pixels(p) * p.c_in, -1, 1, 1);
  const auto w = random_weights(p, 2);
  const auto l = Conv3x3Layout::of<float>(p);
  PackedConv3x3<float> packed(w, p);
  Buffer<float> y(y_pixels(p) * p.out_c), in(x);
  cuda::launch(kernels::broken_conv3x3_kernel<bug>,
               {.block = kernels::conv::threads,
                .dynamic_shared_bytes =
                    2 * std::size_t{kernels::conv::Stage<3, kernels::conv::low, 1>::bytes}},
               y.data(), in.data(), packed.data(), p, l);
  return difference(y.read(), convolve(x, w, p), of_sums<float>(p));
}

TEST_F(BrokenConv3x3Test, TheCopyItselfIsSound) {
  each_schedule([] { EXPECT_EQ(found<Bug::none>(), ""); });
}

TEST_F(BrokenConv3x3Test, AShiftedBorderIsFound) {
  each_schedule([] { EXPECT_NE(found<Bug::border_shifted>(), ""); });
}

TEST_F(BrokenConv3x3Test, ASlabLeftOutIsFound) {
  each_schedule([] { EXPECT_NE(found<Bug::last_slab_left_out>(), ""); });
}

#if defined(MIEN_SIMT)
// On a GPU these two may go well by chance.
template <Bug bug>
void expect_race() {
  if (MIEN_TSAN) {
    EXPECT_DEATH(found<bug>(), "data race");
    return;
  }
  int seen = 0;
  each_schedule([&] { seen += found<bug>() != "" ? 1 : 0; });
  EXPECT_GE(seen, 2) << "of three schedules, of which one copies at once";
}

TEST_F(BrokenConv3x3Test, AMissingWaitIsFound) { expect_race<Bug::no_wait>(); }

TEST_F(BrokenConv3x3Test, AMissingBarrierIsFound) { expect_race<Bug::no_barrier>(); }
#endif

}  // namespace
}  // namespace mien::test
