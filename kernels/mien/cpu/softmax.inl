// Softmax and log-softmax over one dimension: of rows side by side in memory, or of `width` columns
// at a time.

namespace mien::kernels::MIEN_ISA {

template <class C>
inline constexpr C lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

template <bool Log, class T>
void softmax_row(T* y, const T* x, std::int64_t n) {
  using C = Compute<T>;
  using V = Vec<C>;
  const int rest = static_cast<int>(n % V::lanes);
  const std::int64_t whole = n - rest;
  const auto live = V::load(lane_numbers<C>) < V(static_cast<C>(rest));  // lanes of the last vector

  V largest = select(live, V::load(x + whole, rest), V(-std::numeric_limits<C>::infinity()));
  for (std::int64_t i = 0; i < whole; i += V::lanes) largest = max(largest, V::load(x + i));
  const V top(reduce_max(largest));

  // Lanes that are not live take exp(0), not exp(-infinity): subnormal results are slow.
  const V last = select(live, V::load(x + whole, rest) - top, V(0));
  const V exp_last = exp(last);
  V sum = select(live, exp_last, V(0));
  for (std::int64_t i = 0; i < whole; i += V::lanes) sum = sum + exp(V::load(x + i) - top);
  const C total = reduce_add(sum);
  const V norm(Log ? std::log(total) : C(1) / total);

  for (std::int64_t i = 0; i < whole; i += V::lanes) {
    const V v = V::load(x + i) - top;
    const V out = Log ? v - norm : exp(v) * norm;
    out.store(y + i);
  }
  const V out = Log ? last - norm : exp_last * norm;
  out.store(y + whole, rest);
}

// x (n, stride), for the first `width` columns.
template <bool Log, class T>
void softmax_columns(T* y, const T* x, std::int64_t n, std::int64_t stride, std::int64_t width) {
  using C = Compute<T>;
  using V = Vec<C>;
  for (std::int64_t j = 0; j < width; j += V::lanes) {
    const int lanes = width - j < V::lanes ? static_cast<int>(width - j) : V::lanes;
    V top(-std::numeric_limits<C>::infinity()), sum;
    for (std::int64_t i = 0; i < n; ++i) top = max(top, V::load(x + i * stride + j, lanes));
    for (std::int64_t i = 0; i < n; ++i) sum = sum + exp(V::load(x + i * stride + j, lanes) - top);
    const V norm = Log ? log(sum) : V(1) / sum;
    for (std::int64_t i = 0; i < n; ++i) {
      const V v = V::load(x + i * stride + j, lanes) - top;
      const V out = Log ? v - norm : exp(v) * norm;
      out.store(y + i * stride + j, lanes);
    }
  }
}

// dx from y and dy: y (dy - sum(y dy)), or dy - exp(y) sum(dy).
template <bool Log, class T>
void softmax_row_grad(T* dx, const T* y, const T* dy, std::int64_t n) {
  using V = Vec<Compute<T>>;
  constexpr int width = V::lanes;
  V sum;
  for (std::int64_t i = 0; i < n; i += width) {
    const int lanes = n - i < width ? static_cast<int>(n - i) : width;
    const V g = V::load(dy + i, lanes);
    sum = Log ? sum + g : fma(V::load(y + i, lanes), g, sum);
  }
  const V total(reduce_add(sum));
  for (std::int64_t i = 0; i < n; i += width) {
    const int lanes = n - i < width ? static_cast<int>(n - i) : width;
    const V p = V::load(y + i, lanes), g = V::load(dy + i, lanes);
    const V out = Log ? g - exp(p) * total : p * (g - total);
    out.store(dx + i, lanes);
  }
}

template <bool Log, class T>
void softmax_columns_grad(T* dx, const T* y, const T* dy, std::int64_t n, std::int64_t stride,
                          std::int64_t width) {
  using V = Vec<Compute<T>>;
  for (std::int64_t j = 0; j < width; j += V::lanes) {
    const int lanes = width - j < V::lanes ? static_cast<int>(width - j) : V::lanes;
    V sum;
    for (std::int64_t at = j; at < n * stride; at += stride) {
      const V g = V::load(dy + at, lanes);
      sum = Log ? sum + g : fma(V::load(y + at, lanes), g, sum);
    }
    for (std::int64_t at = j; at < n * stride; at += stride) {
      const V p = V::load(y + at, lanes), g = V::load(dy + at, lanes);
      const V out = Log ? g - exp(p) * sum : p * (g - sum);
      out.store(dx + at, lanes);
    }
  }
}

}  // namespace mien::kernels::MIEN_ISA
