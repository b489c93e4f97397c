#pragma once
// Kernels over matrices (rows, c): sums over rows, or one map per channel for all rows. A thread
// keeps what belongs to its N neighbouring channels in registers and goes through rows, several at
// a time so that their loads overlap. A block is `across` such packs wide, up to 128 bytes of
// channels (a line of the cache), by `down` rows.

#include <cstdint>
#include <utility>

#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

inline constexpr int row_threads = 256;  // of a block, at most

// Narrower blocks leave more of them to share the channels; whole sectors of 32 bytes where packs
// are of 16.
struct RowBlock {
  unsigned across, down;
  unsigned tiles;  // blocks side by side, for all channels

  template <int N, class T>
  static RowBlock of(int c) {
    constexpr unsigned most = 128 / (N * sizeof(T));
    const unsigned packs = ceil_div(c, N), even = ceil_div(packs, ceil_div(packs, most));
    const unsigned across = packs > most ? even + even % 2 : even;
    return {across, row_threads / across, ceil_div(packs, across)};
  }

  // Lower blocks where rows are few, so that what a thread prepares serves four of them or more.
  RowBlock for_rows(std::int64_t rows) const {
    unsigned lower = down;
    while (lower > 4 && rows < 4 * std::int64_t{lower}) lower /= 2;
    return {across, lower, tiles};
  }

  // Each image's rows divided among `shares` blocks.
  cuda::LaunchShape shape(std::int64_t shares, std::int64_t images, cuda::Stream stream) const {
    return {.grid = {static_cast<unsigned>(shares), tiles, static_cast<unsigned>(images)},
            .block = {across, down},
            .stream = stream};
  }

  // `wanted` shares, or as many as leave each thread four rows; one at least.
  std::int64_t shares(std::int64_t rows, std::int64_t wanted) const {
    const std::int64_t possible = ceil_div(rows > 0 ? rows : 1, 4 * down);
    return wanted < possible ? wanted : possible;
  }

  // Shares of one pass over all rows: eight blocks for each SM of a large GPU, or more where
  // threads would have over 16 rows.
  std::int64_t pass_shares(std::int64_t rows, std::int64_t images) const {
    const std::int64_t least = ceil_div(rows, 16 * down),
                       wanted = blocks_of_part(tiles * images, 8);
    return shares(rows, wanted < least ? least : wanted);
  }
};

namespace dev {

// The first channel of this thread; beyond c for threads that have none.
template <int N>
MIEN_DEV int first_channel() {
  return static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * N;
}

// Calls use(row, load(row)) for rows first, first + step, ... below `rows`. `Batch` loads are under
// way together where load() does nothing else (load_bits): nvcc then needs no branch around them.
template <int Batch, class Load, class Use>
MIEN_DEV void for_each_row(std::int64_t first, std::int64_t step, std::int64_t rows,
                           const Load& load, const Use& use) {
  for (std::int64_t row = first; row < rows; row += Batch * step) {
    decltype(load(row)) values[Batch] = {};
    MIEN_UNROLL
    for (int i = 0; i < Batch; ++i)
      if (row + i * step < rows) values[i] = load(row + i * step);
    MIEN_UNROLL
    for (int i = 0; i < Batch; ++i)
      if (row + i * step < rows) use(row + i * step, values[i]);
  }
}

// The same for this thread's share of the rows of a RowBlock::shape.
template <int Batch, class Load, class Use>
MIEN_DEV void for_each_row(std::int64_t rows, const Load& load, const Use& use) {
  for_each_row<Batch>(std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y,
                      std::int64_t{gridDim.x} * blockDim.y, rows, load, use);
}

// Rows first, first + step, ... below `rows`, as load(row) gives them. `Batch` loads start with the
// object, so that what a kernel prepares before use() takes no time of its own; each half of them
// starts anew as soon as it is used, so that memory and arithmetic overlap. load() shall do nothing
// but load (load_bits): nvcc then needs no branch around it.
template <int Batch, class Load>
class RowLoads {
 public:
  MIEN_DEV RowLoads(std::int64_t first, std::int64_t step, std::int64_t rows, const Load& load)
      : first_(first), step_(step), rows_(rows), load_(load) {
    start(early_, first);
    start(late_, first + early * step);
  }

  // Calls use(row, load(row)) for all rows, in their order.
  template <class Use>
  MIEN_DEV void use(const Use& use) {
    for (std::int64_t row = first_; row < rows_; row += Batch * step_) {
      finish(early_, row, use);
      start(early_, row + Batch * step_);
      finish(late_, row + early * step_, use);
      start(late_, row + (Batch + early) * step_);
    }
  }

 private:
  static_assert(Batch > 1);
  static constexpr int early = (Batch + 1) / 2, late = Batch - early;
  using Value = decltype(std::declval<const Load&>()(std::int64_t{}));

  template <int N>
  MIEN_DEV void start(Value (&values)[N], std::int64_t row) {
    MIEN_UNROLL
    for (int i = 0; i < N; ++i)
      if (row + i * step_ < rows_) values[i] = load_(row + i * step_);
  }

