// Applies each operation of Vec to arrays: the tests' way into each instruction set.

namespace mien::kernels::MIEN_ISA {

template <class T>
int vector_lanes() {
  return Vec<T>::lanes;
}

// out = op(a, b, c) for n elements, a multiple of the lanes; comparisons give 1 or 0.
template <class T, VecOp op>
void apply_op(T* out, const T* a, const T* b, const T* c, std::int64_t n) {
  using V = Vec<T>;
  for (std::int64_t i = 0; i < n; i += V::lanes) {
    const V x = V::load(a + i), y = V::load(b + i), z = V::load(c + i);
    V r, e;
    if constexpr (op == VecOp::add) r = x + y;
    if constexpr (op == VecOp::subtract) r = x - y;
    if constexpr (op == VecOp::multiply) r = x * y;
    if constexpr (op == VecOp::divide) r = x / y;
    if constexpr (op == VecOp::negate) r = -x;
    if constexpr (op == VecOp::less) r = select(x < y, V(1), V(0));
    if constexpr (op == VecOp::less_equal) r = select(x <= y, V(1), V(0));
    if constexpr (op == VecOp::equal) r = select(x == y, V(1), V(0));
    if constexpr (op == VecOp::select) r = select(x < y, z, y);
    if constexpr (op == VecOp::fma) r = fma(x, y, z);
    if constexpr (op == VecOp::min) r = min(x, y);
    if constexpr (op == VecOp::max) r = max(x, y);
    if constexpr (op == VecOp::abs) r = abs(x);
    if constexpr (op == VecOp::sqrt) r = sqrt(x);
    if constexpr (op == VecOp::floor) r = floor(x);
    if constexpr (op == VecOp::round) r = round(x);
    if constexpr (op == VecOp::reciprocal) r = reciprocal(x);
    if constexpr (op == VecOp::exp2i) r = exp2i(x);
    if constexpr (op == VecOp::ldexp) r = ldexp(x, y);
    if constexpr (op == VecOp::mantissa) r = frexp_parts(x, e);
    if constexpr (op == VecOp::exponent) {
      frexp_parts(x, e);
      r = e;
    }
    r.store(out + i);
  }
}

// The three reductions of the first vector of `in`.
template <class T>
void reduce_lanes(T* out, const T* in) {
  const auto x = Vec<T>::load(in);
  out[0] = reduce_add(x);
  out[1] = reduce_max(x);
  out[2] = reduce_min(x);
}

// The vector that begins at `in`, of n elements or (n < 0) all lanes, widened to `out`.
template <class C, class S>
void load_vector(C* out, const S* in, int n) {
  const Vec<C> x = n < 0 ? Vec<C>::load(in) : Vec<C>::load(in, n);
  x.store(out);
}

template <class C, class S>
void store_vector(S* out, const C* in, int n) {
  const auto x = Vec<C>::load(in);
  n < 0 ? x.store(out) : x.store(out, n);
}

// Vec() and Vec(value), one vector each.
template <class T>
void fill_vectors(T* out, T value) {
  Vec<T>().store(out);
  Vec<T>(value).store(out + Vec<T>::lanes);
}

}  // namespace mien::kernels::MIEN_ISA
