// An array as whole vectors and what is left at its end.

namespace mien::kernels::MIEN_ISA {

// n = lanes reads or writes a whole vector.
template <class T>
MIEN_INLINE Vec<Compute<T>> load_vector(const T* p, int n) {
  using V = Vec<Compute<T>>;
  return n == V::lanes ? V::load(p) : V::load(p, n);
}

template <class C, class T>
MIEN_INLINE void store_vector(Vec<C> v, T* p, int n) {
  n == Vec<C>::lanes ? v.store(p) : v.store(p, n);
}

// The same, past the caches where `streaming`: then p is aligned and the vector whole.
template <class C, class T>
MIEN_INLINE void store_vector(Vec<C> v, T* p, int n, bool streaming) {
  if constexpr (requires { v.stream(p); })
    if (streaming) return v.stream(p);
  store_vector(v, p, n);
}

// Calls body(first, count) for the vectors of [0, n).
template <class C, class Body>
MIEN_INLINE void each_vector(std::int64_t n, Body&& body) {
  std::int64_t j = 0;
  for (; j + Vec<C>::lanes <= n; j += Vec<C>::lanes) body(j, Vec<C>::lanes);
  if (j < n) body(j, static_cast<int>(n - j));
}

}  // namespace mien::kernels::MIEN_ISA
