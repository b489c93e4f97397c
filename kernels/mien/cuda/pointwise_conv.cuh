#pragma once
// The kernel of pointwise_conv.hpp: tiles of the product out of shared memory, whose pieces come by
// asynchronous copies in stages of 128 bytes of k.
//
// These products are bound by memory, so everything here is there to have much of it under way: all
// stages are asked for before the first is waited for, results leave in whole accesses of 16 bytes,
// and nothing in the epilogue waits for a load. The tile's columns are dealt to the rows of w in
// such an order that every thread gets eight neighbours (WarpTile::each_octet).

#include <algorithm>

#include <mien/cuda/pointwise_conv.hpp>
#include <mien/cuda/warp_tile.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace pointwise {

// How a block of warps divides its product: WarpsM of them take rows below each other, WarpsK steps
// of k in turn; each has 16 M rows and 8 N columns.
template <int WarpsM_, int WarpsK_, int M_, int N_, int Stages>
struct Shape {
  static constexpr int WarpsM = WarpsM_, WarpsK = WarpsK_, M = M_, N = N_;
  static constexpr int warps = WarpsM * WarpsK, threads = warps * dev::warp_size;
  static constexpr int rows = 16 * M * WarpsM, columns = 8 * N, stages = Stages;
  static constexpr int resident = 3;  // blocks of an SM, at least
};
using Wide = Shape<4, 1, 2, 8, 3>;    // 128 x 64
using Narrow = Shape<4, 1, 2, 4, 3>;  // 128 x 32
using Small = Shape<1, 4, 1, 4, 8>;   // 16 x 32, for those that fill no GPU otherwise

// Elements of k in a stage, and the distance of rows there.
template <class T>
inline constexpr int stage_k = 128 / static_cast<int>(sizeof(T));
template <class T>
inline constexpr int pitch = stage_k<T> + pack_width<T>;

// How a launch divides its work. A block has a tile's rows and `tiles` tiles of columns in turn; x
// is fetched once where all of its k fits into the stages, and there is one tile otherwise.
struct Division {
  int chunks;   // stages that k fills
  int x_slots;  // of x in shared memory
  int ahead;    // stages fetched before the first is waited for; no constant, as nvcc would unroll
  int tiles;    // of columns, for a block
  int across;   // blocks beside each other
  int images;   // that a tile's rows can belong to, where x is scaled
  int x_bytes;  // of a slot of x, with the scales of its images
  int all_bytes;  // of shared memory
};

// Shared memory: slots of x with the scales of its images, then slots of w.
template <class S, class T>
struct Memory {
  static constexpr int x_elements = S::rows * pitch<T>, w_elements = S::columns * pitch<T>;
  unsigned char* start;
  const Division& d;

  MIEN_DEV T* x(int slot) const { return reinterpret_cast<T*>(start + slot * d.x_bytes); }
  MIEN_DEV float* scale(int slot) const { return reinterpret_cast<float*>(x(slot) + x_elements); }
  MIEN_DEV T* w(int slot) const {
    return reinterpret_cast<T*>(start + d.x_slots * d.x_bytes) + slot * w_elements;
  }
};

// Brings 16 bytes: the elements from `from` on, zeros from the one numbered `valid` on.
template <bool Aligned, class Cached, class U>
MIEN_DEV void fetch_pack(U* to, const U* from, int valid) {
  if constexpr (Aligned) {
    dev::copy_async<16, Cached>(to, from, valid > 0);
  } else {
    for (int j = 0; j < pack_width<U>; ++j) {
      if (j < valid)
        to[j] = from[j];
      else
        dev::from_float(to[j], 0.0f);
    }
  }
}

// Brings the rows of a slot as far as the product reads them: row r is row_of(r) of the `count`
// that begin at `from`, of c elements each; others are zeros. Offsets are of 32 bits, which saves
// most of the instructions.
template <bool Aligned, class Cached, int Threads, int Rows, class T, class RowOf>
MIEN_DEV void fetch_rows(T* slot, const T* from, int c, int count, int valid, const RowOf& row_of) {
  constexpr int packs = stage_k<T> / pack_width<T>, apart = Threads / packs;
  static_assert(Rows % apart == 0);
  const int thread = static_cast<int>(dev::thread_of_block());
  const int row = thread / packs, element = thread % packs * pack_width<T>;
  if (element >= padded_k<T>(valid)) return;
  T* const to = slot + row * pitch<T> + element;
  MIEN_UNROLL
  for (int begin = 0; begin < Rows; begin += apart) {
    const int r = row_of(row + begin);
    const unsigned bytes = static_cast<unsigned>(r * c + element) * unsigned{sizeof(T)};
    fetch_pack<Aligned, Cached>(to + begin * pitch<T>, dev::offset(from, r < count ? 1 : 0, bytes),
                                r < count ? valid - element : 0);
  }
}

