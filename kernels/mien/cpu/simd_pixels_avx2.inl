// Samples and pixels eight at a time. Included by cpu/simd_pixels.hpp only, inside an AVX2 region.

namespace mien::kernels::avx2 {

struct Rgb {
  Vec<float> r, g, b;
};

MIEN_INLINE Vec<float> load_samples(const std::uint8_t* p) {
  return _mm256_cvtepi32_ps(Vec<std::int32_t>::load(p).v);
}
MIEN_INLINE Vec<float> load_samples(const std::uint8_t* p, int n) {
  return _mm256_cvtepi32_ps(Vec<std::int32_t>::load(p, n).v);
}
MIEN_INLINE void store_samples(std::uint8_t* p, Vec<float> x) {
  Vec<std::int32_t>(_mm256_cvttps_epi32(x.v)).store_clamped(p);
}
MIEN_INLINE void store_samples(std::uint8_t* p, Vec<float> x, int n) {
  Vec<std::int32_t>(_mm256_cvttps_epi32(x.v)).store_clamped(p, n);
}

// A pixel is a 32-bit lane on the way: red in its lowest byte, zero in its highest.
MIEN_INLINE Rgb load_pixels(const std::uint8_t* p) {
  const __m128i left = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i right = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8));
  const __m256i spread = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1,  //
                                          4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
  const __m256i pixels = _mm256_shuffle_epi8(_mm256_set_m128i(right, left), spread);
  const __m256i byte = _mm256_set1_epi32(0xff);
  return {_mm256_cvtepi32_ps(_mm256_and_si256(pixels, byte)),
          _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(pixels, 8), byte)),
          _mm256_cvtepi32_ps(_mm256_srli_epi32(pixels, 16))};
}
MIEN_INLINE Rgb load_pixels(const std::uint8_t* p, int n) {
  std::uint8_t pixels[24] = {};
  std::memcpy(pixels, p, static_cast<std::size_t>(3 * n));
  return load_pixels(pixels);
}
MIEN_INLINE void store_pixels(std::uint8_t* p, const Rgb& x) {
  const __m256i g = _mm256_slli_epi32(_mm256_cvttps_epi32(x.g.v), 8);
  const __m256i b = _mm256_slli_epi32(_mm256_cvttps_epi32(x.b.v), 16);
  const __m256i pixels = _mm256_or_si256(_mm256_cvttps_epi32(x.r.v), _mm256_or_si256(g, b));
  const __m256i gather = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(pixels, gather),
                                                    _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(bytes));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p + 16), _mm256_extracti128_si256(bytes, 1));
}
MIEN_INLINE void store_pixels(std::uint8_t* p, const Rgb& x, int n) {
  std::uint8_t pixels[24];
  store_pixels(pixels, x);
  std::memcpy(p, pixels, static_cast<std::size_t>(3 * n));
}

}  // namespace mien::kernels::avx2
