#include <mien/cuda/resize_pillow.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <data/generated_images.hpp>
#include <kernels/pillow_axes.hpp>
#include <support/backend.hpp>
#include <support/csv.hpp>
#include <support/data_dir.hpp>
#include <support/images.hpp>
#include <support/thread_count.hpp>
#include <support/thrown.hpp>

namespace mien::test {
namespace {

using data::Image;
using data::PillowFilter;
using kernels::ResizePillowParams;

using ResizePillowTest = KernelTest;

// `image` and its rows in reverse as a batch.
std::vector<std::uint8_t> batch_of(const Image& image) {
  const auto samples = image.samples<std::uint8_t>();
  std::vector<std::uint8_t> batch(samples.begin(), samples.end());
  batch.insert(batch.end(), samples.rbegin(), samples.rend());
  return batch;
}

std::vector<std::uint8_t> run(const std::vector<std::uint8_t>& batch, PillowFilter filter,
                              const ResizePillowParams& p) {
  PillowAxis across(p.w, p.out_w, filter), down(p.h, p.out_h, filter);
  Buffer<std::uint8_t> in(batch), out(std::int64_t{p.n} * p.out_h * p.out_w * p.c);
  kernels::resize_pillow(Cuda{}, out.data(), in.data(), across.axis(), down.axis(), p);
  return out.read();
}

ResizePillowParams params_of(const Image& image, int out_w, int out_h) {
  return {.n = 2,
          .h = static_cast<int>(image.height()),
          .w = static_cast<int>(image.width()),
          .c = image.channels(),
          .out_h = out_h,
          .out_w = out_w};
}

// Against the engine's code for the CPU, itself checked against Pillow.
void expect_that_of_the_engine(const Image& image, int out_w, int out_h, PillowFilter filter) {
  const auto p = params_of(image, out_w, out_h);
  const auto batch = batch_of(image);
  const ThreadCount alone(1);  // death tests in this program fork
  std::vector<std::uint8_t> expected;
  for (std::size_t i = 0; i < 2; ++i) {
    Image of_batch(image.width(), image.height(), image.channels());
    const auto samples = of_batch.samples<std::uint8_t>();
    std::copy_n(batch.data() + i * samples.size(), samples.size(), samples.begin());
    const Image resized = data::resize_pillow(
        of_batch, out_w, out_h,
        {.filter = filter, .horizontal_first = true, .premultiply_alpha = false});
    const auto result = resized.samples<std::uint8_t>();
    expected.insert(expected.end(), result.begin(), result.end());
  }
  each_schedule([&] {
    EXPECT_TRUE(run(batch, filter, p) == expected)
        << p.w << 'x' << p.h << 'x' << p.c << " to " << out_w << 'x' << out_h;
  });
}

// Larger, smaller, one way each, the same size, one pixel; tiles cut in both directions; windows of
// more rows than a block has at once.
TEST_F(ResizePillowTest, IsThatOfTheEngine) {
  struct Case {
    int w, h, c, out_w, out_h;
  };
  for (const Case& c : shapes<Case>({{1, 1, 1, 1, 1},
                                     {1, 1, 3, 5, 7},
                                     {40, 30, 3, 40, 30},
                                     {17, 23, 3, 35, 50},
                                     {61, 47, 3, 22, 21},
                                     {30, 90, 1, 70, 33},
                                     {90, 20, 4, 31, 33},
                                     {13, 200, 2, 4, 3},
                                     {300, 5, 3, 2, 40},
                                     {50, 41, 3, 1, 1}},
                                    {{17, 23, 3, 35, 50}, {61, 47, 3, 22, 21}, {13, 200, 2, 4, 3}}))
    expect_that_of_the_engine(noise_image(c.w, c.h, c.c, 8, false), c.out_w, c.out_h,
                              PillowFilter::bilinear);
}

// Sums below 0 and above 255.
TEST_F(ResizePillowTest, ClampsTheOvershootOfOtherFilters) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  for (const PillowFilter filter : {PillowFilter::bicubic, PillowFilter::lanczos})
    for (const int size : {12, 70})
      expect_that_of_the_engine(noise_image(29, 31, 3, 8, true), size, size, filter);
}

// Checksums of Pillow's own results, for as many as are small and begin with the horizontal pass.
TEST_F(ResizePillowTest, IsThatOfPillow) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  int compared = 0;
  for (const auto& row : read_csv(golden_path("images/resize_pillow.csv"))) {
    const auto number = [&](std::size_t i) { return std::stoi(row.at(i)); };
    const int w = number(0), h = number(1), c = number(2), out_w = number(5), out_h = number(6);
    const bool vertical_first = h - out_h > 0 && h - out_h > 2 * (w - out_w) && w != out_w;
    if (row.at(4) != "bilinear" || c % 2 == 0 || vertical_first || w * h > 40000 ||
        out_w * out_h > 40000)
      continue;
    const Image image = noise_image(w, h, c, 8, row.at(3) == "extremes");
    auto p = params_of(image, out_w, out_h);
    p.n = 1;
    const auto samples = image.samples<std::uint8_t>();
    const auto out = run({samples.begin(), samples.end()}, PillowFilter::bilinear, p);
    EXPECT_EQ(crc32(out.data(), out.size()), std::stoul(row.at(7))) << w << 'x' << h;
    ++compared;
  }
  EXPECT_GE(compared, 3);
}

TEST_F(ResizePillowTest, OfNothing) {
  EXPECT_TRUE(
      run({}, PillowFilter::bilinear, {.n = 0, .h = 4, .w = 4, .c = 3, .out_h = 2, .out_w = 2})
          .empty());
}

TEST_F(ResizePillowTest, SaysWhatItExpects) {
  const auto of = [](const ResizePillowParams& p) {
    return thrown([&] { kernels::resize_pillow(Cuda{}, nullptr, nullptr, {}, {}, p); });
  };
  EXPECT_EQ(of({.n = 1, .h = 0, .w = 4, .c = 3, .out_h = 2, .out_w = 2}),
            "[resize_pillow] expected images of one pixel or more, got 4 x 0");
  EXPECT_EQ(of({.n = 1, .h = 1 << 15, .w = 1 << 15, .c = 3, .out_h = 2, .out_w = 2}),
            "[resize_pillow] expected images of up to 2^30 bytes, got 32768 x 32768 pixels of 3");
}

}  // namespace
}  // namespace mien::test
