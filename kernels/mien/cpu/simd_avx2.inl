// Vec of 8 floats or 4 doubles. Included by cpu/simd.hpp only, inside an AVX2 + FMA + F16C region.

namespace mien::kernels::avx2 {

template <class T>
struct Vec;

// Lanes 0..n-1 set, for masked loads and stores.
MIEN_INLINE __m256i first_lanes32(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
MIEN_INLINE __m256i first_lanes64(int n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

template <>
struct Vec<float> {
  static constexpr int lanes = 8;
  __m256 v;
  struct Mask {
    __m256 m;
  };

  MIEN_INLINE Vec() : v(_mm256_setzero_ps()) {}
  MIEN_INLINE Vec(float value) : v(_mm256_set1_ps(value)) {}
  MIEN_INLINE Vec(__m256 value) : v(value) {}

  static MIEN_INLINE Vec load(const float* p) { return _mm256_loadu_ps(p); }
  static MIEN_INLINE Vec load(const float* p, int n) {
    return _mm256_maskload_ps(p, first_lanes32(n));
  }
  MIEN_INLINE void store(float* p) const { _mm256_storeu_ps(p, v); }
  // Past the caches (cpu/streaming.hpp); p is aligned to the vector.
  MIEN_INLINE void stream(float* p) const { _mm256_stream_ps(p, v); }
  MIEN_INLINE void store(float* p, int n) const { _mm256_maskstore_ps(p, first_lanes32(n), v); }

  static MIEN_INLINE Vec load(const bf16* p) {
    const __m256i wide =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  static MIEN_INLINE Vec load(const f16* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  MIEN_INLINE void store(bf16* p) const {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_srli_epi32(
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i wide = _mm256_blendv_epi8(rounded, quiet, nan);
    const __m128i low = _mm256_castsi256_si128(wide), high = _mm256_extracti128_si256(wide, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packus_epi32(low, high));
  }
  MIEN_INLINE void store(f16* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  // 16-bit tails go through a small buffer: AVX2 has no 16-bit masked load.
  template <class S>
  requires(sizeof(S) == 2) static MIEN_INLINE Vec load(const S* p, int n) {
    S lane[8] = {};
    std::memcpy(static_cast<void*>(lane), p, static_cast<std::size_t>(n) * sizeof(S));
    return load(lane);
  }
  template <class S>
  requires(sizeof(S) == 2) MIEN_INLINE void store(S* p, int n) const {
    S lane[8];
    store(lane);
    std::memcpy(static_cast<void*>(p), lane, static_cast<std::size_t>(n) * sizeof(S));
  }

  friend MIEN_INLINE Vec operator+(Vec a, Vec b) { return _mm256_add_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a, Vec b) { return _mm256_sub_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) { return _mm256_mul_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator/(Vec a, Vec b) { return _mm256_div_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a) { return _mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f)); }
  friend MIEN_INLINE Mask operator<(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
  friend MIEN_INLINE Mask operator<=(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
  friend MIEN_INLINE Mask operator==(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
  friend MIEN_INLINE Vec select(Mask m, Vec yes, Vec no) {
    return _mm256_blendv_ps(no.v, yes.v, m.m);
  }
  friend MIEN_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
  friend MIEN_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a.v, b.v); }
  friend MIEN_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a.v, b.v); }
  friend MIEN_INLINE Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v); }
  friend MIEN_INLINE Vec sqrt(Vec a) { return _mm256_sqrt_ps(a.v); }
  friend MIEN_INLINE Vec floor(Vec a) { return _mm256_floor_ps(a.v); }
  friend MIEN_INLINE Vec round(Vec a) {
    return _mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  friend MIEN_INLINE float reduce_add(Vec a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  friend MIEN_INLINE float reduce_max(Vec a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }
  friend MIEN_INLINE float reduce_min(Vec a) {
    __m128 s = _mm_min_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_min_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
  }
  friend MIEN_INLINE Vec reciprocal(Vec a) { return Vec(1.0f) / a; }
  friend MIEN_INLINE Vec exp2i(Vec n) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
  }
  friend MIEN_INLINE Vec ldexp(Vec x, Vec n) {  // in two factors: 2^n alone may not be a number
    const Vec half = floor(n * Vec(0.5f));
    return x * exp2i(half) * exp2i(n - half);
  }
  friend MIEN_INLINE Vec frexp_parts(Vec x, Vec& exponent) {
    const __m256i bits = _mm256_castps_si256(x.v);
    exponent =
        _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(126)));
    const __m256i mantissa = _mm256_and_si256(bits, _mm256_set1_epi32(0x007fffff));
    return _mm256_castsi256_ps(_mm256_or_si256(mantissa, _mm256_set1_epi32(0x3f000000)));
  }
};

template <>
struct Vec<double> {
  static constexpr int lanes = 4;
  __m256d v;
  struct Mask {
    __m256d m;
  };

  MIEN_INLINE Vec() : v(_mm256_setzero_pd()) {}
  MIEN_INLINE Vec(double value) : v(_mm256_set1_pd(value)) {}
  MIEN_INLINE Vec(__m256d value) : v(value) {}

  static MIEN_INLINE Vec load(const double* p) { return _mm256_loadu_pd(p); }
  static MIEN_INLINE Vec load(const double* p, int n) {
    return _mm256_maskload_pd(p, first_lanes64(n));
  }
  MIEN_INLINE void store(double* p) const { _mm256_storeu_pd(p, v); }
  MIEN_INLINE void stream(double* p) const { _mm256_stream_pd(p, v); }
  MIEN_INLINE void store(double* p, int n) const { _mm256_maskstore_pd(p, first_lanes64(n), v); }

  friend MIEN_INLINE Vec operator+(Vec a, Vec b) { return _mm256_add_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a, Vec b) { return _mm256_sub_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) { return _mm256_mul_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator/(Vec a, Vec b) { return _mm256_div_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a) { return _mm256_xor_pd(a.v, _mm256_set1_pd(-0.0)); }
  friend MIEN_INLINE Mask operator<(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)}; }
  friend MIEN_INLINE Mask operator<=(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LE_OQ)}; }
  friend MIEN_INLINE Mask operator==(Vec a, Vec b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ)}; }
  friend MIEN_INLINE Vec select(Mask m, Vec yes, Vec no) {
    return _mm256_blendv_pd(no.v, yes.v, m.m);
  }
  friend MIEN_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_pd(a.v, b.v, c.v); }
  friend MIEN_INLINE Vec min(Vec a, Vec b) { return _mm256_min_pd(a.v, b.v); }
  friend MIEN_INLINE Vec max(Vec a, Vec b) { return _mm256_max_pd(a.v, b.v); }
  friend MIEN_INLINE Vec abs(Vec a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v); }
  friend MIEN_INLINE Vec sqrt(Vec a) { return _mm256_sqrt_pd(a.v); }
  friend MIEN_INLINE Vec floor(Vec a) { return _mm256_floor_pd(a.v); }
  friend MIEN_INLINE Vec round(Vec a) {
    return _mm256_round_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  friend MIEN_INLINE double reduce_add(Vec a) {
    const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
  }
  friend MIEN_INLINE double reduce_max(Vec a) {
    const __m128d s = _mm_max_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1));
    return _mm_cvtsd_f64(_mm_max_sd(s, _mm_unpackhi_pd(s, s)));
  }
  friend MIEN_INLINE double reduce_min(Vec a) {
    const __m128d s = _mm_min_pd(_mm256_castpd256_pd128(a.v), _mm256_extractf128_pd(a.v, 1));
    return _mm_cvtsd_f64(_mm_min_sd(s, _mm_unpackhi_pd(s, s)));
  }
  friend MIEN_INLINE Vec reciprocal(Vec a) { return Vec(1.0) / a; }
  friend MIEN_INLINE Vec exp2i(Vec n) {
    const __m256i wide = _mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n.v));
    return _mm256_castsi256_pd(
        _mm256_slli_epi64(_mm256_add_epi64(wide, _mm256_set1_epi64x(1023)), 52));
  }
  friend MIEN_INLINE Vec ldexp(Vec x, Vec n) {  // in two factors: 2^n alone may not be a number
    const Vec half = floor(n * Vec(0.5));
    return x * exp2i(half) * exp2i(n - half);
  }
  friend MIEN_INLINE Vec frexp_parts(Vec x, Vec& exponent) {
    double value[4], power[4];
    x.store(value);
    for (int i = 0; i < 4; ++i) {
      int e = 0;
      value[i] = std::frexp(value[i], &e);
      power[i] = e;
    }
    exponent = load(power);
    return load(value);
  }
};

}  // namespace mien::kernels::avx2
