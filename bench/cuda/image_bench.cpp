// Images of bytes: Pillow's bilinear resizing to the networks' input, and normalisation with the
// means and deviations of ImageNet.

#include <mien/cuda/normalize_image.hpp>
#include <mien/cuda/resize_pillow.hpp>
#include <mien/data/resize_pillow.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using kernels::ResizePillowParams;
using kernels::Storage;

constexpr int channels = 3;

template <Storage T>
Work normalize(Arrays& arrays, const kernels::NormalizeImageParams& p) {
  const std::int64_t pixels = std::int64_t{p.n} * p.h * p.w;
  const auto x = arrays.input<std::uint8_t>(pixels * p.c, 0, 256);
  const auto y = arrays.output<T>(pixels * p.out_channels);
  const auto mean = arrays.constant<float>({0.485f, 0.456f, 0.406f}),
             deviation = arrays.constant<float>({0.229f, 0.224f, 0.225f});
  return {[=](const Cuda& device, int set) {
            kernels::normalize_image(device, y.at(set), x.at(set), mean.at(set), deviation.at(set),
                                     nullptr, p);
          },
          [=] {
            const auto of_x = x.values();
            const auto m = mean.values(), d = deviation.values();
            std::vector<double> expected;
            for (std::size_t i = 0; i < of_x.size(); ++i) {
              const std::size_t c = i % channels;
              expected.push_back((of_x[i] / 255.0 - double{m[c]}) / double{d[c]});
              for (int more = p.c; c + 1 == channels && more < p.out_channels; ++more)
                expected.push_back(0);
            }
            return mismatch(y.read(), expected);
          }};
}

// The weights of one axis.
struct Axis {
  Array<std::int32_t> first, count, weights;
  std::int64_t stride;

  Axis(Arrays& arrays, int in, int out) {
    const data::detail::PillowWeights made(in, out, data::PillowFilter::bilinear);
    const auto pass = made.pass();
    const auto copy = [&](const std::int32_t* from, std::int64_t n) {
      return arrays.constant(std::vector<std::int32_t>(from, from + n));
    };
    stride = pass.stride;
    first = copy(pass.first, out);
    count = copy(pass.count, out);
    weights = copy(pass.weights, out * stride);
  }
  kernels::ResizeAxis at(int set) const {
    return {first.at(set), count.at(set), weights.at(set), stride};
  }
};

// Resizes along one axis: `outer` lines of samples that are `inner` elements apart.
std::vector<int> resized(const std::vector<int>& x, const Axis& axis, int in, int inner) {
  const auto first = axis.first.values(), count = axis.count.values(),
             weights = axis.weights.values();
  const std::size_t line = static_cast<std::size_t>(in) * static_cast<std::size_t>(inner);
  std::vector<int> y;
  for (std::size_t outer = 0; outer < x.size(); outer += line)
    for (std::size_t i = 0; i < first.size(); ++i)
      for (std::size_t k = 0; k < static_cast<std::size_t>(inner); ++k) {
        std::int64_t sum = 1 << 21;
        for (std::size_t t = 0; t < static_cast<std::size_t>(count[i]); ++t) {
          const std::size_t at = static_cast<std::size_t>(first[i]) + t;
          sum += std::int64_t{weights[i * static_cast<std::size_t>(axis.stride) + t]} *
                 x[outer + at * static_cast<std::size_t>(inner) + k];
        }
        y.push_back(static_cast<int>(std::clamp<std::int64_t>(sum >> 22, 0, 255)));
      }
  return y;
}

Work resize(Arrays& arrays, const ResizePillowParams& p) {
  const auto x = arrays.input<std::uint8_t>(std::int64_t{p.n} * p.h * p.w * p.c, 0, 256);
  const auto y = arrays.output<std::uint8_t>(std::int64_t{p.n} * p.out_h * p.out_w * p.c);
  const Axis across(arrays, p.w, p.out_w), down(arrays, p.h, p.out_h);
  return {[=](const Cuda& device, int set) {
            kernels::resize_pillow(device, y.at(set), x.at(set), across.at(set), down.at(set), p);
          },
          [=] {
            const auto of_x = x.values();
            const auto between = resized({of_x.begin(), of_x.end()}, across, p.w, p.c);
            const auto expected = resized(between, down, p.h, p.out_w * p.c);
            const auto got = y.read();
            return mismatch(std::vector<float>(got.begin(), got.end()),
                            {expected.begin(), expected.end()});
          }};
}

template <Storage T>
void add_normalize(int out_channels, int batch) {
  const kernels::NormalizeImageParams full{batch, 224, 224, channels, out_channels},
      reduced{2, 9, 11, channels, out_channels};
  const double pixels = 224.0 * 224 * batch;
  cases().push_back(
      {.name = case_name("normalize_image", str("224x224x3to", out_channels), dtype_name<T>, batch),
       .cost = {pixels * (channels + static_cast<double>(sizeof(T)) * out_channels),
                2 * pixels * channels},
       .quick = is_quick<T>(batch, true),
       .make = [=](Arrays& arrays) { return normalize<T>(arrays, full); },
       .reduced = [=](Arrays& arrays) { return normalize<T>(arrays, reduced); }});
}

void add_resize(int w, int h, int batch) {
  const ResizePillowParams full{batch, h, w, channels, 224, 224},
      reduced{2, h / 4, w / 4, channels, 56, 56};
  const auto taps = [](int in) { return std::max(2.0, 2.0 * in / 224); };  // of one output
  cases().push_back({.name = case_name("resize_pillow", str(w, 'x', h, "to224x224"), "u8", batch),
                     .cost = {double(channels) * batch * (double(w) * h + 224.0 * 224),
                              2.0 * channels * batch * 224 * (taps(w) * h + taps(h) * 224)},
                     .quick = batch == 64 || batch == 1,
                     .make = [=](Arrays& arrays) { return resize(arrays, full); },
                     .reduced = [=](Arrays& arrays) { return resize(arrays, reduced); }});
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const int batch : batches) {
      add_normalize<T>(3, batch);
      add_normalize<T>(8, batch);
    }
  });
  for (const int batch : batches) {
    add_resize(500, 375, batch);
    add_resize(112, 112, batch);
  }
  return true;
}();

}  // namespace
}  // namespace mien::bench
