// Vec<std::int32_t> of one lane. Included by cpu/simd_int32.hpp only.

namespace mien::kernels::scalar {

template <>
struct Vec<std::int32_t> {
  static constexpr int lanes = 1;
  std::int32_t v;

  MIEN_INLINE Vec() : v(0) {}
  MIEN_INLINE Vec(std::int32_t value) : v(value) {}

  template <class S>
  static MIEN_INLINE Vec load(const S* p) {
    return Vec(*p);
  }
  template <class S>
  static MIEN_INLINE Vec load(const S* p, int n) {
    return n > 0 ? load(p) : Vec();
  }
  MIEN_INLINE void store(std::int32_t* p) const { *p = v; }
  MIEN_INLINE void store(std::int32_t* p, int n) const {
    if (n > 0) store(p);
  }
  MIEN_INLINE void store_clamped(std::uint8_t* p) const {
    *p = static_cast<std::uint8_t>(v < 0 ? 0 : v > 255 ? 255 : v);
  }
  MIEN_INLINE void store_clamped(std::uint8_t* p, int n) const {
    if (n > 0) store_clamped(p);
  }

  // Unsigned arithmetic: signed overflow would be undefined.
  friend MIEN_INLINE Vec operator+(Vec a, Vec b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v) +
                                     static_cast<std::uint32_t>(b.v));
  }
  friend MIEN_INLINE Vec operator*(Vec a, Vec b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v) *
                                     static_cast<std::uint32_t>(b.v));
  }
  friend MIEN_INLINE Vec operator>>(Vec a, int count) { return a.v >> count; }
};

}  // namespace mien::kernels::scalar
