// Image transforms on one thread. Each row's label is the CRC-32 of its result, by which
// bench/peers/transforms.py checks it before it compares times. The row `chain` reads the JPEG file
// that MIEN_BENCH_JPEG names.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/data/adjust_color.hpp>
#include <mien/data/color_jitter.hpp>
#include <mien/data/flip.hpp>
#include <mien/data/image_decode.hpp>
#include <mien/data/image_tensor.hpp>
#include <mien/data/resize.hpp>
#include <mien/data/transform.hpp>

#include "data/noise.hpp"

namespace {

using mien::Generator;
using mien::bench::crc32;
using mien::bench::noise;
using mien::data::Adjustment;
using mien::data::ColorJitter;
using mien::data::Image;

constexpr int inputs = 8;  // taken in turn: together larger than a core's L2 cache

// Times transform(const Image&) of noise of width x height.
template <class F>
void run(benchmark::State& state, std::int64_t width, std::int64_t height, F transform) {
  mien::set_num_threads(1);
  std::vector<Image> images;
  for (std::uint32_t i = 0; i < inputs; ++i) images.push_back(noise(width, height, i + 1));
  const std::uint32_t crc = crc32(transform(images[0]));
  std::size_t turn = 0;
  for (auto _ : state) {
    const Image out = transform(images[turn++ % inputs]);
    benchmark::DoNotOptimize(out.samples<std::uint8_t>().data());
  }
  state.SetBytesProcessed(state.iterations() * 2 * width * height * 3);
  state.SetLabel("crc=" + std::to_string(crc));
}

void adjust(benchmark::State& state, Image (*adjustment)(Image, double), double factor) {
  run(state, 500, 375, [&](const Image& image) { return adjustment(image, factor); });
}

void flip(benchmark::State& state) {
  run(state, 224, 224, [](const Image& image) { return mien::data::flip_horizontal(image); });
}

void to_tensor(benchmark::State& state) {
  const Image image = noise(224, 224, 1);
  std::vector<float> out(image.samples<std::uint8_t>().size());
  for (auto _ : state) {
    mien::data::to_tensor(std::span(out), image, mien::data::imagenet_normalization);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetLabel("crc=" + std::to_string(crc32(out.data(), out.size() * sizeof(float))));
}

// From a file's bytes to the network's input.
void chain(benchmark::State& state) {
  mien::set_num_threads(1);
  const char* path = std::getenv("MIEN_BENCH_JPEG");
  if (path == nullptr) return state.SkipWithError("MIEN_BENCH_JPEG is not set");
  const mien::io::MappedFile file(path);
  const ColorJitter::Draw draw{.order = {Adjustment::hue, Adjustment::contrast,
                                         Adjustment::saturation, Adjustment::brightness},
                               .brightness = 1.25,
                               .contrast = 0.75,
                               .saturation = 1.125,
                               .hue = 0.0625};
  const auto transform = mien::data::compose(
      [&](Image image, Generator&) { return ColorJitter::apply(std::move(image), draw); },
      mien::data::Resize{.width = 224, .height = 224}, mien::data::RandomHorizontalFlip{.p = 1});
  std::vector<float> out(224 * 224 * 3);
  Generator random;
  for (auto _ : state) {
    const Image image = transform(mien::data::decode_image(file.bytes()), random);
    mien::data::to_tensor(std::span(out), image, mien::data::imagenet_normalization);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetLabel("crc=" + std::to_string(crc32(out.data(), out.size() * sizeof(float))));
}

void in_microseconds(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(adjust, brightness, mien::data::adjust_brightness, 1.25)->Apply(in_microseconds);
BENCHMARK_CAPTURE(adjust, contrast, mien::data::adjust_contrast, 0.75)->Apply(in_microseconds);
BENCHMARK_CAPTURE(adjust, saturation, mien::data::adjust_saturation, 1.125)->Apply(in_microseconds);
BENCHMARK_CAPTURE(adjust, hue, mien::data::adjust_hue, 0.0625)->Apply(in_microseconds);
BENCHMARK(flip)->Apply(in_microseconds);
BENCHMARK(to_tensor)->Apply(in_microseconds);
BENCHMARK(chain)->Apply(in_microseconds);

}  // namespace