// Words of x times the scale of their image and channel: image[m][h] is that of row
// 16 m + 8 h + lane / 4 of the warp's tile, counted from the block's first one.
template <class T, int M>
struct InScale {
  const float* scale;
  const int (&image)[M][2];

  MIEN_DEV unsigned operator()(unsigned word, int m, int half, int element) const {
    return dev::scale_word<T>(word, scale + image[m][half] * stage_k<T> + element);
  }
};

// Adds up what the warps that share in k hold; the first of them gets the sums.
template <class S, class Tile>
MIEN_DEV void add_shares(Tile& tile, float* shares, int warp) {
  constexpr int size = S::M * S::N * 4, step = S::warps / S::WarpsK;
  const int lane = static_cast<int>(threadIdx.x);
  float* const own = &tile.c[0][0][0];
  __syncthreads();  // all have read the last stage, whose memory this is
  if (warp >= step) MIEN_UNROLL
  for (int i = 0; i < size; ++i) shares[(warp * size + i) * dev::warp_size + lane] = own[i];
  __syncthreads();
  if (warp >= step) return;
  for (int other = warp + step; other < S::warps; other += step) MIEN_UNROLL
  for (int i = 0; i < size; ++i) own[i] += shares[(other * size + i) * dev::warp_size + lane];
}

template <bool Aligned, class T>
inline constexpr int pack_of = Aligned ? pack_width<T> : 1;

// Calls f(i, Width) for what is there of eight columns, in packs of 16 bytes of T where Aligned.
template <bool Aligned, class T, class F>
MIEN_DEV void each_pack(int columns_left, const F& f) {
  constexpr int width = pack_of<Aligned, T>;
  MIEN_UNROLL
  for (int i = 0; i < 8; i += width)
    if (i < columns_left) f(i, dev::Width<width>());
}

// The sums of a tile begin with the shifts of its columns.
template <bool Aligned, class Tile>
MIEN_DEV void begin_sums(Tile& tile, const float* shift, int columns) {
  tile.begin_octets([&](int column) {
    dev::Floats<8> start = {};
    if (shift != nullptr)
      each_pack<Aligned, float>(columns - column, [&](int i, auto width) {
        const auto some = dev::load<width>(shift + column + i);
        MIEN_UNROLL
        for (int j = 0; j < width; ++j) start[i + j] = some[j];
      });
    return start;
  });
}

// Activation, residual and stores of a tile that begins `at` elements into y, of which so many rows
// and columns are there.
template <bool Aligned, class T, class Tile>
MIEN_DEV void finish(const Tile& tile, T* y, std::int64_t at, int rows, int columns, int out_c,
                     const PointwiseConvEpilogue<T>& e) {
  constexpr int width = pack_of<Aligned, T>, packs = static_cast<int>(sizeof(tile.c)) / 4 / width;
  // Calls f(elements into the tile, what of_octet made of its sums, which of the lane's packs).
  const auto each = [&](const auto& of_octet, const auto& f) {
    int pack = 0;
    tile.each_octet([&](int row, int column, dev::Floats<8> sums) {
      of_octet(sums);
      each_pack<Aligned, T>(row < rows ? columns - column : 0, [&](int i, auto) {
        f(row * out_c + column + i, sums.values + i, pack + i / width);
      });
      pack += 8 / width;
    });
  };
  dev::Bits<T, width> residual[packs] = {};
  if (e.residual != nullptr)  // all of it under way before the first is used
    each([](auto&) {},
         [&](int i, const float* /*sums*/, int pack) {
           residual[pack] = dev::load_bits<width>(e.residual + at + i);
         });
  each(
      [&](dev::Floats<8>& sums) {
        if (!e.silu) return;
        MIEN_UNROLL
        for (int i = 0; i < 8; ++i) sums[i] = dev::silu(sums[i]);
      },
      [&](int i, const float* sums, int pack) {
        auto values = dev::to_floats(residual[pack]);
        MIEN_UNROLL
        for (int j = 0; j < width; ++j) values[j] += sums[j];
        dev::store(y + at + i, values);
      });
}

}  // namespace pointwise

