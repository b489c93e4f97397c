#ifndef MIEN_OPS_PRELU_HPP
#define MIEN_OPS_PRELU_HPP
// y = x where x > 0, else slope x, with learned slopes. He, Zhang, Ren, Sun: "Delving deep into
// rectifiers", ICCV 2015. An elementwise op of x and the slopes, which broadcast over x.

#include <mien/ops/elementwise.hpp>

namespace mien {

namespace ops {
struct Prelu {
  static constexpr std::string_view name = "prelu";
  static constexpr const char* torch = "torch.where(x[0] > 0, x[0], x[1] * x[0])";
  static constexpr Gradient gradient_a = Gradient::from_both, gradient_b = Gradient::from_a;

  template <class C>
  C reference(C x, C slope) const {
    return x > C(0) ? x : slope * x;
  }
};
}  // namespace ops

// x (..., c); slope (c), one per channel, or (1).
template <FloatElement T>
Tensor<T> prelu(const Tensor<T>& x, const Tensor<T>& slope) {
  check(slope.rank() == 1 && x.rank() > 0 && (slope.dim(0) == 1 || slope.dim(0) == x.dim(-1)),
        "prelu", "expected 1 slope or one per channel of x ", x.shape(), ", got ", slope.shape());
  return apply(Binary<ops::Prelu>{}, {x, slope});
}

}  // namespace mien

#define MIEN_KERNEL_FILE <mien/ops/prelu.hpp>
#include <mien/cpu/foreach_isa.inl>

namespace mien {
MIEN_INSTANCE(Tensor<float> prelu(const Tensor<float>&, const Tensor<float>&))
}  // namespace mien

#elif defined(MIEN_ISA)

namespace mien::kernels::MIEN_ISA {
template <>
struct Math<ops::Prelu> {
  template <class V>
  static MIEN_INLINE V forward(V x, V slope, const ops::Prelu&) {
    return select(V(0) < x, x, slope * x);
  }
  template <class V>
  static MIEN_INLINE V backward_a(V x, V slope, V dy, const ops::Prelu&) {
    return select(V(0) < x, dy, slope * dy);
  }
  template <class V>
  static MIEN_INLINE V backward_b(V x, V, V dy, const ops::Prelu&) {
    return select(V(0) < x, V(0), x * dy);
  }
};
}  // namespace mien::kernels::MIEN_ISA

#endif
