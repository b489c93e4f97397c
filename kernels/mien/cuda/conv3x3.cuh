#pragma once
// The kernels of conv3x3.hpp.

#include <mien/cuda/conv3x3.hpp>
#include <mien/cuda/copy_async.hpp>
#include <mien/cuda/mma.hpp>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// A block has 4 R rows of 16 pixels of y, one warp R of them, and 8 Tiles channels. K is the taps
// along one side: 3, or 2 for a phase of an enlarged image. Slabs of input channels pass through
// `stages` stages of shared memory, each with the slab's pixels, border included, and weights.

namespace conv {

inline constexpr int warps = 4, threads = warps * dev::warp_size;
inline constexpr int tile_w = 16;  // pixels in a row: the rows of an mma
inline constexpr int slab_bytes = 32;
inline constexpr int stages = 3;  // two are on their way while one is in use
// Rows of a warp: of a tall tile (float's fragments, each in two parts, leave registers for four),
// and of a low one, where tall ones would leave SMs without a block.
template <class T>
inline constexpr int tall = sizeof(T) == 4 ? 4 : 8;
inline constexpr int low = 2;

template <int K, int R, int Tiles>
struct Stage {
  static constexpr int rows = warps * R + K - 1, columns = tile_w + K - 1;
  static constexpr int row_bytes = columns * slab_bytes;
  static constexpr int fragment_bytes = dev::warp_size * 8;  // of b
  static constexpr int x_bytes = rows * row_bytes;
  static constexpr int bytes = x_bytes + K * K * Tiles * fragment_bytes;

  // Where a pixel's half slab lies in its row: halves swap after every fourth pixel, so that those
  // of eight neighbours, which a matrix load takes at once, lie in different banks.
  static MIEN_DEV int place(int column, int half) {
    return column * slab_bytes + (half ^ (column >> 2 & 1)) * 16;
  }
};

// Which part of the result this block has.
struct Place {
  int block, phase_row, phase_column, row, column;
  std::int64_t image;

  MIEN_DEV Place(const Conv3x3Params& p, const Conv3x3Layout& l, int tile_h) {
    unsigned rest = blockIdx.x;
    const auto digit = [&rest](unsigned base) {
      const auto value = static_cast<int>(rest % base);
      rest /= base;
      return value;
    };
    block = digit(static_cast<unsigned>(l.blocks));  // neighbours read the same pixels
    const int phase = digit(static_cast<unsigned>(l.phases));
    phase_row = phase / 2, phase_column = phase % 2;
    column = digit(ceil_div(p.w, tile_w)) * tile_w;
    row = digit(ceil_div(p.h, tile_h)) * tile_h;
    image = rest;
  }
};

// Brings slabs of x and of the weights to shared memory. A thread has one half of a pixel's slab in
// every `rows_at_once`-th row.
template <int K, int R, int Tiles, class T>
class Loader {
 public:
  MIEN_DEV Loader(const T* x, const T* packed, const Conv3x3Params& p, const Conv3x3Layout& l,
                  const Place& at, bool wide)
      : p_(p), wide_(wide) {
    const int thread = static_cast<int>(threadIdx.x), halves = 2 * S::columns;
    half_ = thread % 2;
    const bool idle = thread >= rows_at_once * halves;
    first_row_ = idle ? S::rows : thread / halves;
    const int column = thread % halves / 2;
    place_ = S::place(column, half_);
    top_ = at.row - 1 + at.phase_row;
    const int x_column = at.column - 1 + at.phase_column + column;
    column_inside_ = x_column >= 0 && x_column < p.w;
    x_ = x + (at.image * p.h * p.w + (column_inside_ ? x_column : 0)) * p.x_stride;
    const int phase = at.phase_row * 2 + at.phase_column;
    packed_ = packed + std::int64_t{phase * l.blocks + at.block} * l.slabs * weights;
  }

  MIEN_DEV void operator()(unsigned char* stage, int slab) const {
    constexpr int width = pack_width<T>;
    const int channel = slab * dev::mma_k<T> + half_ * width;
    const bool there = column_inside_ && channel < p_.c_in;
    const auto each_row = [&](const auto& copy) {
      for (int row = first_row_; row < S::rows; row += rows_at_once) {
        const int x_row = top_ + row;
        const bool inside = there && x_row >= 0 && x_row < p_.h;
        copy(stage + row * S::row_bytes + place_,
             x_ + (inside ? std::int64_t{x_row} * p_.w * p_.x_stride + channel : 0), inside);
      }
    };
    if (wide_) {
      each_row([](unsigned char* to, const T* from, bool inside) {
        dev::copy_async<16>(to, from, inside);
      });
    } else {
      each_row([&](unsigned char* to, const T* from, bool inside) {
        Packed<T, width> pack;
        MIEN_UNROLL
        for (int i = 0; i < width; ++i) {
          pack.values[i] = T{};
          if (inside && channel + i < p_.c_in) pack.values[i] = from[i];
        }
        *reinterpret_cast<Packed<T, width>*>(to) = pack;
      });
    }
    const T* w = packed_ + std::int64_t{slab} * weights;
    for (int i = static_cast<int>(threadIdx.x) * width; i < weights; i += threads * width)
      dev::copy_async<16>(stage + S::x_bytes + i * static_cast<int>(sizeof(T)), w + i);
  }

