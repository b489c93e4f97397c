// Reductions of tiles of x (mid, post) over mid. Accumulation is in Compute<T>, in an order that
// depends on the sizes alone. NaN wins in max and min.

namespace mien::kernels::MIEN_ISA {

// `a` is what has been reduced so far, `b` comes in.
template <Reduction Kind, class V>
MIEN_INLINE V combine(V a, V b) {
  if constexpr (Kind == Reduction::sum)
    return a + b;
  else if constexpr (std::is_arithmetic_v<V>)
    return a != a || (Kind == Reduction::max ? a > b : a < b) ? a : b;
  else if constexpr (Kind == Reduction::max)  // max(b, a) is `a` where that is NaN
    return select(b == b, max(b, a), b);
  else
    return select(b == b, min(b, a), b);
}

template <Reduction Kind, class C>
MIEN_INLINE C combine_lanes(Vec<C> a) {
  if constexpr (Kind == Reduction::sum) {
    return reduce_add(a);
  } else {
    C lane[Vec<C>::lanes];
    a.store(lane);
    C total = lane[0];
    for (int i = 1; i < Vec<C>::lanes; ++i) total = combine<Kind>(total, lane[i]);
    return total;
  }
}

// n elements to one. `start` is the reduction's neutral element.
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
  Compute<T> total =
      combine_lanes<Kind, Compute<T>>(combine<Kind>(combine<Kind>(a, b), combine<Kind>(c, d)));
  for (; i < n; ++i) total = combine<Kind>(total, static_cast<Compute<T>>(x[i]));
  return total;
}

// out[j] = reduction of x[i * stride + j] over i < rows, for j < columns.
template <Reduction Kind, class T>
void reduce_columns(Compute<T>* out, const T* x, std::int64_t rows, std::int64_t columns,
                    std::int64_t stride, Compute<T> start) {
  using V = Vec<Compute<T>>;
  constexpr int width = V::lanes;
  std::int64_t j = 0;
  for (; j + 4 * width <= columns; j += 4 * width) {
    V a(start), b(start), c(start), d(start);
    const T* p = x + j;
    for (std::int64_t i = 0; i < rows; ++i, p += stride) {
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
  for (; j < columns; j += width) {
    const int n = columns - j < width ? static_cast<int>(columns - j) : width;
    V a(start);
    const T* p = x + j;
    for (std::int64_t i = 0; i < rows; ++i, p += stride) a = combine<Kind>(a, V::load(p, n));
    a.store(out + j, n);
  }
}

}  // namespace mien::kernels::MIEN_ISA
