// Copies of the resizing kernel, each with one bug, and the proof that the checks of
// resize_pillow_test.cpp find it.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <mien/cuda/resize_pillow.cuh>
#include <support/backend.hpp>
#if defined(MIEN_SIMT)
#include <simt/sanitizer.hpp>
#endif

namespace mien::kernels {
namespace {

enum class Bug { none, not_rounded_between, last_tile_whole, read_too_early, written_too_early };

// One image of one channel, a thread for each column of a tile of `rows` rows.
template <Bug bug>
MIEN_KERNEL(pillow::columns)
void broken_resize_kernel(std::uint8_t* out, const std::uint8_t* in, ResizeAxis across,
                          ResizeAxis down, ResizePillowParams p) {
  using namespace pillow;
  constexpr int rows = 4;
  MIEN_SHARED(int, between, [rows][columns]);
  const int thread = static_cast<int>(threadIdx.x);
  const int other = columns - 1 - thread;  // the column that this thread takes down
  const int first_y = static_cast<int>(blockIdx.y) * rows;
  const int last_y =
      first_y + rows <= p.out_h || bug == Bug::last_tile_whole ? first_y + rows - 1 : p.out_h - 1;
  int sums[rows] = {half, half, half, half};
  const int end_row = down.first[last_y] + down.count[last_y];
  for (int chunk = down.first[first_y]; chunk < end_row; chunk += rows) {
    for (int k = 0; k < rows && chunk + k < end_row; ++k) {
      int sum = half;
      for (int t = 0; thread < p.out_w && t < across.count[thread]; ++t)
        sum += across.weights[thread * across.stride + t] *
               in[(chunk + k) * p.w + across.first[thread] + t];
      between[k][thread] = bug == Bug::not_rounded_between ? sum - half : rounded(sum) << bits;
    }
    if (bug != Bug::read_too_early) __syncthreads();
    for (int y = first_y; y <= last_y; ++y)
      for (int row = chunk; row < chunk + rows && row < end_row; ++row)
        if (row >= down.first[y] && row < down.first[y] + down.count[y])
          sums[y - first_y] +=
              static_cast<int>((std::int64_t{down.weights[y * down.stride + row - down.first[y]]} *
                                between[row - chunk][other]) >>
                               bits);
    if (bug != Bug::written_too_early) __syncthreads();
  }
  for (int y = first_y; y <= last_y; ++y)
    if (other < p.out_w) out[y * p.out_w + other] = rounded(sums[y - first_y]);
}

}  // namespace
}  // namespace mien::kernels

namespace mien::test {
namespace {

using kernels::Bug;
using BrokenResizePillowTest = KernelTest;

constexpr int out_w = 41, out_h = 22, w = 2 * out_w + 1, h = 2 * out_h + 1;

// Every output is a quarter, a half and a quarter of three inputs, two from the next output's.
constexpr int window = 3;
constexpr std::int32_t weights[window] = {1 << 20, 1 << 21, 1 << 20};

std::uint8_t weighted(const std::uint8_t* in, int step) {
  int sum = kernels::pillow::half;
  for (int t = 0; t < window; ++t) sum += weights[t] * in[t * step];
  return static_cast<std::uint8_t>(sum >> kernels::pillow::bits);
}

std::vector<std::uint8_t> reference(const std::vector<std::uint8_t>& in) {
  std::vector<std::uint8_t> between, out;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < out_w; ++x) between.push_back(weighted(in.data() + y * w + 2 * x, 1));
  for (int y = 0; y < out_h; ++y)
    for (int x = 0; x < out_w; ++x)
      out.push_back(weighted(between.data() + 2 * y * out_w + x, out_w));
  return out;
}

class Axis {
 public:
  explicit Axis(int outputs)
      : first_(made(outputs, [](int i) { return 2 * i; })),
        count_(made(outputs, [](int) { return window; })),
        weights_(made(outputs * window, [](int i) { return weights[i % window]; })) {}
  kernels::ResizeAxis axis() { return {first_.data(), count_.data(), weights_.data(), window}; }

 private:
  template <class F>
  static std::vector<std::int32_t> made(int n, const F& f) {
    std::vector<std::int32_t> values;
    for (int i = 0; i < n; ++i) values.push_back(f(i));
    return values;
  }

  Buffer<std::int32_t> first_, count_, weights_;
};

// What the checks say of the kernel with this bug; empty where they find nothing.
template <Bug bug>
std::string found() {
  std::vector<std::uint8_t> samples;
  std::mt19937 generator(1);
  for (int i = 0; i < w * h; ++i) samples.push_back(static_cast<std::uint8_t>(generator() >> 24));
  Axis across(out_w), down(out_h);
  Buffer<std::uint8_t> in(samples), out(out_w * out_h);
  cuda::launch(kernels::broken_resize_kernel<bug>,
               {.grid = {1, kernels::ceil_div(out_h, 4)}, .block = kernels::pillow::columns},
               out.data(), in.data(), across.axis(), down.axis(),
               {.n = 1, .h = h, .w = w, .c = 1, .out_h = out_h, .out_w = out_w});
  try {
    return out.read() == reference(samples) ? "" : "other samples";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_F(BrokenResizePillowTest, TheCopyItselfIsSound) {
  each_schedule([] { EXPECT_EQ(found<Bug::none>(), ""); });
}

// A sample between the passes that keeps its fraction: off by one here and there.
TEST_F(BrokenResizePillowTest, WhatIsNotRoundedBetweenThePassesIsFound) {
  each_schedule([] { EXPECT_NE(found<Bug::not_rounded_between>(), ""); });
}

#if defined(MIEN_SIMT)
// Past the end of the axis lies what nobody knows: AddressSanitizer ends the program.
TEST_F(BrokenResizePillowTest, ALastTileTakenForWholeIsFound) {
  if constexpr (MIEN_ASAN) {
    EXPECT_DEATH(found<Bug::last_tile_whole>(), "heap-buffer-overflow");
  } else {
    each_schedule(
        [] { EXPECT_EQ(found<Bug::last_tile_whole>(), "[buffer] written out of bounds"); });
  }
}

// On a GPU these two may go well by chance.
template <Bug bug>
void expect_race() {
  if constexpr (MIEN_TSAN) {
    EXPECT_DEATH(found<bug>(), "data race");
  } else {
    each_schedule([] { EXPECT_NE(found<bug>(), ""); });
  }
}

TEST_F(BrokenResizePillowTest, RowsReadBeforeTheyAreThereAreFound) {
  expect_race<Bug::read_too_early>();
}

TEST_F(BrokenResizePillowTest, RowsOfTheNextChunkAreFound) {
  expect_race<Bug::written_too_early>();
}
#endif

}  // namespace
}  // namespace mien::test