 private:
  using S = Stage<K, R, Tiles>;
  static constexpr int rows_at_once = threads / (2 * S::columns);
  static constexpr int weights = (S::bytes - S::x_bytes) / static_cast<int>(sizeof(T));

  const Conv3x3Params& p_;
  bool wide_, column_inside_;
  int half_, first_row_, place_, top_;
  const T* x_;
  const T* packed_;
};

// A warp's sums for R rows of 16 pixels and 8 Tiles channels.
template <int R, int Tiles>
struct Sums {
  float at[R][Tiles][4];
};

// Adds one slab's products. Each fragment of a row of x goes to all rows of y that it belongs to.
template <class Mma, class T, int K, int R, int Tiles>
MIEN_DEV void add_slab(Sums<R, Tiles>& sums, const unsigned char* stage) {
  using S = Stage<K, R, Tiles>;
  const int lane = static_cast<int>(threadIdx.x) % dev::warp_size;
  const int warp = static_cast<int>(threadIdx.x) / dev::warp_size;
  const unsigned char* rows = stage + warp * R * S::row_bytes;
  const unsigned char* weights = stage + S::x_bytes + lane * 8;
  MIEN_UNROLL
  for (int v = 0; v < K; ++v) {
    unsigned b[K][Tiles][2];
    MIEN_UNROLL
    for (int u = 0; u < K; ++u) MIEN_UNROLL
    for (int i = 0; i < Tiles; ++i) {
      const auto words = *reinterpret_cast<const Packed<unsigned, 2>*>(
          weights + ((v * K + u) * Tiles + i) * S::fragment_bytes);
      b[u][i][0] = words.values[0];
      b[u][i][1] = words.values[1];
    }
    const unsigned char* row = rows + S::place(lane % 16 + v, lane / 16);
    MIEN_UNROLL
    for (int r = 0; r < R + K - 1; ++r) {
      unsigned a[4];
      Mma::load_rows(a, row + r * S::row_bytes);
      MIEN_UNROLL
      for (int u = 0; u < K; ++u) MIEN_UNROLL
      for (int i = 0; i < Tiles; ++i)
        if (r - u >= 0 && r - u < R) Mma::template multiply_add<T>(sums.at[r - u][i], a, b[u][i]);
    }
  }
}

// N channels of a pixel, of which `count` are there.
template <int N, class T>
MIEN_DEV dev::Floats<N> load_channels(const T* from, int count, bool wide) {
  constexpr int width = N < pack_width<T> ? N : pack_width<T>;
  dev::Floats<N> to = {};
  MIEN_UNROLL
  for (int i = 0; i < N; i += width) {
    dev::Floats<width> part = {};
    if (wide) {
      if (i < count) part = dev::load<width>(from + i);
    } else {
      MIEN_UNROLL
      for (int k = 0; k < width; ++k)
        if (i + k < count) part[k] = dev::to_float(from[i + k]);
    }
    MIEN_UNROLL
    for (int k = 0; k < width; ++k) to[i + k] = part[k];
  }
  return to;
}

template <int N, class T>
MIEN_DEV void store_channels(T* to, const dev::Floats<N>& from, int count, bool wide) {
  constexpr int width = N < pack_width<T> ? N : pack_width<T>;
  MIEN_UNROLL
  for (int i = 0; i < N; i += width) {
    dev::Floats<width> part;
    MIEN_UNROLL
    for (int k = 0; k < width; ++k) part[k] = from[i + k];
    if (wide) {
      if (i < count) dev::store(to + i, part);
    } else {
      MIEN_UNROLL
      for (int k = 0; k < width; ++k)
        if (i + k < count) dev::from_float(to[i + k], part[k]);
    }
  }
}

// The epilogue, and y. A lane has 2 Tiles neighbouring channels of two pixels in each row.
template <class T, int R, int Tiles>
MIEN_DEV void store(T* y, const Sums<R, Tiles>& sums, const Conv3x3Params& p,
                    const Conv3x3Epilogue<T>& e, const Place& at, bool wide) {
  constexpr int width = 2 * Tiles;
  const int lane = static_cast<int>(threadIdx.x) % dev::warp_size;
  const int warp = static_cast<int>(threadIdx.x) / dev::warp_size;
  const int channel = at.block * 8 * Tiles + lane % 4 * width, count = p.out_c - channel;
  if (count <= 0) return;
  dev::Floats<width> bias = {}, slope;
  MIEN_UNROLL
  for (int k = 0; k < width; ++k) {
    if (e.bias != nullptr && k < count) bias[k] = dev::ldg(e.bias + channel + k);
    slope[k] = e.slopes != nullptr && k < count ? dev::ldg(e.slopes + channel + k) : e.slope;
  }
  const int scale = p.upsample ? 2 : 1;
  MIEN_UNROLL
  for (int r = 0; r < R; ++r) MIEN_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int row = at.row + warp * R + r, column = at.column + lane / 4 + 8 * half;
    if (row >= p.h || column >= p.w) continue;
    const std::int64_t pixel = (at.image * scale * p.h + scale * row + at.phase_row) * scale * p.w +
                               scale * column + at.phase_column;
    dev::Floats<width> v;
    MIEN_UNROLL
    for (int k = 0; k < width; ++k) {
      v[k] = sums.at[r][k / 2][2 * half + k % 2] + bias[k];
      v[k] = v[k] > 0.0f ? v[k] : slope[k] * v[k];
    }
    MIEN_UNROLL
    for (int i = 0; i < 2; ++i) {
      const auto& residual = i == 0 ? e.residual : e.outer_residual;
      if (residual.x == nullptr) continue;
      const auto add =
          load_channels<width>(residual.x + pixel * residual.stride + channel, count, wide);
      MIEN_UNROLL
      for (int k = 0; k < width; ++k) v[k] = fmaf(residual.scale, v[k], add[k]);
    }
    store_channels(y + pixel * p.y_stride + channel, v, count, wide);
  }
}

}  // namespace conv

