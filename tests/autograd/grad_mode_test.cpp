#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "autograd/probe_op.hpp"
#include "support/thrown.hpp"

namespace {

using mien::grad_enabled;
using mien::GradMode;
using mien::NoGrad;
using mien::Tensor;
using mien::test::probe;
using mien::test::Record;
using mien::test::thrown;

Tensor<float> leaf() { return Tensor<float>::ones({2}).set_requires_grad(); }

TEST(GradMode, ScopesNestAndRestore) {
  EXPECT_TRUE(grad_enabled());
  {
    const NoGrad no_grad;
    EXPECT_FALSE(grad_enabled());
    {
      const GradMode again(true);
      EXPECT_TRUE(grad_enabled());
    }
    EXPECT_FALSE(grad_enabled());
  }
  EXPECT_TRUE(grad_enabled());
}

TEST(GradMode, IsRestoredByAnException) {
  try {
    const NoGrad no_grad;
    throw std::runtime_error("inside");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(grad_enabled());
}

TEST(GradMode, BelongsToTheThread) {
  const NoGrad no_grad;
  bool elsewhere = false;
  std::thread([&] { elsewhere = grad_enabled(); }).join();
  EXPECT_TRUE(elsewhere);
}

TEST(Recording, HappensWhereAGradientIsWanted) {
  const auto x = leaf(), constant = Tensor<float>::ones({2});
  Record record;
  EXPECT_TRUE(probe(constant, x, &record).requires_grad());
  EXPECT_TRUE(record.recording);
  EXPECT_EQ(record.needs, (std::vector<bool>{false, true}));
  EXPECT_FALSE(probe(constant, constant, &record).requires_grad());
  EXPECT_FALSE(record.recording);
  EXPECT_EQ(record.needs, (std::vector<bool>{false, false}));
  const NoGrad no_grad;
  EXPECT_FALSE(probe(x, x, &record).requires_grad());
  EXPECT_FALSE(record.recording);
}

// What an op composes inside is not recorded a second time.
TEST(Recording, IsOffInsideForwardAndBackward) {
  const auto x = leaf();
  Record record;
  const auto y = probe(x, x, &record);
  EXPECT_FALSE(record.grad_enabled);
  record.grad_enabled = true;
  y.backward(Tensor<float>::ones({2}));
  EXPECT_FALSE(record.grad_enabled);
  EXPECT_FALSE(x.grad().requires_grad());
  EXPECT_TRUE(grad_enabled());
}

TEST(Detach, CutsTheGraph) {
  const auto x = leaf();
  const auto y = probe(x, x);
  const auto cut = y.detach();
  EXPECT_FALSE(cut.requires_grad());
  EXPECT_EQ(cut.data(), y.data());
  EXPECT_TRUE(y.requires_grad());
  probe(cut, x).backward(Tensor<float>::ones({2}));
  EXPECT_EQ(x.grad()(0), 1);
}

TEST(Leaves, ShareTheirMarkAndGradientWithCopies) {
  auto x = leaf();
  const auto copy = x;
  probe(copy, copy).backward(Tensor<float>::ones({2}));
  EXPECT_EQ(x.grad()(0), 2);
  copy.zero_grad();
  EXPECT_FALSE(x.grad().defined());
  x.set_requires_grad();  // again: nothing changes
  EXPECT_TRUE(x.edge() == copy.edge());
  x.set_requires_grad(false);
  EXPECT_FALSE(x.requires_grad());
  EXPECT_FALSE(probe(x, x).requires_grad());
}

TEST(Leaves, OnlyLeavesCanBeMarked) {
  const auto x = leaf();
  auto y = probe(x, x);
  EXPECT_EQ(thrown([&] { y.set_requires_grad(); }),
            "[set_requires_grad] only for leaves; this tensor is the result of an op (use "
            "detach())");
  Tensor<float> undefined;
  EXPECT_EQ(thrown([&] { undefined.set_requires_grad(); }),
            "[set_requires_grad] the tensor is undefined");
  EXPECT_NO_THROW(undefined.set_requires_grad(false));
}

}  // namespace
