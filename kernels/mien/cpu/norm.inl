// Batch normalisation over x (rows, c), a block of rows at a time (sum_rows:
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

// values (3, c): for each channel a mean (rounded), and the sum and the sum of squares of what x
// differs from it. The second pass finds x in cache.
template <class T>
void moments(Compute<T>* values, const T* x, std::int64_t rows, std::int64_t c) {
  using V = Vec<Compute<T>>;
  channel_sums_rows(values, x, rows, c);
  for (std::int64_t j = 0; j < c; ++j) values[j] /= static_cast<Compute<T>>(rows);
  sum_rows<2, 4>(values + c, rows, c, [=](std::int64_t j, int n) {
    const V mean = load_vector(values + j, n);
    return [=](V* sums, std::int64_t i) {
      const V centred = load_vector(x + i * c + j, n) - mean;
      sums[0] = sums[0] + centred;
      sums[1] = fma(centred, centred, sums[1]);
    };
  });
}

template <class Op, class T>
void normalise(T* y, const T* x, std::int64_t rows, const ChannelAffine<Compute<T>>& a,
               const Op& op, bool streaming) {
  using C = Compute<T>;
  for (std::int64_t i = 0; i < rows; ++i, x += a.c, y += a.c)
    each_vector<C>(a.c, [&](std::int64_t j, int n) {
      const Vec<C> centred = load_vector(x + j, n) - load_vector(a.mean + j, n);
      const Vec<C> pre = fma(centred, load_vector(a.scale + j, n), load_vector(a.shift + j, n));
      store_vector(Math<Op>::forward(pre, op), y + j, n, streaming);
    });
}

// With g the gradient at pre, sums (2, c): of g, and of g * (x - mean).
template <class Op, class T>
void normalise_grad_sums(Compute<T>* sums, const T* x, const T* dy, std::int64_t rows,
                         const ChannelAffine<Compute<T>>& a, const Op& op) {
  using V = Vec<Compute<T>>;
  sum_rows<2, 1>(sums, rows, a.c, [&](std::int64_t j, int n) {
    const V mean = load_vector(a.mean + j, n), scale = load_vector(a.scale + j, n);
    const V shift = load_vector(a.shift + j, n);
    return [=, &op, c = a.c](V* sum, std::int64_t i) {
      const V centred = load_vector(x + i * c + j, n) - mean;
      const V g = gradient_at(fma(centred, scale, shift), load_vector(dy + i * c + j, n), op);
      sum[0] = sum[0] + g;
      sum[1] = fma(g, centred, sum[1]);
    };
  });
}

// dx = g * scale + (x - mean) * slope + offset.
template <class Op, class T>
void normalise_grad(T* dx, const T* x, const T* dy, std::int64_t rows,
                    const ChannelAffine<Compute<T>>& a, const Compute<T>* slope,
                    const Compute<T>* offset, const Op& op, bool streaming) {
  using C = Compute<T>;
  using V = Vec<C>;
  for (std::int64_t i = 0; i < rows; ++i, x += a.c, dy += a.c, dx += a.c)
    each_vector<C>(a.c, [&](std::int64_t j, int n) {
      const V centred = load_vector(x + j, n) - load_vector(a.mean + j, n);
      const V scale = load_vector(a.scale + j, n);
      const V pre = fma(centred, scale, load_vector(a.shift + j, n));
      const V g = gradient_at(pre, load_vector(dy + j, n), op);
      const V rest = fma(centred, load_vector(slope + j, n), load_vector(offset + j, n));
      store_vector(fma(g, scale, rest), dx + j, n, streaming);
    });
}

}  // namespace mien::kernels::MIEN_ISA
