// Vec of 16 floats or 8 doubles. Included by cpu/simd.hpp only, inside an AVX-512 F+BW+DQ+VL
// region.

namespace mien::kernels::avx512 {

template <class T>
struct Vec;

template <>
struct Vec<float> {
  static constexpr int lanes = 16;
  __m512 v;
  struct Mask {
    __mmask16 m;
  };

  MIEN_INLINE Vec() : v(_mm512_setzero_ps()) {}
  MIEN_INLINE Vec(float value) : v(_mm512_set1_ps(value)) {}
  MIEN_INLINE Vec(__m512 value) : v(value) {}

  static MIEN_INLINE __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }

  static MIEN_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
  static MIEN_INLINE Vec load(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
  MIEN_INLINE void store(float* p) const { _mm512_storeu_ps(p, v); }
  MIEN_INLINE void store(float* p, int n) const { _mm512_mask_storeu_ps(p, first(n), v); }

  static MIEN_INLINE Vec load(const bf16* p) {
    return widen_bf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static MIEN_INLINE Vec load(const bf16* p, int n) {
    return widen_bf16(_mm256_maskz_loadu_epi16(first(n), p));
  }
  static MIEN_INLINE Vec load(const f16* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static MIEN_INLINE Vec load(const f16* p, int n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p));
  }
  // Past the caches (cpu/streaming.hpp); p is aligned to the vector.
  MIEN_INLINE void stream(float* p) const { _mm512_stream_ps(p, v); }
  MIEN_INLINE void stream(bf16* p) const {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(p), narrow_bf16());
  }
  MIEN_INLINE void stream(f16* p) const {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  MIEN_INLINE void store(bf16* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow_bf16());
  }
  MIEN_INLINE void store(bf16* p, int n) const {
    _mm256_mask_storeu_epi16(p, first(n), narrow_bf16());
  }
  MIEN_INLINE void store(f16* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  MIEN_INLINE void store(f16* p, int n) const {
    _mm256_mask_storeu_epi16(p, first(n), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }

  friend MIEN_INLINE Vec operator+(Vec a, Vec b) { return _mm512_add_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a, Vec b) { return _mm512_sub_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) { return _mm512_mul_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator/(Vec a, Vec b) { return _mm512_div_ps(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a) { return _mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f)); }
  friend MIEN_INLINE Mask operator<(Vec a, Vec b) {
    return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)};
  }
  friend MIEN_INLINE Mask operator<=(Vec a, Vec b) {
    return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)};
  }
  friend MIEN_INLINE Mask operator==(Vec a, Vec b) {
    return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)};
  }
  friend MIEN_INLINE Vec select(Mask m, Vec yes, Vec no) {
    return _mm512_mask_blend_ps(m.m, no.v, yes.v);
  }
  friend MIEN_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
  friend MIEN_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a.v, b.v); }
  friend MIEN_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a.v, b.v); }
  friend MIEN_INLINE Vec abs(Vec a) { return _mm512_abs_ps(a.v); }
  friend MIEN_INLINE Vec sqrt(Vec a) { return _mm512_sqrt_ps(a.v); }
  friend MIEN_INLINE Vec floor(Vec a) {
    return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  }
  friend MIEN_INLINE Vec round(Vec a) {
    return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }

  friend MIEN_INLINE float reduce_add(Vec a) {
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a.v), a.upper());
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  friend MIEN_INLINE float reduce_max(Vec a) {
    __m256 h = _mm256_max_ps(_mm512_castps512_ps256(a.v), a.upper());
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }
  friend MIEN_INLINE float reduce_min(Vec a) {
    __m256 h = _mm256_min_ps(_mm512_castps512_ps256(a.v), a.upper());
    __m128 s = _mm_min_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    s = _mm_min_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
  }
  friend MIEN_INLINE Vec reciprocal(Vec a) {  // one Newton step on an estimate of 14 bits
    const Vec r = _mm512_rcp14_ps(a.v);
    return fma(r, fma(-a, r, Vec(1.0f)), r);
  }
  friend MIEN_INLINE Vec exp2i(Vec n) { return _mm512_scalef_ps(_mm512_set1_ps(1.0f), n.v); }
  friend MIEN_INLINE Vec ldexp(Vec x, Vec n) { return _mm512_scalef_ps(x.v, n.v); }
  friend MIEN_INLINE Vec frexp_parts(Vec x, Vec& exponent) {
    exponent = _mm512_add_ps(_mm512_getexp_ps(x.v), _mm512_set1_ps(1.0f));
    return _mm512_getmant_ps(x.v, _MM_MANT_NORM_p5_1, _MM_MANT_SIGN_src);
  }

 private:
  MIEN_INLINE __m256 upper() const { return _mm512_maskz_extractf32x8_ps(0xff, v, 1); }
  static MIEN_INLINE Vec widen_bf16(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  MIEN_INLINE __m256i narrow_bf16() const {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i upper = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_srli_epi32(
        _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(
        _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40)));
  }
};

