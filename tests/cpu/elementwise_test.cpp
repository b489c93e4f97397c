// The loops of the elementwise kernels: tails, broadcasting, chunks. What single ops compute is
// tested in tests/ops.

#include <gtest/gtest.h>

#include <utility>

#include <mien/core/tensor.hpp>

#include "cpu/elementwise_probe.hpp"
#include "support/each_isa.hpp"

namespace {

using mien::bf16;
using mien::Compute;
using mien::Cpu;
using mien::f16;
using mien::Shape;
using mien::Tensor;
using mien::kernels::BinaryParams;
using mien::test::Combination;
using mien::test::Scale;

// Small integers, which every type holds exactly; `period` apart from those of other operands.
template <class T>
Tensor<T> pattern(const Shape& shape, int period) {
  const Tensor<T> x(shape);
  for (std::int64_t i = 0; i < x.numel(); ++i)
    x.mutable_data()[i] = static_cast<T>(static_cast<float>(i % period - period / 2));
  return x;
}

template <class T>
double at(const Tensor<T>& x, std::int64_t i) {
  return static_cast<Compute<T>>(x.data()[i]);
}

template <class T>
void check_unary(std::int64_t n) {
  const Tensor<T> x = pattern<T>({n}, 13), dy = pattern<T>({n}, 7), y({n + 1}), dx({n + 1});
  y.mutable_data()[n] = dx.mutable_data()[n] = static_cast<T>(99.0f);
  mien::kernels::unary(Cpu{}, y.mutable_data(), x.data(), n, Scale{3});
  mien::kernels::unary_grad(Cpu{}, dx.mutable_data(), x.data(), dy.data(), n, Scale{3});
  for (std::int64_t i = 0; i < n; ++i) {
    ASSERT_EQ(at(y, i), 3 * at(x, i)) << i << " of " << n;
    ASSERT_EQ(at(dx, i), 3 * at(dy, i) + at(x, i)) << i << " of " << n;
  }
  ASSERT_EQ(at(y, n), 99) << "written behind the end";
  ASSERT_EQ(at(dx, n), 99) << "written behind the end";
}

// The offset in an operand of `shape` of element `flat` of the broadcast shape `out`.
std::int64_t source(std::int64_t flat, const Shape& out, const Shape& shape) {
  std::int64_t offset = 0, step = 1;
  for (int d = 1; d <= out.rank(); ++d) {
    const std::int64_t index = flat % out[-d];
    flat /= out[-d];
    if (d > shape.rank()) continue;
    if (shape[-d] != 1) offset += index * step;
    step *= shape[-d];
  }
  return offset;
}

template <class T>
void check_binary(const Shape& shape_a, const Shape& shape_b) {
  const Tensor<T> a = pattern<T>(shape_a, 11), b = pattern<T>(shape_b, 5);
  const BinaryParams p{broadcast(shape_a, shape_b), shape_a, shape_b};
  const Tensor<T> dy = pattern<T>(p.out, 3), y(p.out), da(p.out), db(p.out);
  const Combination op{2};
  mien::kernels::binary(Cpu{}, y.mutable_data(), a.data(), b.data(), p, op);
  mien::kernels::binary_grad<true>(Cpu{}, da.mutable_data(), a.data(), b.data(), dy.data(), p, op);
  mien::kernels::binary_grad<false>(Cpu{}, db.mutable_data(), a.data(), b.data(), dy.data(), p, op);
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    const double u = at(a, source(i, p.out, shape_a)), v = at(b, source(i, p.out, shape_b));
    ASSERT_EQ(at(y, i), u - 2 * v) << to_string(shape_a) << to_string(shape_b) << i;
    ASSERT_EQ(at(da, i), u + 2 * v + at(dy, i)) << to_string(shape_a) << to_string(shape_b) << i;
    ASSERT_EQ(at(db, i), u - 2 * (v + at(dy, i))) << to_string(shape_a) << to_string(shape_b) << i;
  }
}

class Elementwise : public mien::test::EachIsa {};

TEST_P(Elementwise, UnaryOfEveryLength) {
  for (std::int64_t n = 0; n < 70; ++n) {
    check_unary<float>(n);
    check_unary<double>(n);
    check_unary<bf16>(n);
    check_unary<f16>(n);
  }
  for (const std::int64_t n : {16383, 16384, 16385, 100001}) check_unary<float>(n);
}

TEST_P(Elementwise, UnaryInPlace) {
  const Tensor<float> x = pattern<float>({1000}, 17), y = x.clone();
  mien::kernels::unary(Cpu{}, y.mutable_data(), y.data(), 1000, Scale{-2});
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(y(i), -2 * x(i));
}

TEST_P(Elementwise, BinaryBroadcasts) {
  const std::pair<Shape, Shape> cases[] = {
      {{}, {}},
      {{1}, {1, 1, 1}},
      {{37}, {37}},
      {{37}, {}},
      {{}, {37}},
      {{3, 1, 4}, {5, 1}},
      {{2, 3, 2, 5}, {5}},
      {{2, 3, 2, 5}, {2, 1, 1, 5}},
      {{2, 1, 2, 1}, {1, 3, 1, 5}},
      {{2, 3, 4, 5}, {3, 1, 5}},
      {{1, 19}, {23, 1}},
      {{4, 1, 3, 1, 2, 1}, {1, 5, 1, 3, 1, 7}},
      {{2, 40001}, {40001}},
      {{2, 1}, {2, 40001}},
      {{20000, 2}, {2}},
      {{20000, 2}, {20000, 1}},
      {{0, 3}, {3}},
      {{4, 0}, {4, 1}},
  };
  for (const auto& [a, b] : cases) {
    check_binary<float>(a, b);
    check_binary<float>(b, a);
    check_binary<f16>(a, b);
  }
  check_binary<double>({2, 3, 17}, {1, 17});
  check_binary<bf16>({2, 3, 17}, {1, 17});
}

TEST_P(Elementwise, BinaryInPlace) {
  const Tensor<float> a = pattern<float>({30, 7}, 17), b = pattern<float>({7}, 5), y = a.clone();
  mien::kernels::binary(Cpu{}, y.mutable_data(), y.data(), b.data(), {a.shape(), a.shape(), {7}},
                        Combination{3});
  for (std::int64_t i = 0; i < y.numel(); ++i) ASSERT_EQ(at(y, i), at(a, i) - 3 * at(b, i % 7));
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Elementwise, mien::test::every_isa, mien::test::isa_name);

}  // namespace
