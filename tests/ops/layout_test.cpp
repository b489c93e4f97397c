// Ops that move or pick elements, where samples do not reach: which of them share memory, strided
// inputs, chains of views in backward, errors.

#include <gtest/gtest.h>
#include <mien/autograd/gradcheck.hpp>
#include <mien/core/random.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/concat.hpp>
#include <mien/ops/contiguous.hpp>
#include <mien/ops/expand.hpp>
#include <mien/ops/gather.hpp>
#include <mien/ops/mul.hpp>
#include <mien/ops/pad.hpp>
#include <mien/ops/permute.hpp>
#include <mien/ops/reshape.hpp>
#include <mien/ops/slice.hpp>
#include <mien/ops/stack.hpp>

#include "support/thread_count.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien;
using mien::test::same_bits;
using mien::test::thrown;

using Index = Tensor<std::int64_t>;

TEST(Views, ShareTheElements) {
  const auto x = Tensor<float>::arange(24).view_as({2, 3, 4});
  for (const auto& view :
       {reshape(x, {4, -1}), permute(x, {2, 0, 1}), transpose(x), slice(x, {.dim = 1, .start = 1}),
        select(x, 2, -1), expand(select(x, 0, 0), {5, 3, 4}), split(x, 2, 2)[1], contiguous(x)})
    EXPECT_EQ(view.storage(), x.storage());
  EXPECT_NE(reshape(transpose(x), {24}).storage(), x.storage()) << "no dense view exists";
  EXPECT_EQ(transpose(x)(1, 3, 2), x(1, 2, 3));
  EXPECT_EQ(select(x, 1, -1)(1, 2), x(1, 2, 2));
}

TEST(Views, GradientsFlowThroughChains) {
  const auto chain = [](const std::vector<Tensor<double>>& in) {
    const auto& x = in[0];
    const auto turned = permute(slice(x, {.dim = 2, .start = 1, .step = 2}), {2, 0, 1});
    const auto parts = split(reshape(turned, {2, 12}), 1, {5, 7});
    const auto row = reshape(select(x, 2, 0), {12});
    return concat({parts[1] * parts[1], parts[0]}, 1) * expand(row, {2, 12});
  };
  Generator generator(1);
  auto x = rand<double>({3, 4, 5}, generator, -1, 1);
  x.set_requires_grad();
  EXPECT_EQ(gradcheck(chain, {x}), "");
}

TEST(Views, ElementwiseOpsTakeStridedInputs) {
  const auto x = Tensor<float>::arange(12).view_as({3, 4});
  const auto y =
      transpose(x) + slice(Tensor<float>::arange(24).view_as({4, 6}), {.dim = 1, .step = 2});
  EXPECT_EQ(y(3, 2), x(2, 3) + 22);
}

TEST(Slice, LargeStridedGradient) {
  auto x = Tensor<float>::zeros({300, 200});
  x.set_requires_grad();
  slice(x, {.dim = 1, .start = 1, .step = 3}).backward(Tensor<float>::ones({300, 67}));
  for (std::int64_t i = 0; i < x.numel(); ++i)
    ASSERT_EQ(x.grad().data()[i], i % 200 % 3 == 1 ? 1.0f : 0.0f) << i;
}

TEST(Split, SizesAndEqualParts) {
  const auto x = Tensor<float>::arange(7);
  const auto parts = split(x, 0, 3);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[2].shape(), (Shape{1}));
  EXPECT_EQ(parts[2](0), 6.0f);
  EXPECT_EQ(split(x, -1, {0, 7})[1](6), 6.0f);
  EXPECT_TRUE(same_bits(concat(split(x, 0, {2, 5})), x));
  EXPECT_EQ(thrown([&] { split(x, 0, {2, 4}); }), "[split] sizes add up to 6, dimension 0 has 7");
}

TEST(Concat, TakesStridedInputsAndHandsOutViews) {
  auto a = Tensor<float>::arange(6).view_as({2, 3}), b = Tensor<float>::ones({2, 2});
  b.set_requires_grad();
  const auto y = concat({transpose(a), transpose(b)}, 0);
  EXPECT_EQ(y(2, 1), 5.0f);
  EXPECT_EQ(y.shape(), (Shape{5, 2}));
  y.backward(Tensor<float>::arange(10).view_as({5, 2}));
  EXPECT_EQ(b.grad()(0, 1), 8.0f);
}

TEST(Concat, OneInputTwice) {
  auto x = Tensor<float>::ones({2});
  x.set_requires_grad();
  concat({x, x}).backward(Tensor<float>::arange(4));
  EXPECT_EQ(x.grad()(1), 4.0f);
}

TEST(Concat, Errors) {
  const auto a = Tensor<float>::zeros({2, 3});
  EXPECT_EQ(thrown([&] {
              concat({a, Tensor<float>::zeros({2, 4})});
            }),
            "[concat] shapes (2, 3) and (2, 4) differ outside dimension 0");
  EXPECT_EQ(thrown([&] {
              concat({a, Tensor<float>::zeros({2})});
            }),
            "[concat] shapes (2, 3) and (2) differ in rank");
  EXPECT_EQ(thrown([&] { concat(std::vector<Tensor<float>>{}); }), "[concat] no tensors");
  EXPECT_EQ(thrown([&] { concat({a}, 2); }), "[concat] dimension 2 of a tensor of rank 2");
}

