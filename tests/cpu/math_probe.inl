// Applies one function of cpu/math.inl to an array: the tests' way into each instruction set.

namespace mien::kernels::MIEN_ISA {

template <class T, Function f>
void apply(T* out, const T* in, std::int64_t n) {
  using V = Vec<T>;
  for (std::int64_t i = 0; i < n; i += V::lanes) {
    const int count = n - i < V::lanes ? static_cast<int>(n - i) : V::lanes;
    const V x = V::load(in + i, count);
    V y;
    if constexpr (f == Function::exp) y = exp(x);
    if constexpr (f == Function::log) y = log(x);
    if constexpr (f == Function::sigmoid) y = sigmoid(x);
    if constexpr (f == Function::silu) y = silu(x);
    if constexpr (f == Function::tanh) y = tanh(x);
    if constexpr (f == Function::reciprocal) y = reciprocal(x);
    y.store(out + i, count);
  }
}

}  // namespace mien::kernels::MIEN_ISA