template <class Mma, int K, int R, int Tiles, class T>
MIEN_KERNEL(conv::threads, 2)
void conv3x3_kernel(T* y, const T* x, const T* packed, Conv3x3Params p, Conv3x3Layout l,
                    Conv3x3Epilogue<T> e, bool x_wide, bool y_wide) {
  using namespace conv;
  constexpr int bytes = Stage<K, R, Tiles>::bytes;
  MIEN_DYN_SHARED(unsigned char, shared);
  const Place at(p, l, warps * R);
  const Loader<K, R, Tiles, T> load(x, packed, p, l, at, x_wide);
  for (int i = 0; i < stages - 1; ++i) {
    if (i < l.slabs) load(shared + i * bytes, i);
    dev::commit_copies();
  }
  Sums<R, Tiles> sums = {};
  const bool active = at.row + static_cast<int>(threadIdx.x) / dev::warp_size * R < p.h;
  int stage = 0, next_stage = stages - 1;
  for (int slab = 0; slab < l.slabs; ++slab) {
    dev::wait_copies<stages - 2>();
    __syncthreads();  // the slab is there for all, and the stage before it is free
    if (slab + stages - 1 < l.slabs) load(shared + next_stage * bytes, slab + stages - 1);
    dev::commit_copies();
    if (active) add_slab<Mma, T, K>(sums, shared + stage * bytes);
    stage = stage + 1 == stages ? 0 : stage + 1;
    next_stage = next_stage + 1 == stages ? 0 : next_stage + 1;
  }
  if (active) store(y, sums, p, e, at, y_wide);
}

// One packed element a thread.
template <class T>
MIEN_KERNEL(pack_threads)
void pack_conv3x3_kernel(T* packed, const float* w, Conv3x3Params p, Conv3x3Layout l) {
  const std::int64_t i = std::int64_t{blockIdx.x} * pack_threads + threadIdx.x;
  if (i >= l.size()) return;
  std::int64_t rest = i;
  const auto digit = [&rest](int base) {
    const auto value = static_cast<int>(rest % base);
    rest /= base;
    return value;
  };
  constexpr int word = 4 / static_cast<int>(sizeof(T));
  const int in_word = digit(word), half = digit(2), t = digit(4), g = digit(8);
  const int tile = digit(l.tiles), row = digit(l.taps), column = digit(l.taps);
  const int slab = digit(l.slabs), block = digit(l.blocks), phase = digit(l.phases);
  const int c = slab * l.slab + (half * 4 + t) * word + in_word, o = l.channel(block, tile, g);
  float sum = 0;
  if (c < p.c_in && o < p.out_c) {
    // The taps of the 3x3 that fall on this one: of two, the first takes 1 + phase of them.
    const auto first = [&](int tap, int side) { return l.taps == 3 ? tap : tap * (1 + side); };
    const auto end = [&](int tap, int side) {
      return l.taps == 3 ? tap + 1 : tap == 0 ? 1 + side : 3;
    };
    const float* taps = w + (std::int64_t{o} * p.c_in + c) * 9;
    for (int u = first(row, phase / 2); u < end(row, phase / 2); ++u)
      for (int v = first(column, phase % 2); v < end(column, phase % 2); ++v)
        sum += taps[u * 3 + v];
  }
  dev::from_float(packed[i], sum);
}

