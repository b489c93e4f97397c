// Channels of pixels: x (pixels, c).

namespace mien::kernels::MIEN_ISA {

// sums (N, c) over `rows` rows of pixels, `Together` at a time in the order of memory: several
// share a load and a store of the sums, one alone is fetched ahead best. terms(j, n) gives add(V*
// sums, i), which adds what row i has for the n channels from j on.
template <int N, int Together, class C, class Terms>
MIEN_INLINE void sum_rows(C* sums, std::int64_t rows, std::int64_t c, Terms terms) {
  std::fill(sums, sums + N * c, C(0));
  const auto add_rows = [&](std::int64_t first, auto count) {
    each_vector<C>(c, [&](std::int64_t j, int n) {
      const auto add = terms(j, n);
      Vec<C> part[N];
      for (int i = 0; i < count; ++i) add(part, first + i);
      for (int k = 0; k < N; ++k) {
        C* sum = sums + k * c + j;
        store_vector(load_vector(sum, n) + part[k], sum, n);
      }
    });
  };
  std::int64_t i = 0;
  for (; i + Together <= rows; i += Together) add_rows(i, std::integral_constant<int, Together>{});
  for (; i < rows; ++i) add_rows(i, std::integral_constant<int, 1>{});
}

template <class T>
void channel_sums_rows(Compute<T>* sums, const T* x, std::int64_t pixels, std::int64_t c) {
  using V = Vec<Compute<T>>;
  sum_rows<1, 4>(sums, pixels, c, [=](std::int64_t j, int n) {
    return [=](V* sum, std::int64_t i) { *sum = *sum + load_vector(x + i * c + j, n); };
  });
}

template <class T>
void channel_dots_rows(Compute<T>* dots, const T* x, const T* y, std::int64_t pixels,
                       std::int64_t c) {
  using V = Vec<Compute<T>>;
  sum_rows<1, 4>(dots, pixels, c, [=](std::int64_t j, int n) {
    return [=](V* sum, std::int64_t i) {
      const std::int64_t at = i * c + j;
      *sum = fma(load_vector(x + at, n), load_vector(y + at, n), *sum);
    };
  });
}

// y = x * scale + shift, shift may be null.
template <class T>
void channel_scale_rows(T* y, const T* x, const Compute<T>* scale, const Compute<T>* shift,
                        std::int64_t pixels, std::int64_t c, bool streaming) {
  using C = Compute<T>;
  for (std::int64_t i = 0; i < pixels; ++i, x += c, y += c)
    each_vector<C>(c, [&](std::int64_t j, int n) {
      const Vec<C> t = shift == nullptr ? Vec<C>() : load_vector(shift + j, n);
      store_vector(fma(load_vector(x + j, n), load_vector(scale + j, n), t), y + j, n, streaming);
    });
}

}  // namespace mien::kernels::MIEN_ISA