  template <int N, class Use>
  MIEN_DEV void finish(const Value (&values)[N], std::int64_t row, const Use& use) {
    MIEN_UNROLL
    for (int i = 0; i < N; ++i)
      if (row + i * step_ < rows_) use(row + i * step_, values[i]);
  }

  std::int64_t first_, step_, rows_;
  const Load& load_;
  Value early_[early] = {}, late_[late] = {};
};

// The same as for_each_row, with loads that never pause.
template <int Batch, class Load, class Use>
MIEN_DEV void stream_rows(std::int64_t first, std::int64_t step, std::int64_t rows,
                          const Load& load, const Use& use) {
  RowLoads<Batch, Load>(first, step, rows, load).use(use);
}

// Starts to load this thread's share of the rows of a RowBlock::shape.
template <int Batch, class Load>
MIEN_DEV RowLoads<Batch, Load> start_rows(std::int64_t rows, const Load& load) {
  return {std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y, std::int64_t{gridDim.x} * blockDim.y,
          rows, load};
}
template <int Batch, class Load, class Use>
MIEN_DEV void stream_rows(std::int64_t rows, const Load& load, const Use& use) {
  start_rows<Batch>(rows, load).use(use);
}

// N channels of a row of two matrices.
template <class T, int N>
struct PairBits {
  Bits<T, N> a, b;
};
template <int N, class T>
MIEN_DEV PairBits<T, N> load_pair(const T* a, const T* b) {
  return {load_bits<N>(a), load_bits<N>(b)};
}

// merge(state, that of another row) until the first `across` threads have those of their columns,
// in the same order in every run. Thread i is in column i % across; those beyond the last whole row
// bring nothing. shared: M floats for each thread. All threads of the block must call it.
template <int M, class Merge>
MIEN_DEV void merge_rows(Floats<M>& state, int across, float* shared, const Merge& merge) {
  const int thread = static_cast<int>(threadIdx.x + blockDim.x * threadIdx.y);
  const int threads = static_cast<int>(blockDim.x * blockDim.y);
  const int down = threads / across, row = thread / across;
  int step = 1;
  while (2 * step < down) step *= 2;
  for (; step > 0; step /= 2) {
    if (row >= step && row < 2 * step && row < down) {
      MIEN_UNROLL
      for (int k = 0; k < M; ++k) shared[k * threads + thread] = state[k];
    }
    __syncthreads();
    if (row < step && row + step < down) {
      Floats<M> other;
      MIEN_UNROLL
      for (int k = 0; k < M; ++k) other[k] = shared[k * threads + thread + step * across];
      merge(state, other);
    }
  }
  __syncthreads();  // the next call writes them anew
}

template <int M>
MIEN_DEV void add(Floats<M>& to, const Floats<M>& other) {
  MIEN_UNROLL
  for (int k = 0; k < M; ++k) to[k] += other[k];
}

// M / N sums for each of a thread's N channels become those over the grid, in the same order in
// every run, in the threads for which this returns true: the first row of the block that comes last
// in its tile. partial: M / N * c floats for each share, aligned to M floats; blocks_done: one for
// each tile; shared: as above. All threads must call it.
template <int N, int M>
MIEN_DEV bool sum_over_grid(Floats<M>& sums, int c, float* partial, unsigned* blocks_done,
                            float* shared) {
  constexpr int each = M / N;
  const int channel = first_channel<N>();
  const bool first = threadIdx.y == 0 && channel < c;
  float* const own = partial + each * channel;
  merge_rows(sums, static_cast<int>(blockDim.x), shared, add<M>);
  if (gridDim.x == 1) return first;
  if (first) store(own + std::int64_t{blockIdx.x} * each * c, sums);
  if (!is_last_block(blocks_done + blockIdx.y)) return false;
  sums = {};
  if (channel < c)
    for_each_row<4>(
        threadIdx.y, blockDim.y, gridDim.x,
        [&](std::int64_t share) { return load_bits<M>(own + share * each * c); },
        [&](std::int64_t, const auto& bits) { add(sums, to_floats(bits)); });
  merge_rows(sums, static_cast<int>(blockDim.x), shared, add<M>);
  return first;
}

// The values of N channels, from any address; `otherwise` where it is null.
template <int N, class T>
MIEN_DEV Floats<N> channel_values(const T* from, int channel, float otherwise = 0.0f) {
  constexpr int pack = N < pack_width<T> ? N : pack_width<T>;
  Floats<N> values;
  if (from != nullptr && aligned(pack * sizeof(T), from)) {
    MIEN_UNROLL
    for (int k = 0; k < N; k += pack) {
      const auto part = load<pack>(from + channel + k);
      MIEN_UNROLL
      for (int j = 0; j < pack; ++j) values[k + j] = part[j];
    }
  } else {
    MIEN_UNROLL
    for (int k = 0; k < N; ++k)
      values[k] = from != nullptr ? to_float(from[channel + k]) : otherwise;
  }
  return values;
}

}  // namespace dev
}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
