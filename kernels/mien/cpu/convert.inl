// bf16 and f16 to float.

namespace mien::kernels::MIEN_ISA {

template <class T>
void widen(float* to, const T* from, std::int64_t n) {
  using V = Vec<float>;
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes) V::load(from + i).store(to + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) V::load(from + i, rest).store(to + i, rest);
}

}  // namespace mien::kernels::MIEN_ISA
