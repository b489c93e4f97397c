#pragma once
// A stand-in for a super-resolution network, cheap and of known receptive field: mixes channels,
// blurs 3 x 3, adds the mean of every 2 x 2 pixels for scale 2 (of 4 x 4 for scale 1, nothing for
// others), stretches beyond [0, 1] and enlarges by repetition. The same as in
// tests/golden/infer/make_upscale.py; computed in double, so that both give the same floats.

#include <mien/infer/upscaler.hpp>

namespace mien::test {

namespace detail {

// The 3 x 3 blur of the mixed channels; zeros lie outside.
inline void mix_and_blur(double* out, const Tensor<float>& x, std::int64_t y, std::int64_t at) {
  constexpr double mix[3][3] = {{0.8, 0.1, 0.1}, {0.0, 0.9, 0.1}, {0.2, 0.1, 0.7}};
  constexpr double blur[3] = {0.25, 0.5, 0.25};
  const std::int64_t h = x.dim(1), w = x.dim(2);
  for (int o = 0; o < 3; ++o) out[o] = 0;
  for (std::int64_t i = std::max<std::int64_t>(y - 1, 0); i <= std::min(y + 1, h - 1); ++i)
    for (std::int64_t j = std::max<std::int64_t>(at - 1, 0); j <= std::min(at + 1, w - 1); ++j)
      for (int o = 0; o < 3; ++o)
        for (int c = 0; c < 3; ++c)
          out[o] += x.data()[(i * w + j) * 3 + c] * mix[o][c] * blur[i - y + 1] * blur[j - at + 1];
}

inline void add_block_mean(double* out, const Tensor<float>& x, std::int64_t y, std::int64_t at,
                           std::int64_t block) {
  const std::int64_t w = x.dim(2), top = y / block * block, left = at / block * block;
  for (int c = 0; c < 3; ++c) {
    double sum = 0;
    for (std::int64_t i = top; i < top + block; ++i)
      for (std::int64_t j = left; j < left + block; ++j) sum += x.data()[(i * w + j) * 3 + c];
    out[c] += 0.25 * sum / static_cast<double>(block * block);
  }
}

}  // namespace detail

inline Tensor<float> small_network_forward(const Tensor<float>& x, std::int64_t scale) {
  const std::int64_t h = x.dim(1), w = x.dim(2), block = scale == 1 ? 4 : scale == 2 ? 2 : 1;
  check(h % block == 0 && w % block == 0, "small_network", "expected sides divisible by ", block,
        ", got ", x.shape());
  Tensor<float> out({1, h * scale, w * scale, 3});
  float* p = out.mutable_data();
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t at = 0; at < w; ++at) {
      double pixel[3];
      detail::mix_and_blur(pixel, x, y, at);
      if (block > 1) detail::add_block_mean(pixel, x, y, at, block);
      for (std::int64_t i = y * scale; i < (y + 1) * scale; ++i)
        for (std::int64_t j = at * scale; j < (at + 1) * scale; ++j)
          for (int c = 0; c < 3; ++c)
            p[(i * w * scale + j) * 3 + c] = static_cast<float>(1.5 * pixel[c] - 0.25);
    }
  return out;
}

inline infer::SuperResolutionNetwork small_network(std::int64_t scale = 4) {
  return {.forward = [scale](const Tensor<float>& x) { return small_network_forward(x, scale); },
          .scale = scale,
          .receptive_radius = scale == 1   ? 4
                              : scale == 2 ? 2
                                           : 1};
}

}  // namespace mien::test
