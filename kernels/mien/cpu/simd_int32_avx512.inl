// Vec<std::int32_t> of 16 lanes. Included by cpu/simd_int32.hpp only, inside an AVX-512 region.

namespace mien::kernels::avx512 {

template <>
struct Vec<std::int32_t> {
  static constexpr int lanes = 16;
  __m512i v;

  MIEN_INLINE Vec() : v(_mm512_setzero_si512()) {}
  MIEN_INLINE Vec(std::int32_t value) : v(_mm512_set1_epi32(value)) {}
  MIEN_INLINE Vec(__m512i value) : v(value) {}

  static MIEN_INLINE __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }

  static MIEN_INLINE Vec load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static MIEN_INLINE Vec load(const std::int32_t* p, int n) {
    return _mm512_maskz_loadu_epi32(first(n), p);
  }
  static MIEN_INLINE Vec load(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static MIEN_INLINE Vec load(const std::uint8_t* p, int n) {
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first(n), p));
  }
  MIEN_INLINE void store(std::int32_t* p) const { _mm512_storeu_si512(p, v); }
  MIEN_INLINE void store(std::int32_t* p, int n) const { _mm512_mask_storeu_epi32(p, first(n), v); }
  MIEN_INLINE void store_clamped(std::uint8_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), clamped());
  }
  MIEN_INLINE void store_clamped(std::uint8_t* p, int n) const {
    _mm_mask_storeu_epi8(p, first(n), clamped());
  }

  friend MIEN_INLINE Vec operator+(Vec a, Vec b) { return _mm512_add_epi32(a.v, b.v); }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) { return _mm512_mullo_epi32(a.v, b.v); }
  friend MIEN_INLINE Vec operator>>(Vec a, int count) {
    return _mm512_srai_epi32(a.v, static_cast<unsigned>(count));
  }

 private:
  MIEN_INLINE __m128i clamped() const {
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(v, _mm512_setzero_si512()));
  }
};

}  // namespace mien::kernels::avx512
