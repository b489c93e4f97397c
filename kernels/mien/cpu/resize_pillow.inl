// The two passes of Pillow's 8-bit resampling. Both are sums of whole byte vectors: down the rows
// of the image, or down the rows of its transpose, 16 image rows at a time.

namespace mien::kernels::MIEN_ISA {

// out[i] = clamp((half + sum over t of weights[t] * in[t * stride + i]) >> bits) for the
// `Vectors` vectors at out.
template <int Vectors>
MIEN_INLINE void weighted_bytes(std::uint8_t* out, const std::uint8_t* in, std::ptrdiff_t stride,
                                const std::int32_t* weights, int taps) {
  using V = Vec<std::int32_t>;
  V sum[Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Vectors; ++i) sum[i] = V(pillow_half);
  for (int t = 0; t < taps; ++t, in += stride) {
    const V weight(weights[t]);
#pragma GCC unroll 16
    for (int i = 0; i < Vectors; ++i) sum[i] = sum[i] + V::load(in + i * V::lanes) * weight;
  }
#pragma GCC unroll 16
  for (int i = 0; i < Vectors; ++i) (sum[i] >> pillow_bits).store_clamped(out + i * V::lanes);
}

// The same for the n <= lanes bytes at a row's end.
MIEN_INLINE void weighted_bytes_tail(std::uint8_t* out, const std::uint8_t* in,
                                     std::ptrdiff_t stride, const std::int32_t* weights, int taps,
                                     int n) {
  using V = Vec<std::int32_t>;
  V sum(pillow_half);
  for (int t = 0; t < taps; ++t, in += stride) sum = sum + V::load(in, n) * V(weights[t]);
  (sum >> pillow_bits).store_clamped(out, n);
}

// out (rows of the pass, width), in (rows of the image, width): output rows [begin, end).
inline void pillow_vertical(std::uint8_t* out, const std::uint8_t* in, std::ptrdiff_t width,
                            const PillowPass& pass, std::int64_t begin, std::int64_t end) {
  constexpr int lanes = Vec<std::int32_t>::lanes;
  for (std::int64_t y = begin; y < end; ++y) {
    const std::int32_t* weights = pass.weights + y * pass.stride;
    const std::uint8_t* from = in + pass.first[y] * width;
    std::uint8_t* to = out + y * width;
    std::ptrdiff_t x = 0;
    for (; x + 4 * lanes <= width; x += 4 * lanes)
      weighted_bytes<4>(to + x, from + x, width, weights, pass.count[y]);
    for (; x < width; x += lanes) {
      const int n = static_cast<int>(width - x < lanes ? width - x : lanes);
      weighted_bytes_tail(to + x, from + x, width, weights, pass.count[y], n);
    }
  }
}

#if MIEN_X86
// A tile of 16 x 16 bytes, transposed. Four rounds of interleaving row i with row i + 8 rotate the
// eight index bits (row, column) by four.
MIEN_INLINE void transpose(__m128i (&a)[16]) {
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    __m128i b[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]);
      b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = b[i];
  }
}
#endif

// columns (width, 16) from 16 rows of `width` bytes.
inline void rows_to_columns(std::uint8_t* columns, const std::uint8_t* const rows[16],
                            std::ptrdiff_t width) {
  std::ptrdiff_t x = 0;
#if MIEN_X86
  for (; x + 16 <= width; x += 16) {
    __m128i a[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + x));
    transpose(a);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(columns + x * 16 + i * 16), a[i]);
  }
#endif
  for (; x < width; ++x)
    for (int i = 0; i < 16; ++i) columns[x * 16 + i] = rows[i][x];
}

// The reverse.
inline void columns_to_rows(std::uint8_t* const rows[16], const std::uint8_t* columns,
                            std::ptrdiff_t width) {
  std::ptrdiff_t x = 0;
#if MIEN_X86
  for (; x + 16 <= width; x += 16) {
    __m128i a[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(columns + x * 16 + i * 16));
    transpose(a);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(rows[i] + x), a[i]);
  }
#endif
  for (; x < width; ++x)
    for (int i = 0; i < 16; ++i) rows[i][x] = columns[x * 16 + i];
}

// out (rows, width of the pass, Channels), in (rows, in_width, Channels): rows [begin, end).
// scratch holds (in_width + out_width) * Channels columns and one more output row.
template <int Channels>
void pillow_horizontal(std::uint8_t* out, const std::uint8_t* in, std::int64_t in_width,
                       std::int64_t out_width, const PillowPass& pass, std::uint8_t* scratch,
                       std::int64_t begin, std::int64_t end) {
  constexpr int pixel = Channels * pillow_rows;  // bytes of one pixel in 16 rows
  constexpr int lanes = Vec<std::int32_t>::lanes;
  constexpr int vectors = pixel / lanes < 8 ? pixel / lanes : 8;  // no more fit in registers
  const std::ptrdiff_t in_bytes = in_width * Channels, out_bytes = out_width * Channels;
  std::uint8_t* from = scratch;
  std::uint8_t* to = from + in_width * pixel;
  std::uint8_t* spare = to + out_width * pixel;  // takes the rows beyond the last one
  for (std::int64_t y = begin; y < end; y += pillow_rows) {
    const std::uint8_t* in_rows[pillow_rows];
    std::uint8_t* out_rows[pillow_rows];
    for (int i = 0; i < pillow_rows; ++i) {
      in_rows[i] = in + (y + i < end ? y + i : end - 1) * in_bytes;
      out_rows[i] = y + i < end ? out + (y + i) * out_bytes : spare;
    }
    rows_to_columns(from, in_rows, in_bytes);
    for (std::int64_t x = 0; x < out_width; ++x)
      for (int i = 0; i < pixel; i += vectors * lanes)
        weighted_bytes<vectors>(to + x * pixel + i,
                                from + pass.first[x] * std::ptrdiff_t{pixel} + i, pixel,
                                pass.weights + x * pass.stride, pass.count[x]);
    columns_to_rows(out_rows, to, out_bytes);
  }
}

}  // namespace mien::kernels::MIEN_ISA
