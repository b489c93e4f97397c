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

#include <mien/cuda/stream.hpp>

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
};

inline constexpr int ccc_most_blocks = 256;  // of a column: about two for each SM

// Memory of the first pass beside its result. The counters are zero before the first launch, and
// again after every launch.
struct CccWorkspace {
  PairMoments* partial;   // columns * ccc_most_blocks
  unsigned* blocks_done;  // columns
};

// result (columns). x (rows, columns) and y likewise with rows x_row and y_row apart; mask (rows,
// columns) of bytes, 0 leaves a row out, or null. Equal constant columns give NaN without epsilon.
template <Storage T>
void ccc_moments(Cuda device, CccColumn* result, const CccWorkspace& workspace, const T* x,
                 const float* y, const std::uint8_t* mask, const CccParams& p);

// dx (rows, columns), laid out as x; may be x. The loss 1 - ccc, times g, has factor -g.
template <Storage T>
void ccc_gradient(Cuda device, T* dx, const CccColumn* of_column, const T* x, const float* y,
                  const std::uint8_t* mask, const CccParams& p, float factor);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
