#pragma once
// Host side of Pillow's 8-bit resampling (src/libImaging/Resample.c): every output sample is
//   clamp((2^21 + sum over t of weight[t] * in[first + t]) >> 22, 0, 255)
// with 22-bit fixed-point weights, first along one axis, rounded to 8 bits, then along the other.

#include <cstddef>
#include <cstdint>

#include <mien/core/device.hpp>
#include <mien/core/memory.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/simd_int32.hpp>

namespace mien::kernels {

inline constexpr int pillow_bits = 22;
inline constexpr std::int32_t pillow_half = 1 << (pillow_bits - 1);
inline constexpr int pillow_rows = 16;  // that the horizontal pass takes at once

// One axis: output i is the weighted sum of count[i] input samples from first[i] on.
struct PillowPass {
  const std::int32_t* first;
  const std::int32_t* count;
  const std::int32_t* weights;  // (outputs, stride)
  std::int64_t stride;
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/resize_pillow.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

struct ResizeRowsParams {
  std::int64_t rows;                 // of the output
  std::int64_t in_width, out_width;  // in pixels; the vertical pass has one width: out_width
  int channels;
};

// out (rows, out_width, channels), in (input rows, out_width, channels).
inline void resize_pillow_vertical(Cpu, std::uint8_t* out, const std::uint8_t* in,
                                   const PillowPass& pass, const ResizeRowsParams& p) {
  const auto kernel = MIEN_ISA_PICK(pillow_vertical);
  parallel_for(p.rows, pillow_rows, [&](std::int64_t begin, std::int64_t end) {
    kernel(out, in, p.out_width * p.channels, pass, begin, end);
  });
}

// out (rows, out_width, channels), in (rows, in_width, channels).
inline void resize_pillow_horizontal(Cpu, std::uint8_t* out, const std::uint8_t* in,
                                     const PillowPass& pass, const ResizeRowsParams& p) {
  const auto run = [&](auto kernel) {
    const std::int64_t columns = p.in_width + p.out_width;
    const std::int64_t scratch_bytes = (columns * pillow_rows + p.out_width) * p.channels;
    parallel_for(p.rows, 2 * pillow_rows, [&](std::int64_t begin, std::int64_t end) {
      mien::Storage scratch(static_cast<std::size_t>(scratch_bytes));
      kernel(out, in, p.in_width, p.out_width, pass,
             static_cast<std::uint8_t*>(scratch.mutable_data()), begin, end);
    });
  };
  switch (p.channels) {
    case 1:
      return run(MIEN_ISA_PICK(pillow_horizontal<1>));
    case 2:
      return run(MIEN_ISA_PICK(pillow_horizontal<2>));
    case 3:
      return run(MIEN_ISA_PICK(pillow_horizontal<3>));
    case 4:
      return run(MIEN_ISA_PICK(pillow_horizontal<4>));
  }
  fail("resize_pillow", str("expected 1 to 4 channels, got ", p.channels));
}

}  // namespace mien::kernels