template <>
struct Vec<double> {
  static constexpr int lanes = 8;
  __m512d v;
  struct Mask {
    __mmask8 m;
  };

  MIEN_INLINE Vec() : v(_mm512_setzero_pd()) {}
  MIEN_INLINE Vec(double value) : v(_mm512_set1_pd(value)) {}
  MIEN_INLINE Vec(__m512d value) : v(value) {}

  static MIEN_INLINE __mmask8 first(int n) { return static_cast<__mmask8>((1u << n) - 1u); }

  static MIEN_INLINE Vec load(const double* p) { return _mm512_loadu_pd(p); }
  static MIEN_INLINE Vec load(const double* p, int n) { return _mm512_maskz_loadu_pd(first(n), p); }
  MIEN_INLINE void store(double* p) const { _mm512_storeu_pd(p, v); }
  MIEN_INLINE void stream(double* p) const { _mm512_stream_pd(p, v); }
  MIEN_INLINE void store(double* p, int n) const { _mm512_mask_storeu_pd(p, first(n), v); }

  friend MIEN_INLINE Vec operator+(Vec a, Vec b) { return _mm512_add_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a, Vec b) { return _mm512_sub_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) { return _mm512_mul_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator/(Vec a, Vec b) { return _mm512_div_pd(a.v, b.v); }
  friend MIEN_INLINE Vec operator-(Vec a) { return _mm512_xor_pd(a.v, _mm512_set1_pd(-0.0)); }
  friend MIEN_INLINE Mask operator<(Vec a, Vec b) {
    return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)};
  }
  friend MIEN_INLINE Mask operator<=(Vec a, Vec b) {
    return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LE_OQ)};
  }
  friend MIEN_INLINE Mask operator==(Vec a, Vec b) {
    return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)};
  }
  friend MIEN_INLINE Vec select(Mask m, Vec yes, Vec no) {
    return _mm512_mask_blend_pd(m.m, no.v, yes.v);
  }
  friend MIEN_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_pd(a.v, b.v, c.v); }
  friend MIEN_INLINE Vec min(Vec a, Vec b) { return _mm512_min_pd(a.v, b.v); }
  friend MIEN_INLINE Vec max(Vec a, Vec b) { return _mm512_max_pd(a.v, b.v); }
  friend MIEN_INLINE Vec abs(Vec a) { return _mm512_abs_pd(a.v); }
  friend MIEN_INLINE Vec sqrt(Vec a) { return _mm512_sqrt_pd(a.v); }
  friend MIEN_INLINE Vec floor(Vec a) {
    return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  }
  friend MIEN_INLINE Vec round(Vec a) {
    return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  friend MIEN_INLINE double reduce_add(Vec a) {
    const __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(a.v), a.upper());
    const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
  }
  friend MIEN_INLINE double reduce_max(Vec a) {
    const __m256d h = _mm256_max_pd(_mm512_castpd512_pd256(a.v), a.upper());
    const __m128d s = _mm_max_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_max_sd(s, _mm_unpackhi_pd(s, s)));
  }
  friend MIEN_INLINE double reduce_min(Vec a) {
    const __m256d h = _mm256_min_pd(_mm512_castpd512_pd256(a.v), a.upper());
    const __m128d s = _mm_min_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_min_sd(s, _mm_unpackhi_pd(s, s)));
  }
  friend MIEN_INLINE Vec reciprocal(Vec a) { return Vec(1.0) / a; }
  friend MIEN_INLINE Vec exp2i(Vec n) { return _mm512_scalef_pd(_mm512_set1_pd(1.0), n.v); }
  friend MIEN_INLINE Vec ldexp(Vec x, Vec n) { return _mm512_scalef_pd(x.v, n.v); }
  friend MIEN_INLINE Vec frexp_parts(Vec x, Vec& exponent) {
    exponent = _mm512_add_pd(_mm512_getexp_pd(x.v), _mm512_set1_pd(1.0));
    return _mm512_getmant_pd(x.v, _MM_MANT_NORM_p5_1, _MM_MANT_SIGN_src);
  }

 private:
  MIEN_INLINE __m256d upper() const { return _mm512_maskz_extractf64x4_pd(0xf, v, 1); }
};

}  // namespace mien::kernels::avx512
