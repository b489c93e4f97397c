#pragma once
// The concordance correlation coefficient of predictions x and labels y, column by column, over
// the rows that a mask leaves:
//
//   ccc = 2 s_xy / (D + epsilon),   D = s_x^2 + s_y^2 + (m_x - m_y)^2
//   dccc/dx_i = 2 / (N (D + epsilon)) ((y_i - m_y) - ccc (x_i - m_y))
//
// with means m, population moments s and N rows. Lin: "A concordance correlation coefficient to
// evaluate reproducibility", Biometrics 45, 1989. Moments are updated by Welford's formula and
// merged by that of Chan, Golub and LeVeque (1979) in a fixed order: exact where the mean is large
// beside the deviation, and the same bits in every run.
//
// Two launches, one per pass. Roofline, per element of b bytes: the moments read b + 4 bytes (b + 5
// with a mask) and take 16 flops and a reciprocal, the gradient reads and writes 2 b + 4 bytes for
// 4 flops. Both are bound by memory, and below about 10^5 elements by the launch.

#include <cstdint>

#include <mien/cuda/intrinsics.hpp>
#include <mien/cuda/launch.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct CccParams {
  std::int64_t rows;
  int columns;                // valence and arousal: 2
  std::int64_t x_row, y_row;  // elements between the rows of x (and dx) and of y
  float epsilon = 0;
};

// What the first pass leaves of a column for the second.
struct CccColumn {
  float ccc;
  float mean_y;
  float slope;  // 2 / (N (D + epsilon)); 0 where no row is left
};

// Moments of `count` pairs: means, sums of squared deviations and of their products.
struct PairMoments {
  float count = 0, mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;

  MIEN_DEV void add(float x, float y) {
    count += 1;
    const float share = 1.0f / count, dx = x - mean_x, dy = y - mean_y;
    mean_x = fmaf(dx, share, mean_x);
    mean_y = fmaf(dy, share, mean_y);
    xx = fmaf(dx, x - mean_x, xx);
    yy = fmaf(dy, y - mean_y, yy);
    xy = fmaf(dx, y - mean_y, xy);
  }

  MIEN_DEV void merge(const PairMoments& other) {
    if (other.count == 0) return;
    const float total = count + other.count, share = other.count / total;
    const float dx = other.mean_x - mean_x, dy = other.mean_y - mean_y, weight = count * share;
    xx += fmaf(dx * dx, weight, other.xx);
    yy += fmaf(dy * dy, weight, other.yy);
    xy += fmaf(dx * dy, weight, other.xy);
    mean_x = fmaf(dx, share, mean_x);
    mean_y = fmaf(dy, share, mean_y);
    count = total;
  }
};

inline constexpr int ccc_threads = 256;
inline constexpr int ccc_most_blocks = 256;  // of a column: about two for each SM

namespace dev {

// Lane 0 gets the moments of the warp.
MIEN_DEV inline PairMoments merge_warp(PairMoments m) {
  MIEN_UNROLL
  for (unsigned step = warp_size / 2; step > 0; step /= 2) {
    PairMoments other;
    other.count = __shfl_down_sync(full_mask, m.count, step);
    other.mean_x = __shfl_down_sync(full_mask, m.mean_x, step);
    other.mean_y = __shfl_down_sync(full_mask, m.mean_y, step);
    other.xx = __shfl_down_sync(full_mask, m.xx, step);
    other.yy = __shfl_down_sync(full_mask, m.yy, step);
    other.xy = __shfl_down_sync(full_mask, m.xy, step);
    m.merge(other);
  }
  return m;
}

// Thread 0 gets the moments of the block. All threads must call it.
MIEN_DEV inline PairMoments merge_block(PairMoments m) {
  constexpr unsigned warps = ccc_threads / warp_size;
  MIEN_SHARED(PairMoments, of_warp, [warps]);
  m = merge_warp(m);
  if (threadIdx.x % warp_size == 0) of_warp[threadIdx.x / warp_size] = m;
  __syncthreads();
  if (threadIdx.x == 0)
    for (unsigned i = 1; i < warps; ++i) m.merge(of_warp[i]);
  __syncthreads();  // the next call writes them anew
  return m;
}

}  // namespace dev

// Memory that the first pass needs beside its result; zero before the first launch, and again
// after every launch.
struct CccWorkspace {
  PairMoments* partial;   // columns * ccc_most_blocks
  unsigned* blocks_done;  // columns
};

