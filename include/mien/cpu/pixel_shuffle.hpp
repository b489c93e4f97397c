#pragma once
// Channels to space and back: deep (n, h, w, c * r * r), flat (n, h * r, w * r, c),
//   flat[n, y * r + dy, x * r + dx, k] = deep[n, y, x, k * r * r + dy * r + dx].
// Elements are moved, not computed with: one body for every instruction set.

#include <algorithm>
#include <cstdint>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>

namespace mien::kernels {

struct PixelShuffleParams {
  std::int64_t n, h, w, c, factor;  // h, w of deep, c of flat

  // Calls move(offset in flat, offset in deep) for the c elements that go together: flat's are
  // adjacent, deep's factor * factor apart.
  template <class Move>
  void each_group(Move&& move) const {
    const std::int64_t r = factor, deep_row = w * c * r * r;
    parallel_for(n * h * r, (std::int64_t{1} << 14) / std::max<std::int64_t>(1, w * c * r),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t row = begin; row < end; ++row)
                     for (std::int64_t x = 0; x < w * r; ++x)
                       move((row * w * r + x) * c,
                            row / r * deep_row + x / r * c * r * r + row % r * r + x % r);
                 });
  }
};

template <class T>
void pixel_shuffle(Cpu, T* flat, const T* deep, const PixelShuffleParams& p) {
  const std::int64_t step = p.factor * p.factor;
  p.each_group([&](std::int64_t to, std::int64_t from) {
    for (std::int64_t k = 0; k < p.c; ++k) flat[to + k] = deep[from + k * step];
  });
}

template <class T>
void pixel_unshuffle(Cpu, T* deep, const T* flat, const PixelShuffleParams& p) {
  const std::int64_t step = p.factor * p.factor;
  p.each_group([&](std::int64_t from, std::int64_t to) {
    for (std::int64_t k = 0; k < p.c; ++k) deep[to + k * step] = flat[from + k];
  });
}

}  // namespace mien::kernels
