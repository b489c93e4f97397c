// Fused multiply-adds in registers: twelve independent sums hide the latency of four cycles on two
// ports, and leave AVX2's sixteen registers room for the operands.

namespace mien::kernels::MIEN_ISA {

// Writes what the sums have come to, so that they are not dropped; returns the operations done.
inline std::int64_t chain_multiply_adds(float* out, std::int64_t rounds) {
  using V = Vec<float>;
  constexpr int sums = 12;
  const V factor(0.999f), term(0.001f);
  V sum[sums];
  for (std::int64_t i = 0; i < rounds; ++i)
    for (int j = 0; j < sums; ++j) sum[j] = fma(sum[j], factor, term);
  for (int j = 0; j < sums; ++j) sum[j].store(out + j * V::lanes);
  return 2 * rounds * sums * V::lanes;
}

}  // namespace mien::kernels::MIEN_ISA