// Grid: d.across blocks for every tile of rows, one after another; block (32, S::warps).
// Aligned: channels and pointers suit accesses of 16 bytes.
template <class S, class Mma, bool Aligned, bool Scaled, class T>
MIEN_KERNEL(S::threads, S::resident)
void pointwise_conv_kernel(T* y, const T* x, const T* w, PointwiseConvParams p,
                           PointwiseConvEpilogue<T> e, pointwise::Division d) {
  using namespace pointwise;
  constexpr int k_of_stage = stage_k<T>, step = dev::mma_k<T>;
  MIEN_DYN_SHARED(unsigned char, start);
  const Memory<S, T> memory{start, d};
  const int warp = static_cast<int>(threadIdx.y), lane = static_cast<int>(threadIdx.x);
  const int warp_row = warp % S::WarpsM * 16 * S::M, warp_k = warp / S::WarpsM;
  const unsigned across = static_cast<unsigned>(d.across);
  const std::int64_t first_row = std::int64_t{blockIdx.x / across} * S::rows;
  const int rows = static_cast<int>(p.pixels - first_row < S::rows ? p.pixels - first_row
                                                                   : std::int64_t{S::rows});
  const auto column_of_tile = [&](int t) {
    return (static_cast<int>(blockIdx.x % across) * d.tiles + t) * S::columns;
  };

  std::int64_t first_image = 0;
  int pixel_of_image = 0, last_image = 0, image[S::M][2] = {};
  if constexpr (Scaled) {
    first_image = first_row / p.pixels_per_image;
    pixel_of_image = static_cast<int>(first_row - first_image * p.pixels_per_image);
    last_image = (pixel_of_image + rows - 1) / p.pixels_per_image;
    MIEN_UNROLL
    for (int i = 0; i < 2 * S::M; ++i)
      image[i / 2][i % 2] = (pixel_of_image + warp_row + 8 * i + lane / 4) / p.pixels_per_image;
  }
  const T* const rows_of_x = x + first_row * p.in_c;
  const float* const scales = e.in_scale + first_image * p.in_c;
  const auto fetch_x = [&](int slot, int k, int valid) {
    fetch_rows<Aligned, dev::InL2, S::threads, S::rows>(memory.x(slot), rows_of_x + k, p.in_c, rows,
                                                        valid, [](int r) { return r; });
    if constexpr (Scaled) {
      constexpr int width = pack_width<float>, packs = k_of_stage / width;
      for (int i = static_cast<int>(dev::thread_of_block()); i < d.images * packs;
           i += S::threads) {
        const int r = i / packs < last_image ? i / packs : last_image, first = i % packs * width;
        const unsigned bytes = static_cast<unsigned>(r * p.in_c + first) * unsigned{sizeof(float)};
        fetch_pack<Aligned, dev::InL1>(memory.scale(slot) + i * width,
                                       dev::offset(scales + k, 1, bytes), valid - first);
      }
    }
  };
  int coming_tile = 0, coming_chunk = 0, coming_slot = 0;  // what is fetched next
  const auto fetch = [&] {
    const int column = column_of_tile(coming_tile);
    if (coming_tile < d.tiles && column < p.out_c) {
      const int k = coming_chunk * k_of_stage, valid = p.in_c - k;
      if (coming_tile == 0) fetch_x(coming_chunk % S::stages, k, valid);
      fetch_rows<Aligned, dev::InL1, S::threads, S::columns>(
          memory.w(coming_slot), w + std::int64_t{column} * p.in_c + k, p.in_c, p.out_c - column,
          valid, [](int r) { return dev::column_of_row(r); });
      coming_slot = coming_slot + 1 == S::stages ? 0 : coming_slot + 1;
      if (++coming_chunk == d.chunks) {
        coming_chunk = 0;
        ++coming_tile;
      }
    }
    dev::commit_copies();  // empty at the end, so that the groups to wait for keep their number
  };
  for (int i = 0; i < d.ahead; ++i) fetch();

  int slot = 0;
  for (int t = 0; t < d.tiles && column_of_tile(t) < p.out_c; ++t) {
    const int column = column_of_tile(t);
    dev::WarpTile<Mma, T, S::M, S::N> tile;
    begin_sums<Aligned>(tile, e.shift != nullptr && warp_k == 0 ? e.shift + column : nullptr,
                        p.out_c - column);
    for (int chunk = 0; chunk < d.chunks; ++chunk) {
      dev::wait_copies<S::stages - 2>();
      __syncthreads();  // this stage is there for all, and the one before it is read
      fetch();
      const int x_slot = chunk % S::stages, valid = p.in_c - chunk * k_of_stage;
      const T* const a = memory.x(x_slot) + warp_row * pitch<T>;
      const T* const b = memory.w(slot);
      const auto multiply = [&](int k) {
        if constexpr (Scaled)
          tile.step(a + k, pitch<T>, b + k, pitch<T>,
                    InScale<T, S::M>{memory.scale(x_slot) + k, image});
        else
          tile.step(a + k, pitch<T>, b + k, pitch<T>, dev::Unscaled());
      };
      // Whole stages without a branch: with one, ptxas moves all sums about at every step.
      if (valid >= k_of_stage) {
        MIEN_UNROLL
        for (int k = 0; k < k_of_stage; k += S::WarpsK * step) multiply(k + warp_k * step);
      } else {
        for (int k = warp_k * step; k < valid; k += S::WarpsK * step) multiply(k);
      }
      slot = slot + 1 == S::stages ? 0 : slot + 1;
    }
    if constexpr (S::WarpsK > 1) {
      dev::wait_copies<0>();
      add_shares<S>(tile, reinterpret_cast<float*>(start), warp);
    }
    if (warp_k == 0)
      finish<Aligned>(tile, y, (first_row + warp_row) * p.out_c + column, rows - warp_row,
                      p.out_c - column, p.out_c, e);
  }
  dev::wait_copies<0>();
}