// Grid: (blocks of a column, columns). The block that ends last merges the shares of all.
template <class T>
MIEN_KERNEL(ccc_threads)
void ccc_moments_kernel(CccColumn* result, CccWorkspace workspace, const T* x, const float* y,
                        const std::uint8_t* mask, CccParams p) {
  const unsigned column = blockIdx.y, thread = threadIdx.x;
  PairMoments m;
  for (std::int64_t row = std::int64_t{blockIdx.x} * ccc_threads + thread; row < p.rows;
       row += std::int64_t{gridDim.x} * ccc_threads)
    if (mask == nullptr || mask[row * p.columns + column] != 0)
      m.add(dev::to_float(x[row * p.x_row + column]), y[row * p.y_row + column]);
  m = dev::merge_block(m);

  PairMoments* const partial = workspace.partial + std::int64_t{column} * ccc_most_blocks;
  MIEN_SHARED(unsigned, done_before, [1]);
  if (thread == 0) {
    partial[blockIdx.x] = m;
    __threadfence();  // the share is there before it is counted
    done_before[0] = atomicAdd(workspace.blocks_done + column, 1u);
  }
  __syncthreads();
  if (done_before[0] + 1 != gridDim.x) return;
  __threadfence();

  m = thread < gridDim.x ? partial[thread] : PairMoments{};
  m = dev::merge_block(m);
  if (thread != 0) return;
  const float distance = m.mean_x - m.mean_y;
  const float denominator = fmaf(distance * distance, m.count, m.xx + m.yy) + p.epsilon * m.count;
  const float ccc = 2.0f * m.xy / denominator;
  result[column] = m.count > 0 ? CccColumn{ccc, m.mean_y, 2.0f / denominator} : CccColumn{0, 0, 0};
  workspace.blocks_done[column] = 0;
}

// dx = factor dccc/dx; 0 where masked. One thread an element.
template <class T>
MIEN_KERNEL(ccc_threads)
void ccc_gradient_kernel(T* dx, const CccColumn* of_column, const T* x, const float* y,
                         const std::uint8_t* mask, CccParams p, float factor) {
  const std::int64_t i = std::int64_t{blockIdx.x} * ccc_threads + threadIdx.x;
  if (i >= p.rows * p.columns) return;
  const std::int64_t row = i / p.columns, column = i % p.columns;
  float gradient = 0;
  if (mask == nullptr || mask[i] != 0) {
    const CccColumn of = of_column[column];
    const float from_mean = dev::to_float(x[row * p.x_row + column]) - of.mean_y;
    gradient = factor * of.slope * fmaf(-of.ccc, from_mean, y[row * p.y_row + column] - of.mean_y);
  }
  dev::from_float(dx[row * p.x_row + column], gradient);
}

// result (columns). x (rows, columns) and y likewise with rows x_row and y_row apart; mask (rows,
// columns) of bytes, 0 leaves a row out, or null. Equal constant columns give NaN without epsilon.
template <class T>
void ccc_moments(Cuda device, CccColumn* result, const CccWorkspace& workspace, const T* x,
                 const float* y, const std::uint8_t* mask, const CccParams& p) {
  if (p.columns == 0) return;
  constexpr std::int64_t rows_of_block = 8 * ccc_threads;
  const std::int64_t blocks = (p.rows + rows_of_block - 1) / rows_of_block;
  const auto bounded = static_cast<unsigned>(blocks < 1                 ? 1
                                             : blocks > ccc_most_blocks ? ccc_most_blocks
                                                                        : blocks);
  cuda::launch(ccc_moments_kernel<T>,
               {.grid = {bounded, static_cast<unsigned>(p.columns)},
                .block = ccc_threads,
                .stream = device.stream},
               result, workspace, x, y, mask, p);
}

// dx (rows, columns), laid out as x; may be x. The loss 1 - ccc, times g, has factor -g.
template <class T>
void ccc_gradient(Cuda device, T* dx, const CccColumn* of_column, const T* x, const float* y,
                  const std::uint8_t* mask, const CccParams& p, float factor) {
  const std::int64_t n = p.rows * p.columns;
  if (n == 0) return;
  cuda::launch(ccc_gradient_kernel<T>,
               {.grid = static_cast<unsigned>((n + ccc_threads - 1) / ccc_threads),
                .block = ccc_threads,
                .stream = device.stream},
               dx, of_column, x, y, mask, p, factor);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