namespace conv {

inline void check_params(const char* op, const Conv3x3Params& p) {
  check(p.c_in >= 1 && p.out_c >= 1, op, "expected channels to read and to write, got ", p.c_in,
        " and ", p.out_c);
}

template <class T>
void check_params(const Conv3x3Params& p, const T* packed, const Conv3x3Epilogue<T>& e) {
  check_params("conv3x3", p);
  check(p.x_stride >= p.c_in, "conv3x3", "expected pixels of x of ", p.c_in,
        " channels or more, got ", p.x_stride);
  check(p.y_stride >= p.out_c, "conv3x3", "expected pixels of y of ", p.out_c,
        " channels or more, got ", p.y_stride);
  const Conv3x3Residual<T> residuals[] = {e.residual, e.outer_residual};
  for (const auto& residual : residuals)
    check(residual.x == nullptr || residual.stride >= p.out_c, "conv3x3",
          "expected pixels of a residual of ", p.out_c, " channels or more, got ", residual.stride);
  check(pack_aligned(packed), "conv3x3", "expected packed weights aligned to 16 bytes");
}

// Whether pixels `stride` elements apart can be accessed in packs of `width`, for c channels.
template <class T>
bool in_packs(const T* image, int c, int stride, int width) {
  return c % width == 0 && stride % width == 0 &&
         aligned(static_cast<std::size_t>(width) * sizeof(T), image);
}

template <class Mma, int K, int R, int Tiles, class T>
void launch(Cuda device, T* y, const T* x, const T* packed, const Conv3x3Params& p,
            const Conv3x3Epilogue<T>& e) {
  const auto l = Conv3x3Layout::of<T>(p);
  constexpr int width = 2 * Tiles < pack_width<T> ? 2 * Tiles : pack_width<T>;
  bool y_wide = in_packs(y, p.out_c, p.y_stride, width);
  const Conv3x3Residual<T> residuals[] = {e.residual, e.outer_residual};
  for (const auto& residual : residuals)
    y_wide =
        y_wide && (residual.x == nullptr || in_packs(residual.x, p.out_c, residual.stride, width));
  const unsigned tiles = ceil_div(p.w, tile_w) * ceil_div(p.h, warps * R);
  cuda::launch(conv3x3_kernel<Mma, K, R, Tiles, T>,
               {.grid = static_cast<unsigned>(l.blocks * l.phases * p.n) * tiles,
                .block = threads,
                .dynamic_shared_bytes = std::size_t{stages} * Stage<K, R, Tiles>::bytes,
                .stream = device.stream},
               y, x, packed, p, l, e, in_packs(x, p.c_in, p.x_stride, pack_width<T>), y_wide);
}

}  // namespace conv

template <Storage T>
void pack_conv3x3(Cuda device, T* packed, const float* w, const Conv3x3Params& p) {
  conv::check_params("pack_conv3x3", p);
  const auto l = Conv3x3Layout::of<T>(p);
  cuda::launch(pack_conv3x3_kernel<T>, packs_shape(l.size(), 1, device.stream), packed, w, p, l);
}

template <Storage T>
void conv3x3(Cuda device, T* y, const T* x, const T* packed, const Conv3x3Params& p,
             const Conv3x3Epilogue<T>& e) {
  conv::check_params(p, packed, e);
  if (std::int64_t{p.n} * p.h * p.w == 0) return;
  const auto l = Conv3x3Layout::of<T>(p);
  const auto with_taps = [&](auto k) {
    using Mma = dev::DeviceMma;
    const std::int64_t blocks = std::int64_t{ceil_div(p.w, conv::tile_w)} *
                                ceil_div(p.h, conv::warps * conv::tall<T>) * l.blocks * l.phases *
                                p.n;
    if (l.tiles == 1)
      conv::launch<Mma, k, conv::low, 1>(device, y, x, packed, p, e);
    else if (blocks >= large_gpu_sms)
      conv::launch<Mma, k, conv::tall<T>, 4>(device, y, x, packed, p, e);
    else
      conv::launch<Mma, k, conv::low, 4>(device, y, x, packed, p, e);
  };
  if (p.upsample)
    with_taps(dev::Width<2>());
  else
    with_taps(dev::Width<3>());
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
