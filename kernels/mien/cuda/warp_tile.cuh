#pragma once
// Matrix products of a warp out of shared memory: C (16 M x 8 N) += A (16 M x k) B (8 N x k)
// transposed, by the policies of mma.hpp.
//
// Rows of A and of B hold k elements one after another, and are `pitch` elements apart: a multiple
// of 32 bytes and 16 bytes more, so that the eight rows of a matrix lie in different banks.

#include <cstdint>

#include <mien/cuda/copy_async.hpp>
#include <mien/cuda/mma.hpp>
#include <mien/cuda/packed.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

// k rounded up to what a step of the product takes, and the pitch of such rows.
template <class T>
MIEN_HD int padded_k(int k) {
  constexpr int step = 32 / static_cast<int>(sizeof(T));
  return (k + step - 1) / step * step;
}
template <class T>
MIEN_HD int tile_pitch(int k) {
  return padded_k<T>(k) + pack_width<T>;
}

namespace dev {

// Which column of the product row r of B is to hold for each_octet: of 32 columns, a lane's pairs
// in four tiles of the product become eight columns in a row.
MIEN_HD inline int column_of_row(int r) { return (r & ~30) | (r & 6) << 2 | (r >> 2 & 6); }

// A word of A as it is.
struct Unscaled {
  MIEN_DEV unsigned operator()(unsigned word, int /*m*/, int /*half*/, int /*k*/) const {
    return word;
  }
};

// The elements of a word times s[0], s[1] (T of 4 bytes: s[0] alone) rounded to T, rounded to T.
template <class T>
MIEN_DEV unsigned scale_word(unsigned word, const float* s) {
  if constexpr (sizeof(T) == 4) {
    return bits(float_of_bits(word) * s[0]);
  } else {
    return multiply_pairs(word, to_pair(s[0], s[1], T()), T());
  }
}

template <class Mma, class T, int M, int N>
struct WarpTile {
  static_assert(N % 2 == 0);
  float c[M][N][4];

  MIEN_DEV void clear() {
    MIEN_UNROLL
    for (auto& row : c) MIEN_UNROLL
    for (auto& tile : row) MIEN_UNROLL
    for (float& value : tile) value = 0;
  }

  // One step of mma_k<T> elements from a and b on. Words of A become change(word, m, half, element
  // of the step where the word begins); the word's row is 16 m + 8 half + lane / 4.
  template <class Change>
  MIEN_DEV void step(const T* a, int pitch_a, const T* b, int pitch_b, const Change& change) {
    const int lane = static_cast<int>(lane_of_warp());
    unsigned of_a[M][4];
    MIEN_UNROLL
    for (int m = 0; m < M; ++m) {
      Mma::load_rows(of_a[m], a + (16 * m + lane % 16) * pitch_a + lane / 16 * pack_width<T>);
      MIEN_UNROLL
      for (int i = 0; i < 4; ++i)
        of_a[m][i] = change(of_a[m][i], m, i % 2,
                            (i / 2 * 4 + lane % 4) * (4 / static_cast<int>(sizeof(T))));
    }
    MIEN_UNROLL
    for (int n = 0; n < N; n += 2) {
      unsigned pair[4];  // both halves of a column tile, then of the next one
      Mma::load_rows(
          pair, b + (8 * n + lane / 16 * 8 + lane % 8) * pitch_b + lane / 8 % 2 * pack_width<T>);
      const unsigned left[2] = {pair[0], pair[1]}, right[2] = {pair[2], pair[3]};
      MIEN_UNROLL
      for (int m = 0; m < M; ++m) {
        Mma::template multiply_add<T>(c[m][n], of_a[m], left);
        Mma::template multiply_add<T>(c[m][n + 1], of_a[m], right);
      }
    }
  }

  // Calls f(row, column, two sums) for the pairs of neighbouring columns that this lane holds.
  template <class F>
  MIEN_DEV void each_pair(const F& f) {
    const int lane = static_cast<int>(lane_of_warp());
    MIEN_UNROLL
    for (int m = 0; m < M; ++m) MIEN_UNROLL
    for (int half = 0; half < 2; ++half) MIEN_UNROLL
    for (int n = 0; n < N; ++n)
      f(16 * m + 8 * half + lane / 4, 8 * n + lane % 4 * 2, c[m][n] + 2 * half);
  }

  // The same for eight columns at a time, where row r of B held column column_of_row(r): every lane
  // then has whole accesses of 16 bytes.
  template <class F>
  MIEN_DEV void each_octet(const F& f) const {
    const int lane = static_cast<int>(lane_of_warp());
    MIEN_UNROLL
    for (int m = 0; m < M; ++m) MIEN_UNROLL
    for (int half = 0; half < 2; ++half) MIEN_UNROLL
    for (int n = 0; n < N; n += 4) {
      Floats<8> sums;
      MIEN_UNROLL
      for (int i = 0; i < 8; ++i) sums[i] = c[m][n + i / 2][2 * half + i % 2];
      f(16 * m + 8 * half + lane / 4, 8 * n + lane % 4 * 8, sums);
    }
  }

  // Sets the sums of each_octet's columns to value(the first of eight columns), in all rows.
  template <class F>
  MIEN_DEV void begin_octets(const F& value) {
    static_assert(N % 4 == 0);
    const int lane = static_cast<int>(lane_of_warp());
    MIEN_UNROLL
    for (int n = 0; n < N; n += 4) {
      const Floats<8> start = value(8 * n + lane % 4 * 8);
      MIEN_UNROLL
      for (int m = 0; m < M; ++m) MIEN_UNROLL
      for (int i = 0; i < 16; ++i) c[m][n + i % 8 / 2][i / 8 * 2 + i % 2] = start[i % 8];
    }
  }
};

// Rows of a tile, of `k` elements: row r from `matrix` + offset(r), zeros where that is negative
// and from element `valid` on; brought by all threads of the block in asynchronous copies, which
// the caller commits. Rows are aligned to 16 bytes, k and `valid` multiples of pack_width.
template <class T, class Offset>
MIEN_DEV void stage_rows(T* tile, int pitch, int rows, int k, int valid, const T* matrix,
                         const Offset& offset) {
  constexpr int width = pack_width<T>;
  const int packs = k / width, all = rows * packs;
  const int threads = static_cast<int>(blockDim.x * blockDim.y);
  for (int i = static_cast<int>(thread_of_block()); i < all; i += threads) {
    const int r = i / packs, first = i % packs * width;
    const std::int64_t from = offset(r);
    const bool there = from >= 0 && first < valid;
    copy_async<16>(tile + r * pitch + first, there ? matrix + from + first : matrix, there);
  }
}

}  // namespace dev
}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