TEST(Stack, AlongEveryDimension) {
  const auto a = Tensor<float>::zeros({2, 3}), b = Tensor<float>::ones({2, 3});
  EXPECT_EQ(stack<float>({a, b}).shape(), (Shape{2, 2, 3}));
  const auto last = stack<float>({a, b, b}, -1);
  EXPECT_EQ(last.shape(), (Shape{2, 3, 3}));
  EXPECT_EQ(last(1, 2, 0), 0.0f);
  EXPECT_EQ(last(1, 2, 2), 1.0f);
}

TEST(Pad, ReflectionBordersInEveryDimension) {
  const auto x = Tensor<float>::arange(6).view_as({2, 3});
  const auto y = pad(x, {.before = {1, 2}, .after = {1, 1}, .mode = PadMode::reflect});
  const auto expected = Tensor<float>::from({4, 6}, {5, 4, 3, 4, 5, 4,  //
                                                     2, 1, 0, 1, 2, 1,  //
                                                     5, 4, 3, 4, 5, 4,  //
                                                     2, 1, 0, 1, 2, 1});
  EXPECT_TRUE(same_bits(y, expected));
}

TEST(Pad, GradientOfBf16ReflectionIsRoundedOnce) {
  // The middle element is shown three times: 1 + 2^-8 + 2^-8 is a bf16 number, 1 + 2^-8 is none.
  auto x = Tensor<bf16>::zeros({3});
  x.set_requires_grad();
  const float part = 0x1p-8f;
  pad(x, {.before = {1}, .after = {1}, .mode = PadMode::reflect})
      .backward(Tensor<float>::from({5}, {part, 0, 1, 0, part}).to<bf16>());
  EXPECT_EQ(x.grad()(1), 1 + 2 * part);
}

TEST(Pad, Errors) {
  const auto x = Tensor<float>::zeros({2, 3});
  EXPECT_EQ(thrown([&] {
              pad(x, {.before = {0, 3}, .after = {0, 0}, .mode = PadMode::reflect});
            }),
            "[pad] cannot reflect 3 elements in dimension 1 of shape (2, 3)");
  EXPECT_EQ(thrown([&] {
              pad(x, {.before = {0, -1}, .after = {0, 0}});
            }),
            "[pad] negative padding in (0, -1) or (0, 0)");
  EXPECT_EQ(thrown([&] { pad(x, {.before = {1}, .after = {1}}); }),
            "[pad] padding (1) and (1) for a tensor of shape (2, 3)");
}

TEST(Gather, GradientIsTheSameOnAnyNumberOfThreads) {
  Generator generator(2);
  auto x = rand<float>({50, 300}, generator);
  const auto index = randint(50, {2000}, generator);
  const auto dy = rand<float>({2000, 300}, generator, -1, 1);
  x.set_requires_grad();
  mien::test::expect_same_bits_on_any_number_of_threads([&] {
    x.zero_grad();
    index_select(x, 0, index).backward(dy);
    return x.grad();
  });
}

TEST(Gather, StridedIndex) {
  const auto x = Tensor<float>::arange(6).view_as({2, 3});
  const auto index = Index::from({3, 2}, {2, 0, 1, 1, 0, 2});
  EXPECT_EQ(gather(x, 1, index.as_strided({2, 3}, {1, 2}))(1, 2), 5.0f);
}

TEST(Gather, Errors) {
  const auto x = Tensor<float>::zeros({2, 3});
  EXPECT_EQ(thrown([&] {
              index_select(x, 1, Index::from({2}, {0, 3}));
            }),
            "[gather] index 3 in dimension 1 of shape (2, 3)");
  EXPECT_EQ(thrown([&] {
              gather(x, 1, Index::zeros({1, 1}));
            }),
            "[gather] x has shape (2, 3), the index (1, 1) along dimension 1");
  EXPECT_EQ(thrown([&] {
              index_select(x, 0, Index::zeros({1, 1}));
            }),
            "[gather] expected an index of rank 1, got shape (1, 1)");
}

TEST(Errors, OfViews) {
  const auto x = Tensor<float>::zeros({2, 3});
  EXPECT_EQ(thrown([&] {
              reshape(x, {4, -1});
            }),
            "[reshape] expected 6 elements as in (2, 3), got shape (4, -1)");
  EXPECT_EQ(thrown([&] {
              permute(x, {0, -2});
            }),
            "[permute] a dimension is named twice in (0, -2)");
  EXPECT_EQ(thrown([&] { permute(x, {0}); }), "[permute] order (0) for a tensor of shape (2, 3)");
  EXPECT_EQ(thrown([&] { slice(x, {.step = 0}); }), "[slice] expected a step of at least 1, got 0");
  EXPECT_EQ(thrown([&] { slice(x, {.dim = 2}); }), "[slice] dimension 2 of a tensor of rank 2");
  EXPECT_EQ(thrown([&] { select(x, 1, 3); }), "[select] index 3 in dimension 1 of shape (2, 3)");
  EXPECT_EQ(thrown([&] {
              expand(x, {2, 4});
            }),
            "[expand] shapes (2, 3) and (2, 4) do not broadcast");
  EXPECT_EQ(thrown([&] { expand(x, {1, 3}); }), "[expand] cannot stretch (2, 3) to (1, 3)");
}

}  // namespace
