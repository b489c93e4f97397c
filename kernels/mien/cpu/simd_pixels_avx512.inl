// Samples and pixels sixteen at a time. Included by cpu/simd_pixels.hpp only, inside an AVX-512
// region.

namespace mien::kernels::avx512 {

struct Rgb {
  Vec<float> r, g, b;
};

MIEN_INLINE Vec<float> load_samples(const std::uint8_t* p) {
  return _mm512_cvtepi32_ps(Vec<std::int32_t>::load(p).v);
}
MIEN_INLINE Vec<float> load_samples(const std::uint8_t* p, int n) {
  return _mm512_cvtepi32_ps(Vec<std::int32_t>::load(p, n).v);
}
MIEN_INLINE void store_samples(std::uint8_t* p, Vec<float> x) {
  Vec<std::int32_t>(_mm512_cvttps_epi32(x.v)).store_clamped(p);
}
MIEN_INLINE void store_samples(std::uint8_t* p, Vec<float> x, int n) {
  Vec<std::int32_t>(_mm512_cvttps_epi32(x.v)).store_clamped(p, n);
}

// A pixel is a 32-bit lane on the way: red in its lowest byte, zero in its highest.
MIEN_INLINE Rgb spread_pixels(__m512i bytes) {
  const __m512i quarters = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
  const __m512i spread =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
  const __m512i pixels = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(quarters, bytes), spread);
  const __m512i byte = _mm512_set1_epi32(0xff);
  return {_mm512_cvtepi32_ps(_mm512_and_si512(pixels, byte)),
          _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(pixels, 8), byte)),
          _mm512_cvtepi32_ps(_mm512_srli_epi32(pixels, 16))};
}
MIEN_INLINE __m512i join_pixels(const Rgb& x) {
  const __m512i g = _mm512_slli_epi32(_mm512_cvttps_epi32(x.g.v), 8);
  const __m512i b = _mm512_slli_epi32(_mm512_cvttps_epi32(x.b.v), 16);
  const __m512i pixels = _mm512_or_si512(_mm512_cvttps_epi32(x.r.v), _mm512_or_si512(g, b));
  const __m512i together =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  const __m512i quarters = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(quarters, _mm512_shuffle_epi8(pixels, together));
}

// The bytes of the first n pixels.
MIEN_INLINE __mmask64 pixel_bytes(int n) { return (std::uint64_t{1} << (3 * n)) - 1; }

// Whole vectors go in two parts: a masked load of 64 bytes would wait for the masked store before
// it, of which it reads nothing: 2.6 times the time of shift_hue().
MIEN_INLINE Rgb load_pixels(const std::uint8_t* p) {
  const __m256i left = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m128i right = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 32));
  return spread_pixels(_mm512_inserti32x4(_mm512_castsi256_si512(left), right, 2));
}
MIEN_INLINE Rgb load_pixels(const std::uint8_t* p, int n) {
  return spread_pixels(_mm512_maskz_loadu_epi8(pixel_bytes(n), p));
}
MIEN_INLINE void store_pixels(std::uint8_t* p, const Rgb& x) {
  const __m512i bytes = join_pixels(x);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_castsi512_si256(bytes));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 32), _mm512_extracti32x4_epi32(bytes, 2));
}
MIEN_INLINE void store_pixels(std::uint8_t* p, const Rgb& x, int n) {
  _mm512_mask_storeu_epi8(p, pixel_bytes(n), join_pixels(x));
}

}  // namespace mien::kernels::avx512