namespace pointwise {

template <class S>
std::int64_t tiles(const PointwiseConvParams& p) {
  return std::int64_t{ceil_div(p.pixels, S::rows)} * ceil_div(p.out_c, S::columns);
}

template <class S, class T>
Division divide(const PointwiseConvParams& p, bool scaled) {
  const int chunks = std::max(1, static_cast<int>(ceil_div(p.in_c, stage_k<T>)));
  const int columns = static_cast<int>(ceil_div(p.out_c, S::columns));
  Division d{};
  d.chunks = chunks;
  d.x_slots = std::min(chunks, S::stages);
  d.ahead = S::stages - 1;
  d.tiles = 1;
  if (S::WarpsK == 1 && chunks <= S::stages) {
    // As many blocks as a large GPU runs at once, if there is work for them.
    const auto beside =
        static_cast<int>(ceil_div(S::resident * large_gpu_sms, ceil_div(p.pixels, S::rows)));
    d.tiles = std::max(1, columns / beside);
  }
  d.across = static_cast<int>(ceil_div(columns, d.tiles));
  if (scaled) d.images = p.pixels_per_image >= S::rows ? 2 : (S::rows - 1) / p.pixels_per_image + 2;
  d.x_bytes = Memory<S, T>::x_elements * static_cast<int>(sizeof(T)) +
              d.images * stage_k<T> * static_cast<int>(sizeof(float));
  const int shares = S::WarpsK > 1 ? S::threads * S::M * S::N * 4 : 0;
  d.all_bytes =
      std::max(d.x_slots * d.x_bytes + std::min(chunks * d.tiles, S::stages) *
                                           Memory<S, T>::w_elements * static_cast<int>(sizeof(T)),
               shares * static_cast<int>(sizeof(float)));
  return d;
}

template <class S, bool Aligned, Storage T>
void launch(Cuda device, T* y, const T* x, const T* w, const PointwiseConvParams& p,
            const PointwiseConvEpilogue<T>& e) {
  using Mma = dev::DeviceMma;
  const bool scaled = e.in_scale != nullptr;
  const Division d = divide<S, T>(p, scaled);
  cuda::launch(scaled ? pointwise_conv_kernel<S, Mma, Aligned, true, T>
                      : pointwise_conv_kernel<S, Mma, Aligned, false, T>,
               {.grid = ceil_div(p.pixels, S::rows) * static_cast<unsigned>(d.across),
                .block = {dev::warp_size, S::warps},
                .dynamic_shared_bytes = static_cast<std::size_t>(d.all_bytes),
                .stream = device.stream},
               y, x, w, p, e, d);
}

}  // namespace pointwise

template <Storage T>
void pointwise_conv(Cuda device, T* y, const T* x, const T* w, const PointwiseConvParams& p,
                    const PointwiseConvEpilogue<T>& e) {
  using namespace pointwise;
  if (p.pixels == 0 || p.out_c == 0) return;
  constexpr int most = 1 << 22;  // offsets within a tile are of 32 bits
  check(p.in_c <= most && p.out_c <= most, "pointwise_conv", "expected up to ", most,
        " channels, got ", p.in_c, " to ", p.out_c);
  const auto run = [&] {
    const bool aligned = p.in_c % pack_width<T> == 0 && p.out_c % pack_width<T> == 0 &&
                         pack_aligned(x, w, y, e.residual, e.in_scale, e.shift);
    // Else smaller tiles are faster; with tiny images a tile's scales would fill the shared memory.
    const bool many = tiles<Wide>(p) >= large_gpu_sms / 3 &&
                      (e.in_scale == nullptr || p.pixels_per_image >= Small::rows);
    if (!aligned) return many ? launch<Narrow, false, T> : launch<Small, false, T>;
    if (!many) return launch<Small, true, T>;
    // Of few columns or little k the narrow one, of which more blocks are resident.
    return p.out_c <= Narrow::columns || p.in_c <= stage_k<T> / 2 ? launch<Narrow, true, T>
                                                                  : launch<Wide, true, T>;
  }();
  run(device, y, x, w, p, e);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
