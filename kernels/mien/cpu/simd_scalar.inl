// Vec of one lane: plain arithmetic, the fallback on any machine and the reference for the others.
// Included by cpu/simd.hpp only.

namespace mien::kernels::scalar {

template <class T>
struct Vec;

template <class T>
requires OneOf<T, float, double>
struct Vec<T> {
  static constexpr int lanes = 1;
  T v;
  struct Mask {
    bool set;
  };

  MIEN_INLINE Vec() : v(0) {}
  MIEN_INLINE Vec(T value) : v(value) {}

  template <class S>
  static MIEN_INLINE Vec load(const S* p) {
    return Vec(static_cast<T>(*p));
  }
  template <class S>
  static MIEN_INLINE Vec load(const S* p, int n) {
    return n > 0 ? load(p) : Vec();
  }
  template <class S>
  MIEN_INLINE void store(S* p) const {
    *p = static_cast<S>(v);
  }
  template <class S>
  MIEN_INLINE void store(S* p, int n) const {
    if (n > 0) store(p);
  }
  template <class S>
  MIEN_INLINE void stream(S* p) const {
    store(p);
  }

  friend MIEN_INLINE Vec operator+(Vec a, Vec b) { return a.v + b.v; }
  friend MIEN_INLINE Vec operator-(Vec a, Vec b) { return a.v - b.v; }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) { return a.v * b.v; }
  friend MIEN_INLINE Vec operator/(Vec a, Vec b) { return a.v / b.v; }
  friend MIEN_INLINE Vec operator-(Vec a) { return -a.v; }
  friend MIEN_INLINE Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
  friend MIEN_INLINE Mask operator<=(Vec a, Vec b) { return {a.v <= b.v}; }
  friend MIEN_INLINE Mask operator==(Vec a, Vec b) { return {a.v == b.v}; }
  friend MIEN_INLINE Vec select(Mask m, Vec yes, Vec no) { return m.set ? yes : no; }
  friend MIEN_INLINE Vec fma(Vec a, Vec b, Vec c) { return a.v * b.v + c.v; }
  friend MIEN_INLINE Vec min(Vec a, Vec b) { return a.v < b.v ? a : b; }
  friend MIEN_INLINE Vec max(Vec a, Vec b) { return a.v > b.v ? a : b; }
  friend MIEN_INLINE Vec abs(Vec a) { return std::fabs(a.v); }
  friend MIEN_INLINE Vec sqrt(Vec a) { return std::sqrt(a.v); }
  friend MIEN_INLINE Vec floor(Vec a) { return std::floor(a.v); }
  friend MIEN_INLINE Vec round(Vec a) { return std::nearbyint(a.v); }
  friend MIEN_INLINE T reduce_add(Vec a) { return a.v; }
  friend MIEN_INLINE T reduce_max(Vec a) { return a.v; }
  friend MIEN_INLINE T reduce_min(Vec a) { return a.v; }
  friend MIEN_INLINE Vec reciprocal(Vec a) { return T(1) / a.v; }
  friend MIEN_INLINE Vec exp2i(Vec n) { return ldexp(Vec(T(1)), n); }
  friend MIEN_INLINE Vec ldexp(Vec x, Vec n) {
    return std::isnan(n.v) ? n.v : std::ldexp(x.v, static_cast<int>(n.v));
  }
  friend MIEN_INLINE Vec frexp_parts(Vec x, Vec& exponent) {
    int e = 0;
    const T mantissa = std::frexp(x.v, &e);
    exponent = static_cast<T>(e);
    return mantissa;
  }
};

}  // namespace mien::kernels::scalar
