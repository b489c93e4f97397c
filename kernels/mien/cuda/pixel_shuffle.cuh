#pragma once
// The kernels of pixel_shuffle.hpp.

#include <algorithm>
#include <bit>

#include <mien/cuda/packed.hpp>
#include <mien/cuda/pixel_shuffle.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// A block has a piece of a row of the small image: its pixels lie one after another in the small
// image, and in R pieces of rows of the large one. In shared memory they lie pixel by pixel.

namespace shuffle {

inline constexpr int threads = 128;
inline constexpr int most_channels = 1024;  // of the small image, for pieces in shared memory
inline constexpr int least_pixels = 8, most_pixels = 256;

// Elements from one pixel to the next in shared memory: an odd number of words, so that neighbours
// lie in different banks.
template <class T>
MIEN_HD int pixel_stride(int channels) {
  constexpr int size = static_cast<int>(sizeof(T));
  return ((channels * size + 3) / 4 | 1) * 4 / size;
}

// Pixels of a piece: about one pack of N elements a thread in a row of the large image.
template <int R, int N>
int piece(int c) {
  const auto pixels = std::bit_floor(static_cast<unsigned>(threads * N / (R * c)));
  return std::clamp(static_cast<int>(pixels), least_pixels, most_pixels);
}

// This block's piece: `count` pixels from pixel `first` of a row of all images.
struct Piece {
  std::int64_t row;
  int first, count;

  MIEN_DEV Piece(int w, int pixels) {
    const int pieces = (w + pixels - 1) / pixels;
    row = blockIdx.x / static_cast<unsigned>(pieces);
    first = static_cast<int>(blockIdx.x % static_cast<unsigned>(pieces)) * pixels;
    count = w - first < pixels ? w - first : pixels;
  }
};

// Where N elements from element q of a row of the large piece lie: in shared memory, for dy = 0,
// and in the piece of the small image's size with c channels.
template <int R, int N>
struct Places {
  int tile[N], base[N];

  MIEN_DEV Places(int q, int c, int stride) {
    int column = q / c, k = q % c;
    MIEN_UNROLL
    for (int j = 0; j < N; ++j) {
      tile[j] = column / R * stride + k * R * R + column % R;
      base[j] = column / R * c + k;
      if (++k == c) {
        k = 0;
        ++column;
      }
    }
  }
};

// Copies elements [i, i + N) of a piece of pixels of `channels` channels, which lie together in
// `image`, into or out of shared memory, in words of it.
template <bool Into, int N, class T>
MIEN_DEV void copy_pixels(T* tile, T* image, int i, int channels, int stride) {
  constexpr int width = N * sizeof(T) < 4 ? N : 4 / static_cast<int>(sizeof(T));
  using Word = Packed<T, width>;
  struct alignas(sizeof(T) * N) Words {
    Word values[N / width];
  };
  auto& outside = *reinterpret_cast<Words*>(image + i);
  Words words;
  if constexpr (Into) words = outside;
  int pixel = i / channels, channel = i % channels;
  MIEN_UNROLL
  for (int j = 0; j < N / width; ++j) {
    auto& inside = *reinterpret_cast<Word*>(tile + pixel * stride + channel);
    if constexpr (Into)
      inside = words.values[j];
    else
      words.values[j] = inside;
    channel += width;
    if (channel == channels) {
      channel = 0;
      ++pixel;
    }
  }
  if constexpr (!Into) outside = words;
}

}  // namespace shuffle

