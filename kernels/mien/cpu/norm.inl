// Batch normalisation over x (rows, c), a block of rows at a time (load_lanes, sum_terms:
// channels.inl):
//   pre = (x - mean) * scale + shift,  y = op(pre)      mean, scale, shift (c)
// op is an elementwise op (ops::Identity, ops::Silu, ...) whose formulas are in Math<Op>.

namespace mien::kernels::MIEN_ISA {

// The gradient at pre of y = op(pre).
template <class Op, class V>
MIEN_INLINE V gradient_at(V pre, V dy, const Op& op) {
  if constexpr (Op::reads == decltype(Op::reads)::input)
    return Math<Op>::backward(pre, dy, op);
  else
    return Math<Op>::backward(Math<Op>::forward(pre, op), dy, op);
}

// For each channel a mean (rounded), and the sum and the sum of squares of what x differs from it.
// The second pass finds x in cache.
template <class T>
void moments(Compute<T>* mean, Compute<T>* sum, Compute<T>* squares, const T* x, std::int64_t rows,
             std::int64_t c) {
  using V = Vec<Compute<T>>;
  const V count(static_cast<Compute<T>>(rows));
  for (std::int64_t j = 0; j < c; j += V::lanes) {
    const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, c - j));
    const auto at = [&](std::int64_t i) { return load_lanes<V>(x + i * c + j, n); };
    const V m = sum_terms<V>(rows, at) / count;
    V s, q0, q1;
    std::int64_t i = 0;
    const auto add = [&](V& q) {
      const V d = at(i++) - m;
      s = s + d;
      q = fma(d, d, q);
    };
    while (i + 2 <= rows) {
      add(q0);
      add(q1);
    }
    if (i < rows) add(q0);
    store_lanes(m, mean + j, n);
    store_lanes(s, sum + j, n);
    store_lanes(q0 + q1, squares + j, n);
  }
}

template <class Op, class T>
void normalise(T* y, const T* x, std::int64_t rows, const ChannelAffine<Compute<T>>& a,
               const Op& op) {
  using V = Vec<Compute<T>>;
  for (std::int64_t i = 0; i < rows; ++i, x += a.c, y += a.c) {
    for (std::int64_t j = 0; j < a.c; j += V::lanes) {
      const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, a.c - j));
      const V centred = load_lanes<V>(x + j, n) - load_lanes<V>(a.mean + j, n);
      const V pre = fma(centred, load_lanes<V>(a.scale + j, n), load_lanes<V>(a.shift + j, n));
      store_lanes(Math<Op>::forward(pre, op), y + j, n);
    }
  }
}

// With g the gradient at pre: sums (c) of g, and of g * (x - mean).
template <class Op, class T>
void normalise_grad_sums(Compute<T>* sum, Compute<T>* moment, const T* x, const T* dy,
                         std::int64_t rows, const ChannelAffine<Compute<T>>& a, const Op& op) {
  using V = Vec<Compute<T>>;
  for (std::int64_t j = 0; j < a.c; j += V::lanes) {
    const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, a.c - j));
    const V mean = load_lanes<V>(a.mean + j, n), scale = load_lanes<V>(a.scale + j, n);
    const V shift = load_lanes<V>(a.shift + j, n);
    V sum0, sum1, moment0, moment1;
    const auto add = [&](V& s, V& m, std::int64_t i) {
      const V centred = load_lanes<V>(x + i * a.c + j, n) - mean;
      const V g = gradient_at(fma(centred, scale, shift), load_lanes<V>(dy + i * a.c + j, n), op);
      s = s + g;
      m = fma(g, centred, m);
    };
    std::int64_t i = 0;
    for (; i + 2 <= rows; i += 2) {
      add(sum0, moment0, i);
      add(sum1, moment1, i + 1);
    }
    if (i < rows) add(sum0, moment0, i);
    store_lanes(sum0 + sum1, sum + j, n);
    store_lanes(moment0 + moment1, moment + j, n);
  }
}

// dx = g * scale + (x - mean) * slope + offset.
template <class Op, class T>
void normalise_grad(T* dx, const T* x, const T* dy, std::int64_t rows,
                    const ChannelAffine<Compute<T>>& a, const Compute<T>* slope,
                    const Compute<T>* offset, const Op& op) {
  using V = Vec<Compute<T>>;
  for (std::int64_t i = 0; i < rows; ++i, x += a.c, dy += a.c, dx += a.c) {
    for (std::int64_t j = 0; j < a.c; j += V::lanes) {
      const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, a.c - j));
      const V centred = load_lanes<V>(x + j, n) - load_lanes<V>(a.mean + j, n);
      const V scale = load_lanes<V>(a.scale + j, n);
      const V pre = fma(centred, scale, load_lanes<V>(a.shift + j, n));
      const V g = gradient_at(pre, load_lanes<V>(dy + j, n), op);
      const V rest = fma(centred, load_lanes<V>(slope + j, n), load_lanes<V>(offset + j, n));
      store_lanes(fma(g, scale, rest), dx + j, n);
    }
  }
}

}  // namespace mien::kernels::MIEN_ISA
