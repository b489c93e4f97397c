// Vec<std::int32_t> of 8 lanes. Included by cpu/simd_int32.hpp only, inside an AVX2 region.

namespace mien::kernels::avx2 {

template <>
struct Vec<std::int32_t> {
  static constexpr int lanes = 8;
  __m256i v;

  MIEN_INLINE Vec() : v(_mm256_setzero_si256()) {}
  MIEN_INLINE Vec(std::int32_t value) : v(_mm256_set1_epi32(value)) {}
  MIEN_INLINE Vec(__m256i value) : v(value) {}

  static MIEN_INLINE Vec load(const std::int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static MIEN_INLINE Vec load(const std::int32_t* p, int n) {
    return _mm256_maskload_epi32(p, first_lanes32(n));
  }
  static MIEN_INLINE Vec load(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static MIEN_INLINE Vec load(const std::uint8_t* p, int n) {
    std::uint8_t lane[lanes] = {};
    std::memcpy(lane, p, static_cast<std::size_t>(n));
    return load(lane);
  }
  MIEN_INLINE void store(std::int32_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  MIEN_INLINE void store(std::int32_t* p, int n) const {
    _mm256_maskstore_epi32(p, first_lanes32(n), v);
  }
  MIEN_INLINE void store_clamped(std::uint8_t* p) const {
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
  }
  MIEN_INLINE void store_clamped(std::uint8_t* p, int n) const {
    std::uint8_t lane[lanes];
    store_clamped(lane);
    std::memcpy(p, lane, static_cast<std::size_t>(n));
  }

  friend MIEN_INLINE Vec operator+(Vec a, Vec b) { return _mm256_add_epi32(a.v, b.v); }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) { return _mm256_mullo_epi32(a.v, b.v); }
  friend MIEN_INLINE Vec operator>>(Vec a, int count) { return _mm256_srai_epi32(a.v, count); }
};

}  // namespace mien::kernels::avx2