template <int R, int N, class T>
MIEN_KERNEL(shuffle::threads)
void pixel_shuffle_kernel(T* large, const T* small, const T* base, PixelShuffleParams p,
                          int pixels) {
  using namespace shuffle;
  MIEN_DYN_SHARED(T, tile);
  const Piece piece(p.w, pixels);
  const int channels = p.c * R * R, stride = pixel_stride<T>(channels);
  const int thread = static_cast<int>(threadIdx.x) * N;
  T* from = const_cast<T*>(small) + (piece.row * p.w + piece.first) * channels;
  for (int i = thread; i < piece.count * channels; i += threads * N)
    copy_pixels<true, N>(tile, from, i, channels, stride);
  __syncthreads();
  const T* add = base + (piece.row * p.w + piece.first) * p.c;
  for (int q = thread; q < piece.count * R * p.c; q += threads * N) {
    const Places<R, N> at(q, p.c, stride);
    dev::Floats<N> added = {};
    if (base != nullptr) MIEN_UNROLL
    for (int j = 0; j < N; ++j) added[j] = dev::to_float(add[at.base[j]]);
    MIEN_UNROLL
    for (int dy = 0; dy < R; ++dy) {
      Packed<T, N> pack;
      MIEN_UNROLL
      for (int j = 0; j < N; ++j) {
        pack.values[j] = tile[at.tile[j] + dy * R];
        if (base != nullptr)
          dev::from_float(pack.values[j], dev::to_float(pack.values[j]) + added[j]);
      }
      T* row = large + ((piece.row * R + dy) * p.w + piece.first) * R * p.c;
      *reinterpret_cast<Packed<T, N>*>(row + q) = pack;
    }
  }
}

template <int R, int N, class T>
MIEN_KERNEL(shuffle::threads)
void pixel_unshuffle_kernel(T* small, const T* large, PixelShuffleParams p, int pixels) {
  using namespace shuffle;
  MIEN_DYN_SHARED(T, tile);
  const Piece piece(p.w, pixels);
  const int channels = p.c * R * R, stride = pixel_stride<T>(channels);
  const int thread = static_cast<int>(threadIdx.x) * N;
  for (int q = thread; q < piece.count * R * p.c; q += threads * N) {
    const Places<R, N> at(q, p.c, stride);
    Packed<T, N> packs[R];
    MIEN_UNROLL
    for (int dy = 0; dy < R; ++dy) {
      const T* row = large + ((piece.row * R + dy) * p.w + piece.first) * R * p.c;
      packs[dy] = *reinterpret_cast<const Packed<T, N>*>(row + q);
    }
    MIEN_UNROLL
    for (int dy = 0; dy < R; ++dy) MIEN_UNROLL
    for (int j = 0; j < N; ++j) tile[at.tile[j] + dy * R] = packs[dy].values[j];
  }
  __syncthreads();
  T* to = small + (piece.row * p.w + piece.first) * channels;
  for (int i = thread; i < piece.count * channels; i += threads * N)
    copy_pixels<false, N>(tile, to, i, channels, stride);
}

namespace shuffle {

// The readable reference, for any factor: one element of the destination a thread, in its order.
// f(element of the large image, of the small one, of an image of the small one's size with c
// channels).
template <bool LargeOrder, class F>
MIEN_DEV void for_each_element(const PixelShuffleParams& p, const F& f) {
  const std::int64_t r = p.factor, all = std::int64_t{p.n} * p.h * p.w * p.c * r * r;
  std::int64_t rest = std::int64_t{blockIdx.x} * pack_threads + threadIdx.x;
  if (rest >= all) return;
  const auto digit = [&rest](std::int64_t base) {
    const std::int64_t value = rest % base;
    rest /= base;
    return value;
  };
  std::int64_t k, dy, dx, j, row;  // row: of the small image, through all images
  if constexpr (LargeOrder)
    k = digit(p.c), dx = digit(r), j = digit(p.w), dy = digit(r), row = rest;
  else
    dx = digit(r), dy = digit(r), k = digit(p.c), j = digit(p.w), row = rest;
  const std::int64_t pixel = row * p.w + j;
  f((((row * r + dy) * p.w + j) * r + dx) * p.c + k, ((pixel * p.c + k) * r + dy) * r + dx,
    pixel * p.c + k);
}

}  // namespace shuffle

