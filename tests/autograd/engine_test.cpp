#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <thread>
#include <vector>

#include <mien/core/memory.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/mul.hpp>
#include <mien/ops/silu.hpp>

#include "autograd/probe_op.hpp"
#include "support/thrown.hpp"

namespace {

using mien::memory_stats;
using mien::Tensor;
using mien::test::probe;
using mien::test::Record;
using mien::test::thrown;

Tensor<double> leaf(std::initializer_list<double> values) {
  auto x = Tensor<double>::from({static_cast<std::int64_t>(values.size())}, values);
  x.set_requires_grad();
  return x;
}

std::vector<double> values(const Tensor<double>& x) { return {x.data(), x.data() + x.numel()}; }
using Values = std::vector<double>;

TEST(Engine, GivesEachLeafItsGradient) {
  const auto a = leaf({2, 3}), b = leaf({5, 7});
  const auto c = Tensor<double>::from({2}, {11, 13});
  const auto y = a * b + c;
  y.backward(Tensor<double>::from({2}, {1, 10}));
  EXPECT_EQ(values(a.grad()), (Values{5, 70}));
  EXPECT_EQ(values(b.grad()), (Values{2, 30}));
  EXPECT_FALSE(c.grad().defined());
  EXPECT_FALSE(y.grad().defined());
}

TEST(Engine, AHandleMayBeUsedManyTimes) {
  const auto x = leaf({3});
  const auto square = x * x;
  const auto y = square * square + square * x + x;  // x^4 + x^3 + x
  y.backward();
  EXPECT_EQ(values(x.grad()), (Values{4 * 27 + 3 * 9 + 1}));
}

// 2^60 paths from the root to the leaf: each node must be visited once, after all its consumers.
TEST(Engine, VisitsANodeOnce) {
  const auto x = leaf({1});
  Record record;
  Tensor<double> y = x;
  for (int i = 0; i < 60; ++i) y = probe(y, y, &record);
  y.backward();
  EXPECT_EQ(record.backwards, 60);
  EXPECT_EQ(x.grad().item(), 0x1p60);
}

TEST(Engine, ALeafMayBeTheRoot) {
  const auto x = leaf({1, 2});
  const auto seed = Tensor<double>::from({2}, {3, 4});
  x.backward(seed);
  x.backward(seed);
  EXPECT_EQ(values(x.grad()), (Values{6, 8}));
  EXPECT_EQ(values(seed), (Values{3, 4}));
}

TEST(Engine, AccumulatesUntilZeroGrad) {
  const auto x = leaf({2});
  for (int i = 1; i <= 3; ++i) {
    (x * x).backward();
    EXPECT_EQ(x.grad().item(), 4 * i);
  }
  const Tensor<double> kept = x.grad();
  x.zero_grad();
  EXPECT_FALSE(x.grad().defined());
  (x * x).backward();
  EXPECT_EQ(x.grad().item(), 4);
  EXPECT_EQ(kept.item(), 12);
}

// One tensor is the gradient of several: none may be written through another.
TEST(Engine, GradientsDoNotShareElements) {
  const auto a = leaf({1}), b = leaf({1});
  const auto seed = Tensor<double>::from({1}, {5});
  probe(a, b).backward(seed);
  EXPECT_NE(a.grad().data(), b.grad().data());
  EXPECT_NE(a.grad().data(), seed.data());
  probe(a, b).backward(seed);  // accumulates in place
  probe(probe(a, a), b).backward(seed);
  EXPECT_EQ(a.grad().item(), 20);
  EXPECT_EQ(b.grad().item(), 15);
  EXPECT_EQ(seed.item(), 5);
}

TEST(Engine, TheGraphIsFreedUnlessRetained) {
  const auto x = leaf({3});
  const auto y = silu(x) * x;
  y.backward({}, true);
  const double once = x.grad().item();
  y.backward({}, true);
  EXPECT_DOUBLE_EQ(x.grad().item(), 2 * once);
  y.backward();
  EXPECT_DOUBLE_EQ(x.grad().item(), 3 * once);
  EXPECT_EQ(thrown([&] { y.backward(); }),
            "[backward] the graph of 'mul' was freed by an earlier backward(); pass retain_graph "
            "to walk it twice");
  EXPECT_DOUBLE_EQ(x.grad().item(), 3 * once);
}

TEST(Engine, ASharedPartIsFreedWithItsFirstRoot) {
  const auto x = leaf({3});
  const auto shared = x * x;
  const auto first = shared * shared, second = shared + x;
  first.backward();
  EXPECT_EQ(x.grad().item(), 108);
  EXPECT_THROW(second.backward(), mien::Error);
}

TEST(Engine, FreesWhatForwardSaved) {
  mien::trim_memory();
  auto x = Tensor<double>::ones({1000}).set_requires_grad();
  const auto before = memory_stats().in_use;
  const auto bytes = mien::detail::CachingAllocator::rounded(8000);
  const auto y = silu(silu(silu(x)));
  EXPECT_EQ(memory_stats().in_use, before + 3 * bytes);
  y.backward(Tensor<double>::ones({1000}));
  EXPECT_EQ(memory_stats().in_use, before + 2 * bytes);  // y and the gradient of x
}

TEST(Engine, AFailureLeavesNoTrace) {
  const auto a = leaf({2}), b = leaf({3});
  Record record;
  const auto shared = a * b;
  const auto below = probe(shared, shared, &record);
  const auto root = below * shared + below;
  record.fail = true;
  EXPECT_THROW(root.backward({}, true), std::runtime_error);
  EXPECT_FALSE(a.grad().defined());
  record.fail = false;
  root.backward({}, true);  // 2 (a b)^2 + 2 a b
  EXPECT_EQ(a.grad().item(), 4 * 2 * 9 + 2 * 3);
  EXPECT_EQ(b.grad().item(), 4 * 4 * 3 + 2 * 2);
  a.zero_grad();
  (shared * b).backward();  // another root over nodes of the failed walk
  EXPECT_EQ(a.grad().item(), 9);
}

TEST(Engine, NamesTheOpWhoseGradientHasTheWrongShape) {
  const auto a = leaf({1, 2}), b = leaf({3, 4});
  Record record;
  record.misshapen = true;
  const auto y = probe(a, b, &record);
  EXPECT_EQ(thrown([&] { y.backward(Tensor<double>::ones({2}), true); }),
            "[probe] backward gave shape (2, 1) for input 0 of shape (2)");
  record.misshapen = false;
  y.backward(Tensor<double>::ones({2}));
  EXPECT_EQ(values(a.grad()), (Values{1, 1}));
}

TEST(Engine, AMissingGradientIsNone) {
  const auto a = leaf({1}), b = leaf({1});
  Record record;
  record.silent = true;
  (probe(silu(a), b, &record) + b).backward();
  EXPECT_FALSE(a.grad().defined());
  EXPECT_EQ(b.grad().item(), 1);
}

TEST(Engine, ChecksWhatItIsAskedFor) {
  const auto x = leaf({1, 2});
  EXPECT_EQ(thrown([] { Tensor<double>::ones({1}).backward(); }),
            "[backward] the tensor does not depend on any tensor that requires grad");
  EXPECT_EQ(thrown([&] { (x + x).backward(); }),
            "[backward] a gradient is needed for a tensor of shape (2)");
  EXPECT_EQ(thrown([&] { (x + x).backward(Tensor<double>::ones({3})); }),
            "[backward] expected a gradient of shape (2), got (3)");
}

TEST(Engine, StridedGradientsAreUnderstood) {
  const auto x = leaf({1, 2, 3});
  const auto stretched = Tensor<double>::scalar(2).as_strided({3}, {0});
  (x * x).backward(stretched);
  x.backward(stretched);
  x.backward(stretched);
  EXPECT_EQ(values(x.grad()), (Values{8, 12, 16}));
}

TEST(Engine, TensorsWithoutElementsPass) {
  auto x = Tensor<double>::zeros({0, 3}).set_requires_grad();
  const auto y = silu(x) * x;
  EXPECT_EQ(y.shape(), (mien::Shape{0, 3}));
  y.backward(Tensor<double>::zeros({0, 3}));
  EXPECT_EQ(x.grad().shape(), x.shape());
}

constexpr int depth = 200000;

Tensor<double> deep(const Tensor<double>& x, int nodes = depth) {
  Tensor<double> y = x;
  for (int i = 0; i < nodes; ++i) y = probe(y, x);
  return y;
}

TEST(DeepGraph, Backward) {
  const auto x = leaf({1});
  deep(x).backward();
  EXPECT_EQ(x.grad().item(), depth + 1);
}

TEST(DeepGraph, BackwardThatRetains) {
  const auto x = leaf({1});
  const auto y = deep(x, depth / 4);
  y.backward({}, true);
  y.backward({}, true);
  EXPECT_EQ(x.grad().item(), 2 * (depth / 4 + 1));
}

TEST(DeepGraph, DestructionWithoutBackward) {
  const auto before = memory_stats().in_use;
  {
    const auto x = leaf({1});
    const auto y = deep(x);
    EXPECT_GT(memory_stats().in_use, before);
  }
  EXPECT_EQ(memory_stats().in_use, before);
}

TEST(DeepGraph, DestructionOfABranchKeepsTheRest) {
  const auto x = leaf({1});
  const auto trunk = deep(x, 100);
  { const auto branch = deep(trunk, depth / 4); }
  trunk.backward();
  EXPECT_EQ(x.grad().item(), 101);
}

TEST(Engine, ThreadsMayWalkGraphsOfTheirOwn) {
  const auto shared = Tensor<double>::from({3}, {1, 2, 3});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto x = leaf({1.0 * t, 2, 3});
        const auto y = x * shared;
        (y * y).backward(shared);
        ASSERT_EQ(values(x.grad()), (Values{2.0 * t, 2 * 2 * 4 * 2, 2 * 3 * 9 * 3}));
      }
    });
  for (auto& thread : threads) thread.join();
}

// Forward passes that share parameters: several at once, in recording.
TEST(Engine, ThreadsMayRecordOverSharedLeaves) {
  const auto weight = leaf({2, 3});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) ASSERT_EQ(values(weight * weight + weight), (Values{6, 12}));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(weight.grad().defined());
}

TEST(Engine, HalfTypesAccumulateInTheirType) {
  auto x = Tensor<mien::bf16>::from({1}, {mien::bf16(1.0f)});
  x.set_requires_grad();
  const auto y = x + x + x;
  y.backward();
  EXPECT_EQ(float{x.grad().item()}, 3.0f);
}

}  // namespace
