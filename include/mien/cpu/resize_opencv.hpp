#pragma once
// Host side of OpenCV's resize by a fixed number of taps (modules/imgproc/src/resize.cpp): bytes
// with 11-bit fixed-point weights, 16-bit samples and floats in float arithmetic.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <mien/core/device.hpp>
#include <mien/core/memory.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/simd_int32.hpp>

namespace mien::kernels {

inline constexpr int opencv_bits = 11;
inline constexpr int opencv_rows = 16;  // that the horizontal pass takes at once

// One axis: output i is the sum over t < taps of weights[i][t] * input[index[i][t]]. The indices of
// an output ascend, and so do those of successive outputs.
template <class Acc>
struct OpenCvAxis {
  const std::int32_t* index;  // (outputs, taps)
  const Acc* weights;         // (outputs, taps)
};

template <class Acc>
struct OpenCvParams {
  OpenCvAxis<Acc> x, y;
  std::int64_t in_width, in_height, out_width, out_height;
  int channels;
};

// What sums of samples of type T are kept in.
template <class T>
using OpenCvSum = std::conditional_t<std::is_same_v<T, std::uint8_t>, std::int32_t, float>;

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/resize_opencv.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// out (out_height, out_width, channels), in (in_height, in_width, channels).
template <int Taps, class T>
void resize_opencv(Cpu, T* out, const T* in, const OpenCvParams<OpenCvSum<T>>& p) {
  using Sum = OpenCvSum<T>;
  const auto kernel = MIEN_ISA_PICK(opencv_band<T, Taps, Sum>);
  // Bands of output rows that read about 64 input rows: the sums of a band stay small, and few
  // input rows are summed for two bands.
  constexpr std::int64_t rows_read = 64;
  const std::int64_t band =
      std::clamp<std::int64_t>(rows_read * p.out_height / p.in_height, 1, rows_read);
  const std::int64_t span = (band - 1) * p.in_height / p.out_height + 1 + Taps;
  const std::int64_t sum_rows = (span + opencv_rows - 1) / opencv_rows * opencv_rows;
  const std::int64_t elements =
      ((p.in_width + p.out_width) * opencv_rows + p.out_width * sum_rows) * p.channels;
  parallel_for(p.out_height, band, [&](std::int64_t begin, std::int64_t end) {
    mien::Storage scratch(static_cast<std::size_t>(elements) * sizeof(Sum));
    kernel(out, in, p, static_cast<Sum*>(scratch.mutable_data()), begin, end);
  });
}

}  // namespace mien::kernels