template <class T>
MIEN_KERNEL(pack_threads)
void pixel_shuffle_by_element_kernel(T* large, const T* small, const T* base,
                                     PixelShuffleParams p) {
  shuffle::for_each_element<true>(p, [&](auto to, auto from, auto pixel) {
    T value = small[from];
    if (base != nullptr) dev::from_float(value, dev::to_float(value) + dev::to_float(base[pixel]));
    large[to] = value;
  });
}

template <class T>
MIEN_KERNEL(pack_threads)
void pixel_unshuffle_by_element_kernel(T* small, const T* large, PixelShuffleParams p) {
  shuffle::for_each_element<false>(p, [&](auto from, auto to, auto) { small[to] = large[from]; });
}

namespace shuffle {

// The launch of a kernel with pieces of so many pixels.
template <class T>
cuda::LaunchShape pieces_shape(const PixelShuffleParams& p, int pixels, cuda::Stream stream) {
  const int stride = pixel_stride<T>(p.c * p.factor * p.factor);
  return {.grid = static_cast<unsigned>(p.n) * static_cast<unsigned>(p.h) * ceil_div(p.w, pixels),
          .block = threads,
          .dynamic_shared_bytes =
              static_cast<std::size_t>(pixels) * static_cast<std::size_t>(stride) * sizeof(T),
          .stream = stream};
}

// Calls f(launch shape, R, N, pixels of a piece) with the factor and the widest accesses that rows
// of the large image allow, or by_element(launch shape) for factors without tiles.
template <class T, class F, class G>
void with_tile(Cuda device, const char* op, const PixelShuffleParams& p, const T* large,
               const T* small, const F& f, const G& by_element) {
  check(p.factor >= 1, op, "expected a factor of at least 1, got ", p.factor);
  const std::int64_t channels = std::int64_t{p.c} * p.factor * p.factor;
  const std::int64_t all = std::int64_t{p.n} * p.h * p.w * channels;
  if (all == 0) return;
  const auto with_pieces = [&](auto r, auto n) {
    const int pixels = piece<r, n>(p.c);
    f(pieces_shape<T>(p, pixels, device.stream), r, n, pixels);
  };
  const auto with_factor = [&](auto r) {
    const std::int64_t row = std::int64_t{p.w} * r * p.c;
    constexpr int pack = pack_width<T>;
    if (row % pack == 0 && aligned(16, large, small)) return with_pieces(r, dev::Width<pack>());
    if (row % (pack / 2) == 0 && aligned(8, large, small))
      return with_pieces(r, dev::Width<pack / 2>());
    with_pieces(r, dev::Width<1>());
  };
  const bool tiled = channels <= most_channels;
  if (p.factor == 2 && tiled) return with_factor(dev::Width<2>());
  if (p.factor == 4 && tiled) return with_factor(dev::Width<4>());
  by_element(packs_shape(all, 1, device.stream));
}

}  // namespace shuffle

template <Storage T>
void pixel_shuffle(Cuda device, T* large, const T* small, const T* base,
                   const PixelShuffleParams& p) {
  shuffle::with_tile(
      device, "pixel_shuffle", p, large, small,
      [&](const cuda::LaunchShape& shape, auto r, auto n, int pixels) {
        cuda::launch(pixel_shuffle_kernel<r, n, T>, shape, large, small, base, p, pixels);
      },
      [&](const cuda::LaunchShape& shape) {
        cuda::launch(pixel_shuffle_by_element_kernel<T>, shape, large, small, base, p);
      });
}

template <Storage T>
void pixel_unshuffle(Cuda device, T* small, const T* large, const PixelShuffleParams& p) {
  shuffle::with_tile(
      device, "pixel_unshuffle", p, large, small,
      [&](const cuda::LaunchShape& shape, auto r, auto n, int pixels) {
        cuda::launch(pixel_unshuffle_kernel<r, n, T>, shape, small, large, p, pixels);
      },
      [&](const cuda::LaunchShape& shape) {
        cuda::launch(pixel_unshuffle_by_element_kernel<T>, shape, small, large, p);
      });
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
