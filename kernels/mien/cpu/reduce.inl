// Reductions of x (mid, post) over mid. Accumulation is in Compute<T>, in an order that depends on
// the sizes alone.

namespace mien::kernels::MIEN_ISA {

template <Reduction Kind, class V>
MIEN_INLINE V combine(V a, V b) {
  if constexpr (Kind == Reduction::sum)
    return a + b;
  else if constexpr (std::is_arithmetic_v<V>)
    return (Kind == Reduction::max) == (a > b) ? a : b;
  else if constexpr (Kind == Reduction::max)
    return max(a, b);
  else
    return min(a, b);
}

template <Reduction Kind, class V>
MIEN_INLINE auto combine_lanes(V a) {
  if constexpr (Kind == Reduction::sum)
    return reduce_add(a);
  else if constexpr (Kind == Reduction::max)
    return reduce_max(a);
  else
    return reduce_min(a);
}

// One row of n elements to one value. `start` is the reduction's neutral element.
template <Reduction Kind, class T>
Compute<T> reduce_row(const T* x, std::int64_t n, Compute<T> start) {
  using V = Vec<Compute<T>>;
  constexpr int width = V::lanes;
  V a(start), b(start), c(start), d(start);
  std::int64_t i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    a = combine<Kind>(a, V::load(x + i));
    b = combine<Kind>(b, V::load(x + i + width));
    c = combine<Kind>(c, V::load(x + i + 2 * width));
    d = combine<Kind>(d, V::load(x + i + 3 * width));
  }
  for (; i + width <= n; i += width) a = combine<Kind>(a, V::load(x + i));
  Compute<T> total = combine_lanes<Kind>(combine<Kind>(combine<Kind>(a, b), combine<Kind>(c, d)));
  for (; i < n; ++i) total = combine<Kind>(total, static_cast<Compute<T>>(x[i]));
  return total;
}

// Columns: out[j] = reduction of x[i * post + j] over i < mid.
template <Reduction Kind, class T>
void reduce_columns(Compute<T>* out, const T* x, std::int64_t mid, std::int64_t post,
                    Compute<T> start) {
  using V = Vec<Compute<T>>;
  constexpr int width = V::lanes;
  std::int64_t j = 0;
  for (; j + 4 * width <= post; j += 4 * width) {
    V a(start), b(start), c(start), d(start);
    const T* p = x + j;
    for (std::int64_t i = 0; i < mid; ++i, p += post) {
      a = combine<Kind>(a, V::load(p));
      b = combine<Kind>(b, V::load(p + width));
      c = combine<Kind>(c, V::load(p + 2 * width));
      d = combine<Kind>(d, V::load(p + 3 * width));
    }
    a.store(out + j);
    b.store(out + j + width);
    c.store(out + j + 2 * width);
    d.store(out + j + 3 * width);
  }
  for (; j < post; j += width) {
    const int n = post - j < width ? static_cast<int>(post - j) : width;
    V a(start);
    const T* p = x + j;
    for (std::int64_t i = 0; i < mid; ++i, p += post) a = combine<Kind>(a, V::load(p, n));
    a.store(out + j, n);
  }
}

}  // namespace mien::kernels::MIEN_ISA
