// Applies an Epilogue to a block of sums: columns outside, so that scale, shift
// and the pooled sum of a column stay in registers.

namespace mien::kernels::MIEN_ISA {

template <Activation A, class V>
MIEN_INLINE V activate(V x, V slope) {
  if constexpr (A == Activation::relu) return max(V(0), x);
  if constexpr (A == Activation::silu) return silu(x);
  if constexpr (A == Activation::sigmoid) return sigmoid(x);
  if constexpr (A == Activation::prelu) return select(x < V(0), x * slope, x);
  return x;
}

// Whether a vector of T is a line; less would leave lines half written for a while.
template <class T>
constexpr bool streams_lines = Vec<Compute<T>>::lanes * sizeof(T) == 64;

template <Activation A, class T>
void epilogue_columns(const EpilogueBlock<T>& b, const Epilogue<T>& e) {
  using V = Vec<Compute<T>>;
  for (std::int64_t j = 0; j < b.channels; j += V::lanes) {
    const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, b.channels - j));
    const bool whole = n == V::lanes;
    const auto parameter = [&](const Compute<T>* p, Compute<T> otherwise) {
      return p ? V::load(p + b.first_channel + j, n) : V(otherwise);
    };
    const V scale = parameter(e.scale, 1), shift = parameter(e.shift, 0);
    const V slope = parameter(e.activation == Activation::prelu ? e.slopes : nullptr, e.slope);
    const V out_scale = e.out_scale;
    const bool streaming = e.streaming && whole && streams_lines<T>;
    V pooled;
    for (std::int64_t r = 0; r < b.rows; ++r) {
      const V x = fma(V::load(b.sums + r * b.sums_row + j), scale, shift);
      V y = activate<A>(x, slope) * out_scale;
      if (b.residual) {
        const T* residual = b.residual + r * b.residual_row + j;
        y = y + load_vector(residual, n);
      }
      pooled = pooled + y;
      T* to = b.y + r * b.y_row + j;
      store_vector(y, to, n, streaming);
    }
    if (b.pool) (V::load(b.pool + j, n) + pooled).store(b.pool + j, n);
  }
}

template <class T>
void apply_epilogue(const EpilogueBlock<T>& b, const Epilogue<T>& e) {
  switch (e.activation) {
    case Activation::none:
      return epilogue_columns<Activation::none>(b, e);
    case Activation::relu:
      return epilogue_columns<Activation::relu>(b, e);
    case Activation::silu:
      return epilogue_columns<Activation::silu>(b, e);
    case Activation::leaky_relu:
    case Activation::prelu:
      return epilogue_columns<Activation::prelu>(b, e);
    case Activation::sigmoid:
      return epilogue_columns<Activation::sigmoid>(b, e);
  }
}

}  // namespace mien::kernels::MIEN_ISA
