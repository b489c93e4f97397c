// SRVGGNetCompact's last step, 48 channels of 112x112 to an image of 448x448 with the enlarged
// input added, and the unshuffling ahead of RRDBNet for smaller scales.

#include <mien/cuda/pixel_shuffle.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using kernels::PixelShuffleParams;
using kernels::Storage;

// The place in the large image of channel k of pixel (i, j) of the small one.
std::size_t in_large(const PixelShuffleParams& p, int image, int i, int j, int k) {
  const int r = p.factor, row = i * r + k % (r * r) / r, column = j * r + k % r;
  return static_cast<std::size_t>(((std::int64_t{image} * p.h * r + row) * p.w * r + column) * p.c +
                                  k / (r * r));
}

// Calls f(element of small, element of large, element of base) for all elements.
template <class F>
void each(const PixelShuffleParams& p, const F& f) {
  const int wide = p.c * p.factor * p.factor;
  std::size_t small = 0;
  for (int image = 0; image < p.n; ++image)
    for (int i = 0; i < p.h; ++i)
      for (int j = 0; j < p.w; ++j)
        for (int k = 0; k < wide; ++k, ++small)
          f(small, in_large(p, image, i, j, k),
            small / static_cast<std::size_t>(wide) * static_cast<std::size_t>(p.c) +
                static_cast<std::size_t>(k / (p.factor * p.factor)));
}

std::int64_t count(const PixelShuffleParams& p) {
  return std::int64_t{p.n} * p.h * p.w * p.c * p.factor * p.factor;
}

template <Storage T>
Work shuffle(Arrays& arrays, const PixelShuffleParams& p) {
  const auto x = arrays.input<T>(count(p)), y = arrays.output<T>(count(p)),
             base = arrays.input<T>(count(p) / p.factor / p.factor);
  return {[=](const Cuda& device, int set) {
            kernels::pixel_shuffle(device, y.at(set), x.at(set), base.at(set), p);
          },
          [=] {
            const auto of_x = x.values(), of_base = base.values();
            std::vector<double> expected(of_x.size());
            each(p, [&](std::size_t small, std::size_t large, std::size_t b) {
              expected[large] = static_cast<double>(of_x[small]) + static_cast<double>(of_base[b]);
            });
            return mismatch(y.read(), expected);
          }};
}

template <Storage T>
Work unshuffle(Arrays& arrays, const PixelShuffleParams& p) {
  const auto x = arrays.input<T>(count(p)), y = arrays.output<T>(count(p));
  return {[=](const Cuda& device, int set) {
            kernels::pixel_unshuffle(device, y.at(set), x.at(set), p);
          },
          [=] {
            const auto of_x = x.values();
            std::vector<double> expected(of_x.size());
            each(p, [&](std::size_t small, std::size_t large, std::size_t) {
              expected[small] = static_cast<double>(of_x[large]);
            });
            return mismatch(y.read(), expected);
          }};
}

template <Storage T>
void add(int batch) {
  const auto add_pass = [&](const char* kernel, const PixelShuffleParams& p, double passes,
                            auto make) {
    PixelShuffleParams full = p, reduced = p;
    full.n = batch;
    reduced.h = reduced.w = 7;
    const std::string shape =
        str(p.h, 'x', p.w, 'x', p.c * p.factor * p.factor, '_', p.factor, 'x');
    cases().push_back({.name = case_name(kernel, shape, dtype_name<T>, batch),
                       .cost = {passes * static_cast<double>(count(full)) * sizeof(T), 0},
                       .quick = is_quick<T>(batch, true),
                       .make = [=](Arrays& arrays) { return make(arrays, full); },
                       .reduced = [=](Arrays& arrays) { return make(arrays, reduced); }});
  };
  add_pass("pixel_shuffle_add", {1, 112, 112, 3, 4}, 2 + 1.0 / 16, shuffle<T>);
  add_pass("pixel_unshuffle", {1, 112, 112, 3, 2}, 2, unshuffle<T>);
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const int batch : batches) add<T>(batch);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
