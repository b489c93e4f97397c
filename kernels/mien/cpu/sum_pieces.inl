// Sums over arrays that lie a stride apart, in their order.

namespace mien::kernels::MIEN_ISA {

// out[i] = sum over p < pieces of from[p * stride + i]. Whole vectors of `from`
// are read.
template <class C>
void sum_pieces(C* out, const C* from, std::int64_t n, std::int64_t pieces, std::int64_t stride) {
  using V = Vec<C>;
  for (std::int64_t i = 0; i < n; i += V::lanes) {
    V sum = V::load(from + i);
    for (std::int64_t p = 1; p < pieces; ++p) sum = sum + V::load(from + p * stride + i);
    sum.store(out + i, static_cast<int>(std::min<std::int64_t>(V::lanes, n - i)));
  }
}

}  // namespace mien::kernels::MIEN_ISA
