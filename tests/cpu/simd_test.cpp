// Every arithmetic operation of Vec, in every instruction set, against scalar arithmetic.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "cpu/simd_probe.hpp"
#include "support/each_isa.hpp"

namespace {

using mien::Isa;
using mien::kernels::most_lanes;
using mien::kernels::VecOp;

// Equal bits, or NaN both.
template <class T>
bool same(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

template <class T>
std::vector<T> special_values() {
  using Limits = std::numeric_limits<T>;
  const T nan = Limits::quiet_NaN(), inf = Limits::infinity();
  return {0,
          T(-0.0),
          1,
          -1,
          T(0.5),
          T(1.5),
          T(2.5),
          T(-2.5),
          T(3.7),
          T(-3.7),
          T(1e-3),
          T(12345.678),
          inf,
          -inf,
          nan,
          Limits::max(),
          Limits::lowest(),
          Limits::min(),
          -Limits::min(),
          Limits::denorm_min(),
          Limits::epsilon(),
          T(0.49999997),
          T(8388609),
          T(-4503599627370497)};
}

template <class T, VecOp op>
std::vector<T> apply(std::vector<T> a, std::vector<T> b, std::vector<T> c) {
  const std::size_t n = a.size(), padded = (n + most_lanes - 1) / most_lanes * most_lanes;
  for (auto* x : {&a, &b, &c}) x->resize(padded, T(1));
  std::vector<T> out(padded);
  constexpr VecOp which = op;
  MIEN_ISA_PICK(apply_op<T, which>)
  (out.data(), a.data(), b.data(), c.data(), static_cast<std::int64_t>(padded));
  out.resize(n);
  return out;
}

// op against `expected` for all triples of special values; `accept` may allow another result.
template <class T, VecOp op, class Expected>
void check(Expected expected) {
  const std::vector<T> values = special_values<T>();
  std::vector<T> a, b, c;
  for (const T x : values)
    for (const T y : values)
      for (const T z : {T(0), T(-1), T(3), std::numeric_limits<T>::quiet_NaN()}) {
        a.push_back(x);
        b.push_back(y);
        c.push_back(z);
      }
  const std::vector<T> got = apply<T, op>(a, b, c);
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(same(got[i], static_cast<T>(expected(a[i], b[i], c[i]))))
        << a[i] << ", " << b[i] << ", " << c[i] << ": got " << got[i] << ", expected "
        << expected(a[i], b[i], c[i]);
}

template <class T>
void check_operations() {
  check<T, VecOp::add>([](T a, T b, T) { return a + b; });
  check<T, VecOp::subtract>([](T a, T b, T) { return a - b; });
  check<T, VecOp::multiply>([](T a, T b, T) { return a * b; });
  check<T, VecOp::divide>([](T a, T b, T) { return a / b; });
  check<T, VecOp::negate>([](T a, T, T) { return -a; });
  check<T, VecOp::less>([](T a, T b, T) { return a < b ? 1 : 0; });
  check<T, VecOp::less_equal>([](T a, T b, T) { return a <= b ? 1 : 0; });
  check<T, VecOp::equal>([](T a, T b, T) { return a == b ? 1 : 0; });
  check<T, VecOp::select>([](T a, T b, T c) { return a < b ? c : b; });
  check<T, VecOp::min>([](T a, T b, T) { return a < b ? a : b; });  // b where one is NaN
  check<T, VecOp::max>([](T a, T b, T) { return a > b ? a : b; });
  check<T, VecOp::abs>([](T a, T, T) { return std::fabs(a); });
  check<T, VecOp::sqrt>([](T a, T, T) { return std::sqrt(a); });
  check<T, VecOp::floor>([](T a, T, T) { return std::floor(a); });
  check<T, VecOp::round>([](T a, T, T) { return std::nearbyint(a); });
  const bool fused = mien::active_isa() != Isa::scalar;  // the baseline rounds twice
  check<T, VecOp::fma>([=](T a, T b, T c) {
    const volatile T product = a * b;
    return fused ? std::fma(a, b, c) : product + c;
  });
}

template <class T>
void check_reciprocal() {
  std::vector<T> x;
  for (int e = std::numeric_limits<T>::min_exponent; e < -std::numeric_limits<T>::min_exponent; ++e)
    for (const T m : {T(0.5), T(0.61803398875), T(-0.7390851332), T(0.9999999)})
      x.push_back(std::ldexp(m, e));
  const std::vector<T> got = apply<T, VecOp::reciprocal>(x, x, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T expected = 1 / x[i];
    const T ulp = std::nextafter(std::fabs(expected), std::numeric_limits<T>::infinity()) -
                  std::fabs(expected);
    ASSERT_LE(std::fabs(got[i] - expected), ulp) << x[i];
  }
}

template <class T>
void check_powers_of_two() {
  const int low = std::is_same_v<T, float> ? -126 : -1022, high = 1 - low;
  std::vector<T> n;
  for (int i = low; i <= high; ++i) n.push_back(static_cast<T>(i));
  const std::vector<T> got = apply<T, VecOp::exp2i>(n, n, n);
  for (std::size_t i = 0; i < n.size(); ++i)
    ASSERT_EQ(got[i], std::ldexp(T(1), static_cast<int>(n[i])));
}

template <class T>
void check_ldexp() {
  std::vector<T> x, n;
  for (const T value : special_values<T>())
    for (int i = -252; i <= 252; ++i) {
      x.push_back(value);
      n.push_back(static_cast<T>(i));
    }
  const std::vector<T> got = apply<T, VecOp::ldexp>(x, n, n);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T expected = std::ldexp(x[i], static_cast<int>(n[i]));
    if (std::fabs(expected) < std::numeric_limits<T>::min() && expected != 0)
      ASSERT_LE(std::fabs(got[i] - expected), std::numeric_limits<T>::denorm_min());
    else if (expected == 0)
      ASSERT_LE(std::fabs(got[i]), std::numeric_limits<T>::denorm_min());
    else
      ASSERT_TRUE(same(got[i], expected)) << x[i] << " * 2^" << n[i] << " gives " << got[i];
  }
}

template <class T>
void check_frexp() {
  std::vector<T> x;
  for (const T value : special_values<T>())
    if (value >= std::numeric_limits<T>::min() && std::isfinite(value)) x.push_back(value);
  const std::vector<T> m = apply<T, VecOp::mantissa>(x, x, x);
  const std::vector<T> e = apply<T, VecOp::exponent>(x, x, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    int exponent = 0;
    ASSERT_EQ(m[i], std::frexp(x[i], &exponent)) << x[i];
    ASSERT_EQ(e[i], exponent) << x[i];
  }
}

template <class T>
void check_lanes() {
  const int lanes = MIEN_ISA_PICK(vector_lanes<T>)();
  const int bytes = mien::active_isa() == Isa::avx512 ? 64
                    : mien::active_isa() == Isa::avx2 ? 32
                                                      : 0;
  EXPECT_EQ(lanes, bytes == 0 ? 1 : bytes / static_cast<int>(sizeof(T)));
  // Small integers: every order of summation gives the same.
  for (int shift = 0; shift < lanes; ++shift) {
    T in[most_lanes], out[3], sum = 0;
    for (int i = 0; i < lanes; ++i) {
      in[i] = static_cast<T>((i + shift) % lanes * 3 - 5);
      sum += in[i];
    }
    MIEN_ISA_PICK(reduce_lanes<T>)(out, in);
    EXPECT_EQ(out[0], sum);
    EXPECT_EQ(out[1], static_cast<T>((lanes - 1) * 3 - 5));
    EXPECT_EQ(out[2], -5);
  }
  std::vector<T> filled(static_cast<std::size_t>(2 * lanes));
  MIEN_ISA_PICK(fill_vectors<T>)(filled.data(), T(7));
  for (int i = 0; i < 2 * lanes; ++i)
    EXPECT_EQ(filled[static_cast<std::size_t>(i)], i < lanes ? 0 : 7);
}

class Simd : public mien::test::EachIsa {};

TEST_P(Simd, Operations) {
  check_operations<float>();
  check_operations<double>();
}
TEST_P(Simd, Reciprocal) {
  check_reciprocal<float>();
  check_reciprocal<double>();
}
TEST_P(Simd, PowersOfTwo) {
  check_powers_of_two<float>();
  check_powers_of_two<double>();
  check_ldexp<float>();
  check_ldexp<double>();
  check_frexp<float>();
  check_frexp<double>();
}
TEST_P(Simd, LanesAndReductions) {
  check_lanes<float>();
  check_lanes<double>();
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Simd, mien::test::every_isa, mien::test::isa_name);

}  // namespace
