#pragma once
// The kernels of ccc.hpp.

#include <algorithm>

#include <mien/cuda/ccc.hpp>
#include <mien/cuda/rows.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

inline constexpr int ccc_threads = 256;

namespace ccc {

MIEN_DEV inline void add(PairMoments& m, float x, float y) {
  m.count += 1;
  const float share = dev::divide(1.0f, m.count), dx = x - m.mean_x, dy = y - m.mean_y;
  m.mean_x = fmaf(dx, share, m.mean_x);
  m.mean_y = fmaf(dy, share, m.mean_y);
  m.xx = fmaf(dx, x - m.mean_x, m.xx);
  m.yy = fmaf(dy, y - m.mean_y, m.yy);
  m.xy = fmaf(dx, y - m.mean_y, m.xy);
}

MIEN_DEV inline void merge(PairMoments& m, const PairMoments& other) {
  if (other.count == 0) return;
  const float total = m.count + other.count, share = dev::divide(other.count, total);
  const float dx = other.mean_x - m.mean_x, dy = other.mean_y - m.mean_y, weight = m.count * share;
  m.xx += fmaf(dx * dx, weight, other.xx);
  m.yy += fmaf(dy * dy, weight, other.yy);
  m.xy += fmaf(dx * dy, weight, other.xy);
  m.mean_x = fmaf(dx, share, m.mean_x);
  m.mean_y = fmaf(dy, share, m.mean_y);
  m.count = total;
}

// Lane 0 gets the moments of the first `Lanes` lanes.
template <unsigned Lanes>
MIEN_DEV PairMoments merge_warp(PairMoments m) {
  MIEN_UNROLL
  for (unsigned step = Lanes / 2; step > 0; step /= 2) {
    PairMoments other;
    other.count = __shfl_down_sync(dev::full_mask, m.count, step);
    other.mean_x = __shfl_down_sync(dev::full_mask, m.mean_x, step);
    other.mean_y = __shfl_down_sync(dev::full_mask, m.mean_y, step);
    other.xx = __shfl_down_sync(dev::full_mask, m.xx, step);
    other.yy = __shfl_down_sync(dev::full_mask, m.yy, step);
    other.xy = __shfl_down_sync(dev::full_mask, m.xy, step);
    merge(m, other);
  }
  return m;
}

// Thread 0 gets the moments of the block. All threads must call it.
MIEN_DEV inline PairMoments merge_block(PairMoments m) {
  constexpr unsigned warps = ccc_threads / dev::warp_size;
  MIEN_SHARED(PairMoments, of_warp, [warps]);
  const unsigned thread = threadIdx.x;
  m = merge_warp<dev::warp_size>(m);
  if (thread % dev::warp_size == 0) of_warp[thread / dev::warp_size] = m;
  __syncthreads();
  if (thread < dev::warp_size)
    m = merge_warp<warps>(thread < warps ? of_warp[thread] : PairMoments{});
  __syncthreads();  // the next call writes them anew
  return m;
}

}  // namespace ccc

// Grid: (blocks of a column, columns). The block that ends last merges the shares of all.
template <class T>
MIEN_KERNEL(ccc_threads)
void ccc_moments_kernel(CccColumn* result, CccWorkspace workspace, const T* x, const float* y,
                        const std::uint8_t* mask, CccParams p) {
  const unsigned column = blockIdx.y, thread = threadIdx.x;
  PairMoments* const partial = workspace.partial + std::int64_t{column} * ccc_most_blocks;
  dev::prepare_last_block(workspace.blocks_done + column, partial + blockIdx.x);
  struct Row {
    T x;
    float y;
    std::uint8_t there;
  };
  PairMoments m;
  dev::stream_rows<8>(
      std::int64_t{blockIdx.x} * ccc_threads + thread, std::int64_t{gridDim.x} * ccc_threads,
      p.rows,
      [&](std::int64_t row) {  // a masked row too: not to know that first saves a wait for memory
        return Row{x[row * p.x_row + column], y[row * p.y_row + column],
                   mask != nullptr ? mask[row * p.columns + column] : std::uint8_t{1}};
      },
      [&](std::int64_t, const Row& row) {
        if (row.there != 0) ccc::add(m, dev::to_float(row.x), row.y);
      });
  m = ccc::merge_block(m);
  if (gridDim.x > 1) {
    if (thread == 0) partial[blockIdx.x] = m;
    if (!dev::is_last_block(workspace.blocks_done + column)) return;
    m = ccc::merge_block(thread < gridDim.x ? partial[thread] : PairMoments{});
  }
  if (thread != 0) return;
  const float distance = m.mean_x - m.mean_y;
  const float denominator = fmaf(distance * distance, m.count, m.xx + m.yy) + p.epsilon * m.count;
  const float ccc = 2.0f * m.xy / denominator;
  result[column] = m.count > 0 ? CccColumn{ccc, m.mean_y, 2.0f / denominator} : CccColumn{0, 0, 0};
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

template <Storage T>
void ccc_moments(Cuda device, CccColumn* result, const CccWorkspace& workspace, const T* x,
                 const float* y, const std::uint8_t* mask, const CccParams& p) {
  if (p.columns == 0) return;
  // One block as long as that takes less time than to wait for others, about 2 us.
  constexpr std::int64_t rows_of_block = 8 * ccc_threads;
  const unsigned blocks = p.rows <= 2 * rows_of_block ? 1u
                                                      : std::min(ceil_div(p.rows, rows_of_block),
                                                                 unsigned{ccc_most_blocks});
  cuda::launch(ccc_moments_kernel<T>,
               {.grid = {blocks, static_cast<unsigned>(p.columns)},
                .block = ccc_threads,
                .stream = device.stream},
               result, workspace, x, y, mask, p);
}

template <Storage T>
void ccc_gradient(Cuda device, T* dx, const CccColumn* of_column, const T* x, const float* y,
                  const std::uint8_t* mask, const CccParams& p, float factor) {
  const std::int64_t n = p.rows * p.columns;
  if (n == 0) return;
  cuda::launch(ccc_gradient_kernel<T>,
               {.grid = ceil_div(n, ccc_threads), .block = ccc_threads, .stream = device.stream},
               dx, of_column, x, y, mask, p, factor);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
