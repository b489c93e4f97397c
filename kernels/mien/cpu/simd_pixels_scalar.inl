// Samples and pixels one at a time. Included by cpu/simd_pixels.hpp only.

namespace mien::kernels::scalar {

struct Rgb {
  Vec<float> r, g, b;
};

MIEN_INLINE Vec<float> load_samples(const std::uint8_t* p) { return Vec<float>::load(p); }
MIEN_INLINE Vec<float> load_samples(const std::uint8_t* p, int n) { return Vec<float>::load(p, n); }
MIEN_INLINE void store_samples(std::uint8_t* p, Vec<float> x) { x.store(p); }
MIEN_INLINE void store_samples(std::uint8_t* p, Vec<float> x, int n) { x.store(p, n); }

MIEN_INLINE Rgb load_pixels(const std::uint8_t* p) {
  return {load_samples(p), load_samples(p + 1), load_samples(p + 2)};
}
MIEN_INLINE Rgb load_pixels(const std::uint8_t* p, int n) { return n > 0 ? load_pixels(p) : Rgb(); }
MIEN_INLINE void store_pixels(std::uint8_t* p, const Rgb& x) {
  x.r.store(p);
  x.g.store(p + 1);
  x.b.store(p + 2);
}
MIEN_INLINE void store_pixels(std::uint8_t* p, const Rgb& x, int n) {
  if (n > 0) store_pixels(p, x);
}

}  // namespace mien::kernels::scalar
