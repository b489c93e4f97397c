// Resizing photographs on one thread. Each row's label is the CRC-32 of its result, by which
// bench/peers/resize_pillow.py checks it before it compares times.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/data/resize_opencv.hpp>
#include <mien/data/resize_pillow.hpp>

#include "data/noise.hpp"

namespace {

using mien::bench::crc32;
using mien::bench::noise;
using mien::data::Image;
using mien::data::OpenCvFilter;
using mien::data::PillowFilter;

constexpr int inputs = 8;  // taken in turn: together larger than a core's L2 cache

// Arguments: input width and height, output width and height.
template <class Resize>
void run(benchmark::State& state, Resize resize) {
  mien::set_num_threads(1);
  const auto width = state.range(2), height = state.range(3);
  std::vector<Image> images;
  for (std::uint32_t i = 0; i < inputs; ++i)
    images.push_back(noise(state.range(0), state.range(1), i + 1));
  const Image first = resize(images[0], width, height);
  std::size_t turn = 0;
  for (auto _ : state) {
    const Image out = resize(images[turn++ % inputs], width, height);
    benchmark::DoNotOptimize(out.samples<std::uint8_t>().data());
  }
  const auto bytes =
      images[0].samples<std::uint8_t>().size() + first.samples<std::uint8_t>().size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.SetLabel("crc=" + std::to_string(crc32(first)));
}

void resize_pillow(benchmark::State& state, PillowFilter filter) {
  run(state, [filter](const Image& image, std::int64_t width, std::int64_t height) {
    mien::data::PillowResize options;
    options.filter = filter;
    return mien::data::resize_pillow(image, width, height, options);
  });
}

void resize_opencv(benchmark::State& state, OpenCvFilter filter) {
  run(state, [filter](const Image& image, std::int64_t width, std::int64_t height) {
    return mien::data::resize_opencv(image, width, height, filter);
  });
}

void photographs(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"w", "h", "to_w", "to_h"})->Unit(benchmark::kMicrosecond);
  bench->Args({500, 375, 224, 224})->Args({112, 112, 224, 224})->Args({1920, 1080, 640, 360});
}
void super_resolved(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"w", "h", "to_w", "to_h"})->Unit(benchmark::kMicrosecond);
  bench->Args({448, 448, 224, 224})->Args({2000, 1500, 1001, 750});
}

BENCHMARK_CAPTURE(resize_pillow, bilinear, PillowFilter::bilinear)->Apply(photographs);
BENCHMARK_CAPTURE(resize_pillow, bicubic, PillowFilter::bicubic)->Apply(photographs);
BENCHMARK_CAPTURE(resize_pillow, lanczos, PillowFilter::lanczos)->Apply(photographs);
BENCHMARK_CAPTURE(resize_opencv, lanczos4, OpenCvFilter::lanczos4)->Apply(super_resolved);

}  // namespace
