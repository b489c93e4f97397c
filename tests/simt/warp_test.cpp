#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <string>
#include <vector>

#include <mien/cuda/intrinsics.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::simt {
namespace {

using test::each_schedule, test::thrown;

// What each lane of one warp gets from f(lane).
template <class T, class F>
std::vector<T> per_lane(F) {
  std::vector<T> out(32);
  const auto kernel = +[](T* out) { out[threadIdx.x] = F()(static_cast<int>(threadIdx.x)); };
  cuda::launch(kernel, {.block = 32}, out.data());
  return out;
}

// Every lane of a warp must get expected(lane) from call(lane).
template <class Call, class Expected>
void expect_lanes(Call call, Expected expected, Where where = Where::current()) {
  each_schedule([&] {
    const std::vector<int> got = per_lane<int>(call);
    for (int lane = 0; lane < 32; ++lane)
      EXPECT_EQ(got[static_cast<std::size_t>(lane)], expected(lane))
          << "lane " << lane << ", line " << where.line;
  });
}

TEST(WarpTest, Shuffles) {
  expect_lanes([](int lane) { return __shfl_sync(full_mask, lane, 7); }, [](int) { return 7; });
  expect_lanes([](int lane) { return __shfl_sync(full_mask, lane, 40); }, [](int) { return 8; });
  expect_lanes([](int lane) { return __shfl_sync(full_mask, lane, lane + 1, 8); },
               [](int lane) { return lane / 8 * 8 + (lane + 1) % 8; });
  expect_lanes([](int lane) { return __shfl_up_sync(full_mask, lane, 3); },
               [](int lane) { return lane < 3 ? lane : lane - 3; });
  expect_lanes([](int lane) { return __shfl_up_sync(full_mask, lane, 3, 4); },
               [](int lane) { return lane % 4 < 3 ? lane : lane - 3; });
  expect_lanes([](int lane) { return __shfl_down_sync(full_mask, lane, 5); },
               [](int lane) { return lane > 26 ? lane : lane + 5; });
  expect_lanes([](int lane) { return __shfl_down_sync(full_mask, lane, 5, 16); },
               [](int lane) { return lane % 16 > 10 ? lane : lane + 5; });
  expect_lanes([](int lane) { return __shfl_xor_sync(full_mask, lane, 21); },
               [](int lane) { return lane ^ 21; });
  expect_lanes([](int lane) { return __shfl_xor_sync(full_mask, lane, 8, 8); },
               [](int lane) { return lane & 8 ? lane ^ 8 : lane; });
}

TEST(WarpTest, ShufflesOfEightBytes) {
  each_schedule([] {
    const auto got =
        per_lane<double>([](int lane) { return __shfl_xor_sync(full_mask, lane + 0.125, 1); });
    for (int lane = 0; lane < 32; ++lane)
      EXPECT_EQ(got[static_cast<std::size_t>(lane)], (lane ^ 1) + 0.125);
  });
}

TEST(WarpTest, VotesAndReductions) {
  expect_lanes([](int lane) { return static_cast<int>(__ballot_sync(full_mask, lane % 3 == 0)); },
               [](int) { return 0x49249249; });
  expect_lanes([](int lane) { return __any_sync(full_mask, lane == 9); }, [](int) { return 1; });
  expect_lanes([](int lane) { return __any_sync(full_mask, lane == 32); }, [](int) { return 0; });
  expect_lanes([](int lane) { return __all_sync(full_mask, lane < 32); }, [](int) { return 1; });
  expect_lanes([](int lane) { return __all_sync(full_mask, lane < 31 ? 2 : 0); },
               [](int) { return 0; });
  expect_lanes([](int lane) { return __reduce_add_sync(full_mask, lane - 20); },
               [](int) { return -144; });
  expect_lanes([](int lane) { return __reduce_min_sync(full_mask, (lane + 5) % 32 - 9); },
               [](int) { return -9; });
  expect_lanes([](int lane) { return __reduce_max_sync(full_mask, (lane + 5) % 32 - 9); },
               [](int) { return 22; });
  expect_lanes([](int) { return static_cast<int>(__reduce_add_sync(full_mask, 0x80000001u)); },
               [](int) { return 32; });
  expect_lanes(
      [](int lane) { return static_cast<int>(__reduce_and_sync(full_mask, ~(1u << lane % 4))); },
      [](int) { return -16; });
  expect_lanes(
      [](int lane) { return static_cast<int>(__reduce_or_sync(full_mask, 1u << lane % 4)); },
      [](int) { return 15; });
  expect_lanes(
      [](int lane) { return static_cast<int>(__reduce_xor_sync(full_mask, 1u << lane % 5)); },
      [](int) { return 3; });
}

TEST(WarpTest, MasksSplitAWarp) {
  // Halves take their own branches and lengths; the bits outside a mask vote 0.
  const auto halves = [](int lane) {
    const unsigned mask = lane < 16 ? 0x0000ffffu : 0xffff0000u;
    int sum = lane;
    for (int step = lane < 16 ? 8 : 1; step > 0; step /= 2) sum += __shfl_xor_sync(mask, sum, step);
    return sum + static_cast<int>(__ballot_sync(mask, 1) >> 16);
  };
  each_schedule([&] {
    const auto got = per_lane<int>(halves);
    EXPECT_EQ(got[3], 120);
    EXPECT_EQ(got[30], 61 + 0xffff);
  });
}

TEST(WarpTest, SumsOverWarpsAndBlocks) {
  const auto kernel = +[](float* sums) {
    const auto t = static_cast<float>(threadIdx.x + 32 * threadIdx.y);
    float sum = 0;
    for (int round = 0; round < 3; ++round) sum += kernels::dev::block_sum(t);
    sums[static_cast<int>(t)] = sum + kernels::dev::warp_sum(1.0f);
  };
  each_schedule([&] {
    std::vector<float> sums(160);
    cuda::launch(kernel, {.block = {32, 5}}, sums.data());
    EXPECT_EQ(sums, std::vector<float>(160, 3 * 12720 + 32));
  });
}

// A block of `threads` that calls f() must fail with an error that contains `text`.
template <class F>
void expect_error(F, const std::string& text, unsigned threads = 32) {
  const std::string error = thrown([&] { cuda::launch(+[] { F()(); }, {.block = threads}); });
  EXPECT_NE(error.find(text), std::string::npos) << error;
}

TEST(WarpTest, ALaneThatHasReturnedIsAnError) {
  const auto early_return = [] {
    if (threadIdx.x == 37) return;
    __shfl_down_sync(full_mask, 1, 16);
  };
  each_schedule([&] {
    expect_error(early_return,
                 "31 of 32 lanes of warp 1 (mask 0xffffffff) wait at __shfl_down_sync (", 64);
    expect_error(early_return, "/warp_test.cpp:", 64);
    expect_error(early_return, ", 33 have returned", 64);
  });
}

// Kernels stand outside of EXPECT_*, where the macro would give all their calls one line.
TEST(WarpTest, LanesAtOtherCallsOrWithOtherMasksAreAnError) {
  const auto two_calls = [] {
    if (threadIdx.x < 8)
      __syncwarp();
    else
      __syncwarp();
  };
  const auto two_masks = [] { __any_sync(threadIdx.x < 16 ? 0x0000ffffu : full_mask, 1); };
  const auto a_barrier_instead = [] {
    if (threadIdx.x == 0) __syncthreads();
    __syncwarp();
  };
  each_schedule([&] {
    expect_error(two_calls, "8 of 32 lanes of warp 0 (mask 0xffffffff) wait at __syncwarp (");
    expect_error(two_masks, "16 of 32 lanes of warp 0 (mask 0xffffffff) wait at __any_sync (");
    expect_error(a_barrier_instead, "1 of 32 threads wait at __syncthreads (");
    expect_error(a_barrier_instead,
                 "31 of 32 lanes of warp 0 (mask 0xffffffff) wait at __syncwarp");
  });
}

TEST(WarpTest, MasksMustBeRight) {
  const auto without_lane_0 = [] { __ballot_sync(0xfffffffeu, 1); };
  expect_error(without_lane_0, "by lane 0, which its mask 0xfffffffe lacks");
  const auto whole_warp = [] { __syncwarp(); };
  expect_error(whole_warp, "with mask 0xffffffff in a warp of 8 lanes: the block has 40 threads",
               40);
  const auto part_of_a_warp = [] { __syncwarp(threadIdx.x < 32 ? full_mask : 0xffu); };
  expect_error(part_of_a_warp, "nothing was thrown", 40);
}

TEST(WarpTest, ShufflesReadLanesOfTheirMaskAlone) {
  const auto another_half = [] {
    if (threadIdx.x < 16) __shfl_sync(0xffffu, 1, 20);
  };
  expect_error(another_half, " reads lane 20, which its mask lacks");
  const auto odd_width = [] { __shfl_sync(full_mask, 1, 0, 12); };
  expect_error(odd_width, "[simt] __shfl_sync of width 12, expected a power of two up to 32");
}

}  // namespace
}  // namespace mien::simt
