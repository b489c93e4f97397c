// Channels of pixels: x (pixels, c).

namespace mien::kernels::MIEN_ISA {

// The first n lanes, 0 < n <= lanes; whole vectors take the cheaper instruction.
template <class V, class S>
MIEN_INLINE V load_lanes(const S* p, int n) {
  return n == V::lanes ? V::load(p) : V::load(p, n);
}
template <class V, class S>
MIEN_INLINE void store_lanes(V v, S* p, int n) {
  n == V::lanes ? v.store(p) : v.store(p, n);
}

// Sum of term(i) over i < count, in four interleaved parts.
template <class V, class Term>
MIEN_INLINE V sum_terms(std::int64_t count, Term term) {
  V s0, s1, s2, s3;
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    s0 = s0 + term(i);
    s1 = s1 + term(i + 1);
    s2 = s2 + term(i + 2);
    s3 = s3 + term(i + 3);
  }
  for (; i < count; ++i) s0 = s0 + term(i);
  return (s0 + s1) + (s2 + s3);
}

template <class T>
void channel_sums_rows(Compute<T>* sums, const T* x, std::int64_t pixels, std::int64_t c) {
  using V = Vec<Compute<T>>;
  for (std::int64_t j = 0; j < c; j += V::lanes) {
    const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, c - j));
    const V sum =
        sum_terms<V>(pixels, [&](std::int64_t i) { return load_lanes<V>(x + i * c + j, n); });
    store_lanes(sum, sums + j, n);
  }
}

template <class T>
void channel_dots_rows(Compute<T>* dots, const T* x, const T* y, std::int64_t pixels,
                       std::int64_t c) {
  using V = Vec<Compute<T>>;
  for (std::int64_t j = 0; j < c; j += V::lanes) {
    const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, c - j));
    const V sum = sum_terms<V>(pixels, [&](std::int64_t i) {
      return load_lanes<V>(x + i * c + j, n) * load_lanes<V>(y + i * c + j, n);
    });
    store_lanes(sum, dots + j, n);
  }
}

// y = x * scale + shift, shift may be null.
template <class T>
void channel_scale_rows(T* y, const T* x, const Compute<T>* scale, const Compute<T>* shift,
                        std::int64_t pixels, std::int64_t c) {
  using V = Vec<Compute<T>>;
  for (std::int64_t i = 0; i < pixels; ++i, x += c, y += c) {
    for (std::int64_t j = 0; j < c; j += V::lanes) {
      const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, c - j));
      const V t = shift == nullptr ? V() : load_lanes<V>(shift + j, n);
      store_lanes(fma(load_lanes<V>(x + j, n), load_lanes<V>(scale + j, n), t), y + j, n);
    }
  }
}

}  // namespace mien::kernels::MIEN_ISA
