#pragma once
// Host side of per-image channel arithmetic: x (images, pixels, c) with numbers (images, c).
// Global pooling and squeeze-excite. Sums are taken over pieces of pixels whose size depends on the
// shape alone and are combined in order, so the bits do not depend on the number of threads.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mien/core/device.hpp>
#include <mien/core/dtype.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/streaming.hpp>
#include <mien/cpu/vectors.hpp>

#define MIEN_KERNEL_FILE <mien/cpu/channels.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// Rows of c channels that a thread takes at once: 128 KiB of floats stay in its second-level cache,
// and a plain sum of at most 1024 rows rounds little.
inline std::int64_t channel_rows(std::int64_t c) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 15) / std::max<std::int64_t>(c, 1), 1, 1024);
}

struct ChannelParams {
  std::int64_t images, pixels, c;

  std::int64_t piece() const { return channel_rows(c); }
  std::int64_t pieces() const { return (pixels + piece() - 1) / piece(); }

  // Calls f(image, first pixel, pixels) for every piece, on several threads.
  template <class F>
  void each_piece(F&& f) const {
    parallel_for(images * pieces(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i % pieces() * piece();
        f(i / pieces(), first, std::min(piece(), pixels - first));
      }
    });
  }
};

namespace detail {
// out (images, c) = factor * sum of what body(C* sums, image, first pixel, pixels) finds in each
// piece.
template <class C, class U, class Body>
void sum_pieces(U* out, double factor, const ChannelParams& p, Body&& body) {
  const std::int64_t pieces = p.pieces();
  std::vector<C> parts(static_cast<std::size_t>(p.images * pieces * p.c));
  p.each_piece([&](std::int64_t image, std::int64_t first, std::int64_t count) {
    body(parts.data() + (image * pieces + first / p.piece()) * p.c, image, first, count);
  });
  for (std::int64_t image = 0; image < p.images; ++image)
    for (std::int64_t j = 0; j < p.c; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < pieces; ++i)
        sum += parts[static_cast<std::size_t>((image * pieces + i) * p.c + j)];
      out[image * p.c + j] = static_cast<U>(static_cast<C>(sum * factor));
    }
}
}  // namespace detail

// means (images, c) of x over pixels, as T or Compute<T>.
template <class T, class U>
void channel_means(Cpu, U* means, const T* x, const ChannelParams& p) {
  const auto kernel = MIEN_ISA_PICK(channel_sums_rows<T>);
  detail::sum_pieces<Compute<T>>(means, 1.0 / static_cast<double>(p.pixels), p,
                                 [&](auto* part, auto image, auto first, auto count) {
                                   kernel(part, x + (image * p.pixels + first) * p.c, count, p.c);
                                 });
}

// dots (images, c) = sum over pixels of x * y.
template <class T>
void channel_dots(Cpu, Compute<T>* dots, const T* x, const T* y, const ChannelParams& p) {
  const auto kernel = MIEN_ISA_PICK(channel_dots_rows<T>);
  detail::sum_pieces<Compute<T>>(dots, 1, p, [&](auto* part, auto image, auto first, auto count) {
    const std::int64_t at = (image * p.pixels + first) * p.c;
    kernel(part, x + at, y + at, count, p.c);
  });
}

// y = x * scale + shift; scale, shift (images, c), a null shift is 0. y may be x.
template <class T>
void channel_scale(Cpu, T* y, const T* x, const Compute<T>* scale, const Compute<T>* shift,
                   const ChannelParams& p) {
  const auto kernel = MIEN_ISA_PICK(channel_scale_rows<T>);
  const bool streaming = worth_streaming(y, p.images * p.pixels, p.c);
  p.each_piece([&](std::int64_t image, std::int64_t first, std::int64_t count) {
    const std::int64_t at = (image * p.pixels + first) * p.c, k = image * p.c;
    kernel(y + at, x + at, scale + k, shift == nullptr ? nullptr : shift + k, count, p.c,
           streaming);
    if (streaming) end_streaming();
  });
}

// y = factor * value of the channel, values (images, c).
template <class T>
void channel_fill(Cpu, T* y, const T* values, Compute<T> factor, const ChannelParams& p) {
  p.each_piece([&](std::int64_t image, std::int64_t first, std::int64_t count) {
    T* row = y + (image * p.pixels + first) * p.c;
    for (std::int64_t j = 0; j < p.c; ++j)
      row[j] = static_cast<T>(factor * static_cast<Compute<T>>(values[image * p.c + j]));
    for (std::int64_t i = 1; i < count; ++i) std::copy_n(row, p.c, row + i * p.c);
  });
}

}  // namespace mien::kernels
