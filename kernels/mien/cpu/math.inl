// Elementary functions over Vec<float> and Vec<double>: exp, log, sigmoid, silu, tanh.
// float: range reduction and the minimax polynomials of Cephes (S. Moshier, netlib.org/cephes,
// expf, logf, tanhf); errors are stated and tested in tests/cpu/math_test.cpp.
// double: lane by lane through the C library.

namespace mien::kernels::MIEN_ISA {

// exp(x) for |x| <= 87, where neither 2^n nor the result leaves the normal numbers:
// x = n ln 2 + r, exp(x) = 2^n exp(r).
MIEN_INLINE Vec<float> exp_polynomial(Vec<float> x, Vec<float>& n) {
  using V = Vec<float>;
  n = round(x * V(1.44269504088896341f));
  const V r = fma(n, V(2.12194440e-4f), fma(n, V(-0.693359375f), x));
  V p = fma(V(1.9875691500e-4f), r, V(1.3981999507e-3f));
  p = fma(p, r, V(8.3334519073e-3f));
  p = fma(p, r, V(4.1665795894e-2f));
  p = fma(p, r, V(1.6666665459e-1f));
  p = fma(p, r, V(5.0000001201e-1f));
  return fma(p, r * r, r) + V(1.0f);
}

MIEN_INLINE Vec<float> exp(Vec<float> x) {
  Vec<float> n;
  // Beyond these bounds the result is 0 or infinity; the operand order keeps NaN.
  const Vec<float> p = exp_polynomial(min(Vec<float>(89.0f), max(Vec<float>(-104.0f), x)), n);
  return ldexp(p, n);
}

// The logistic function's denominator 1 + exp(-x) for |x| <= 87.
MIEN_INLINE Vec<float> one_plus_exp_minus(Vec<float> x) {
  Vec<float> n;
  const Vec<float> p = exp_polynomial(-x, n);
  return fma(p, exp2i(n), Vec<float>(1.0f));
}

// 1 / (1 + exp(-x)). Below -87 it stays at sigmoid(-87) = 1.6e-38.
MIEN_INLINE Vec<float> sigmoid(Vec<float> x) {
  const Vec<float> bound(87.0f);
  return reciprocal(one_plus_exp_minus(min(bound, max(-bound, x))));
}

// x sigmoid(x). Below -87 it stays at silu(-87) = -1.4e-36.
MIEN_INLINE Vec<float> silu(Vec<float> x) {
  const Vec<float> bound(87.0f);
  const Vec<float> bounded = max(-bound, x);
  return bounded * reciprocal(one_plus_exp_minus(min(bound, bounded)));
}

// log(x) = e ln 2 + log(m) with m in [sqrt(1/2), sqrt(2)).
MIEN_INLINE Vec<float> log(Vec<float> x) {
  using V = Vec<float>;
  const float infinity = std::numeric_limits<float>::infinity();
  const auto subnormal = x < V(1.17549435e-38f);
  V e;
  V m = frexp_parts(select(subnormal, x * V(0x1p25f), x), e);
  e = select(subnormal, e - V(25.0f), e);
  const auto low = m < V(0.707106781186547524f);
  e = select(low, e - V(1.0f), e);
  m = select(low, m + m, m) - V(1.0f);
  V p = fma(V(7.0376836292e-2f), m, V(-1.1514610310e-1f));
  p = fma(p, m, V(1.1676998740e-1f));
  p = fma(p, m, V(-1.2420140846e-1f));
  p = fma(p, m, V(1.4249322787e-1f));
  p = fma(p, m, V(-1.6668057665e-1f));
  p = fma(p, m, V(2.0000714765e-1f));
  p = fma(p, m, V(-2.4999993993e-1f));
  p = fma(p, m, V(3.3333331174e-1f));
  const V z = m * m;
  V y = fma(e, V(-2.12194440e-4f), p * m * z);
  y = fma(V(-0.5f), z, y);
  V result = fma(e, V(0.693359375f), m + y);
  result = select(x < V(infinity), result, x);  // infinity and NaN as they came
  result = select(x == V(0.0f), V(-infinity), result);
  return select(x < V(0.0f), V(std::numeric_limits<float>::quiet_NaN()), result);
}

// x + x^3 P(x^2) near zero, 1 - 2 / (exp(2|x|) + 1) with the sign of x elsewhere.
MIEN_INLINE Vec<float> tanh(Vec<float> x) {
  using V = Vec<float>;
  const V magnitude = abs(x), z = x * x;
  V p = fma(V(-5.70498872745e-3f), z, V(2.06390887954e-2f));
  p = fma(p, z, V(-5.37397155531e-2f));
  p = fma(p, z, V(1.33314422036e-1f));
  p = fma(p, z, V(-3.33332819422e-1f));
  const V near_zero = fma(p * z, x, x);
  const V twice = min(V(40.0f), magnitude + magnitude);  // tanh(20) rounds to 1
  const V far = V(1.0f) - V(2.0f) * reciprocal(one_plus_exp_minus(-twice));
  return select(magnitude < V(0.625f), near_zero, select(x < V(0.0f), -far, far));
}

template <class F>
MIEN_INLINE Vec<double> per_lane(Vec<double> x, F f) {
  double lane[Vec<double>::lanes];
  x.store(lane);
  for (double& value : lane) value = f(value);
  return Vec<double>::load(lane);
}

MIEN_INLINE Vec<double> exp(Vec<double> x) {
  return per_lane(x, [](double v) { return std::exp(v); });
}
MIEN_INLINE Vec<double> log(Vec<double> x) {
  return per_lane(x, [](double v) { return std::log(v); });
}
MIEN_INLINE Vec<double> tanh(Vec<double> x) {
  return per_lane(x, [](double v) { return std::tanh(v); });
}
MIEN_INLINE Vec<double> sigmoid(Vec<double> x) {
  return Vec<double>(1.0) / (Vec<double>(1.0) + exp(-x));
}
MIEN_INLINE Vec<double> silu(Vec<double> x) { return x / (Vec<double>(1.0) + exp(-x)); }

}  // namespace mien::kernels::MIEN_ISA
