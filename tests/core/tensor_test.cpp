#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

#include <mien/core/any_tensor.hpp>
#include <mien/core/tensor.hpp>

#include "support/thrown.hpp"

namespace {

using mien::AnyTensor;
using mien::bf16;
using mien::DType;
using mien::Element;
using mien::f16;
using mien::Shape;
using mien::Tensor;
using mien::test::thrown;

template <Element T>
std::vector<T> values(const Tensor<T>& x) {
  std::vector<T> out(static_cast<std::size_t>(x.numel()));
  if constexpr (std::is_same_v<T, bool>) {
    const Tensor<bool> dense = x.dense();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = dense.data()[i];
  } else {
    x.copy_to(out.data());
  }
  return out;
}

TEST(Tensor, IsAHandle) {
  const auto x = Tensor<float>::from({2}, {1, 2});
  const Tensor<float> same = x;
  same.mutable_data()[0] = 7;
  EXPECT_EQ(x(0), 7);
  EXPECT_FALSE(x.owns_storage_alone());
  const Tensor<float> copy = x.clone();
  copy.mutable_data()[1] = 9;
  EXPECT_EQ(x(1), 2);
  EXPECT_TRUE(copy.owns_storage_alone());
}

TEST(Tensor, IsAlignedAndDense) {
  const Tensor<float> x({2, 3, 4});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.data()) % 64, 0u);
  EXPECT_EQ(x.strides(), (Shape{12, 4, 1}));
  EXPECT_TRUE(x.is_contiguous());
  EXPECT_EQ(x.rank(), 3);
  EXPECT_EQ(x.dim(-1), 4);
  EXPECT_EQ(x.numel(), 24);
  EXPECT_EQ(x.device(), mien::Device{});
}

TEST(Tensor, MakesConstants) {
  EXPECT_EQ(values(Tensor<double>::zeros({2})), (std::vector<double>{0, 0}));
  EXPECT_EQ(values(Tensor<std::int32_t>::ones({2})), (std::vector<std::int32_t>{1, 1}));
  EXPECT_EQ(values(Tensor<std::uint8_t>::full({3}, 9)), (std::vector<std::uint8_t>{9, 9, 9}));
  EXPECT_EQ(values(Tensor<std::int64_t>::arange(3)), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(float{Tensor<bf16>::ones({1}).item()}, 1.0f);
  EXPECT_EQ(Tensor<float>::scalar(3).item(), 3);
  EXPECT_EQ(thrown([] {
              Tensor<float>::from({3}, {1, 2});
            }),
            "[tensor] shape (3) takes 3 values, got 2");
}

TEST(Tensor, RankZeroHoldsOneElement) {
  const auto x = Tensor<float>::scalar(4);
  EXPECT_EQ(x.rank(), 0);
  EXPECT_EQ(x.numel(), 1);
  EXPECT_EQ(x(), 4);
  EXPECT_TRUE(x.is_contiguous());
  EXPECT_EQ(x.view_as({1, 1}).shape(), (Shape{1, 1}));
}

TEST(Tensor, EmptyTensorsAreDefinedAndDense) {
  const Tensor<float> x({3, 0, 2});
  EXPECT_TRUE(x.defined());
  EXPECT_EQ(x.numel(), 0);
  EXPECT_TRUE(x.clone().defined());
  EXPECT_EQ(x.view_as({0, 5}).shape(), (Shape{0, 5}));
  EXPECT_EQ(x.to<double>().shape(), x.shape());
  // An empty slice of a matrix has the matrix's strides, and is dense all the same.
  const auto slice = Tensor<float>::zeros({4, 5}).as_strided({2, 0}, {5, 1}, 5);
  EXPECT_TRUE(slice.is_contiguous());
  EXPECT_EQ(slice.view_as({0}).numel(), 0);
  EXPECT_EQ(thrown([&] { slice(0, 0); }), "[tensor] index 0 in dimension 1 of shape (2, 0)");
}

TEST(Tensor, UndefinedStaysUndefined) {
  const Tensor<float> x;
  EXPECT_FALSE(x.defined());
  EXPECT_EQ(x.numel(), 0);
  EXPECT_EQ(x.data(), nullptr);
  EXPECT_FALSE(x.clone().defined());
  EXPECT_FALSE(x.dense().defined());
  EXPECT_FALSE(x.to<double>().defined());
  EXPECT_FALSE(x.owns_storage_alone());
  EXPECT_EQ(thrown([&] { x(); }), "[tensor] index of 0 numbers into an undefined tensor ()");
  EXPECT_EQ(thrown([&] { x.item(); }), "[tensor] item() of a tensor of shape ()");
  const auto scalar = Tensor<float>::scalar(1);
  EXPECT_EQ(thrown([&] { scalar.copy_from(x); }), "[copy_from] an undefined tensor");
  EXPECT_EQ(thrown([&] { x.copy_from(scalar); }), "[copy_from] an undefined tensor");
}

TEST(Tensor, ChecksIndices) {
  const auto x = Tensor<std::int64_t>::arange(6).view_as({2, 3});
  EXPECT_EQ(x(1, 2), 5);
  EXPECT_EQ(thrown([&] { x(1); }), "[tensor] index of 1 numbers into shape (2, 3)");
  EXPECT_EQ(thrown([&] { x(1, 3); }), "[tensor] index 3 in dimension 1 of shape (2, 3)");
  EXPECT_EQ(thrown([&] { x(-1, 0); }), "[tensor] index -1 in dimension 0 of shape (2, 3)");
  EXPECT_EQ(thrown([&] { x.item(); }), "[tensor] item() of a tensor of shape (2, 3)");
}

TEST(Tensor, RefusesSizesThatOverflow) {
  EXPECT_EQ(thrown([] {
              Tensor<double>({std::int64_t{1} << 60, 1});
            }),
            "[tensor] too many elements in (1152921504606846976, 1)");
  EXPECT_EQ(thrown([] { Tensor<float>({-1}); }), "[shape] negative size in (-1)");
  EXPECT_EQ(thrown([] { Tensor<float>::arange(-2); }), "[shape] negative size in (-2)");
}

TEST(View, StridesReachTheSameElements) {
  const auto x = Tensor<std::int64_t>::arange(12).view_as({3, 4});
  const auto transposed = x.as_strided({4, 3}, {1, 4});
  EXPECT_FALSE(transposed.is_contiguous());
  EXPECT_EQ(transposed(3, 1), 7);
  EXPECT_EQ(values(transposed), (std::vector<std::int64_t>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
  EXPECT_EQ(values(x.as_strided({2, 2}, {4, 2}, 5)), (std::vector<std::int64_t>{5, 7, 9, 11}));
  EXPECT_EQ(values(x.as_strided({3}, {-4}, 8)), (std::vector<std::int64_t>{8, 4, 0}));
  EXPECT_EQ(values(x.as_strided({2, 3}, {1, 0}, 3)), (std::vector<std::int64_t>{3, 3, 3, 4, 4, 4}));
  // A view of a view counts from its own first element.
  EXPECT_EQ(x.as_strided({4}, {1}, 4).as_strided({2}, {1}, 2)(1), 7);
  transposed.mutable_data()[0] = 100;
  EXPECT_EQ(x(0, 0), 100);
}

TEST(View, MayNotLeaveTheStorage) {
  const auto x = Tensor<float>::zeros({3, 4});
  EXPECT_NO_THROW(x.as_strided({3}, {4}, 3));
  EXPECT_EQ(
      thrown([&] { x.as_strided({3}, {4}, 4); }),
      "[as_strided] shape (3) with strides (4) from element 4 leaves a storage of 12 elements");
  EXPECT_THROW(x.as_strided({2}, {-1}, 0), mien::Error);
  EXPECT_THROW(x.as_strided({1}, {1}, -1), mien::Error);
  EXPECT_THROW(x.as_strided({1}, {1}, 12), mien::Error);
  EXPECT_THROW(x.as_strided({2}, {}, 0), mien::Error);
  EXPECT_THROW(Tensor<float>().as_strided({1}, {1}), mien::Error);
  // Products and sums that do not fit 63 bits are outside, not wrapped around.
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW(x.as_strided({3}, {huge}), mien::Error);
  EXPECT_THROW(x.as_strided({2, 2}, {huge, huge}), mien::Error);
  EXPECT_THROW(x.as_strided({1}, {1}, 4).as_strided({1}, {1}, huge), mien::Error);
  EXPECT_NO_THROW(x.as_strided({0, 3}, {huge, huge}, huge));
}

TEST(View, ReshapesDenseTensors) {
  const auto x = Tensor<std::int64_t>::arange(12).view_as({3, 4});
  EXPECT_EQ(x.view_as({2, -1}).shape(), (Shape{2, 6}));
  EXPECT_EQ(x.view_as({2, 3, 2})(1, 2, 1), 11);
  EXPECT_EQ(thrown([&] {
              x.view_as({5, -1});
            }),
            "[reshape] expected 12 elements as in (3, 4), got shape (5, -1)");
  EXPECT_EQ(thrown([&] { x.view_as({-1, -1}); }), "[reshape] more than one -1 in (-1, -1)");
  EXPECT_THROW(x.view_as({-2, -6}), mien::Error);
  EXPECT_THROW(x.view_as({0, -1}), mien::Error);
  EXPECT_THROW(x.view_as({std::int64_t{1} << 62, 4, -1}), mien::Error);
  EXPECT_EQ(thrown([&] {
              x.as_strided({4, 3}, {1, 4}).view_as({12});
            }),
            "[view_as] a tensor with strides (1, 4) has no dense view");
  // Strides of dimensions of size 1 do not matter.
  EXPECT_TRUE(x.as_strided({1, 4}, {99, 1}).is_contiguous());
}

TEST(Copy, ConvertsAndFollowsStrides) {
  const auto x = Tensor<std::int32_t>::from({2, 3}, {1, 2, 3, 4, 5, 300});
  EXPECT_EQ(values(x.to<double>()), (std::vector<double>{1, 2, 3, 4, 5, 300}));
  EXPECT_EQ(values(x.as_strided({3, 2}, {1, 3}).to<float>()),
            (std::vector<float>{1, 4, 2, 5, 3, 300}));
  EXPECT_EQ(float{x.to<f16>()(1, 2)}, 300);
  EXPECT_EQ(float{x.to<double>().to<bf16>()(0, 2)}, 3);
  EXPECT_EQ(values(x.to<bool>()), (std::vector<bool>{true, true, true, true, true, true}));
  EXPECT_EQ(values(x.as_strided({3, 2}, {1, 3}).dense()),
            (std::vector<std::int32_t>{1, 4, 2, 5, 3, 300}));
}

TEST(Copy, IntoATensor) {
  const auto x = Tensor<std::int64_t>::arange(4).view_as({2, 2});
  const auto y = Tensor<std::int64_t>::zeros({2, 2});
  y.copy_from(x);
  EXPECT_EQ(values(y), (std::vector<std::int64_t>{0, 1, 2, 3}));
  x.copy_from(x.as_strided({2, 2}, {1, 2}));  // its own transpose
  EXPECT_EQ(values(x), (std::vector<std::int64_t>{0, 2, 1, 3}));
  x.copy_from(x);
  EXPECT_EQ(values(x), (std::vector<std::int64_t>{0, 2, 1, 3}));
  EXPECT_EQ(thrown([&] { x.copy_from(Tensor<std::int64_t>::zeros({4})); }),
            "[copy_from] expected shape (2, 2), got (4)");
  x.as_strided({2, 2}, {1, 2}).copy_from(Tensor<std::int64_t>::from({2, 2}, {5, 6, 7, 8}));
  EXPECT_EQ(values(x), (std::vector<std::int64_t>{5, 7, 6, 8}));  // into a view
}

TEST(Tensor, OnBorrowedMemoryKeepsItsOwnerAlive) {
  struct Owner : mien::RefCounted {
    explicit Owner(bool& gone) : gone_(gone) {}
    ~Owner() override { gone_ = true; }
    bool& gone_;
  };
  bool gone = false;
  float memory[4] = {1, 2, 3, 4};
  {
    auto owner = mien::make_ref<Owner>(gone);
    Tensor<float> view;
    {
      const auto storage = mien::make_ref<mien::Storage>(memory, sizeof memory, owner);
      owner.reset();
      view = Tensor<float>::on(storage, {2}, 2);
    }
    EXPECT_FALSE(gone);
    EXPECT_EQ(values(view), (std::vector<float>{3, 4}));
    EXPECT_THROW(Tensor<double>::on(mien::Ref<mien::Storage>(view.storage()), {3}), mien::Error);
  }
  EXPECT_TRUE(gone);
}

TEST(Tensor, WithoutCudaSaysSo) {
  EXPECT_EQ(thrown([] {
              Tensor<float>({2}, {mien::DeviceType::cuda, 1});
            }),
            "[device] cuda:1 asked for, this program was built without CUDA");
}

TEST(AnyTensor, KeepsTypeAndShape) {
  const AnyTensor any = Tensor<bf16>::ones({2, 3});
  EXPECT_EQ(any.dtype(), DType::bf16);
  EXPECT_EQ(any.shape(), (Shape{2, 3}));
  EXPECT_EQ(any.nbytes(), 12u);
  EXPECT_EQ(values(any.as<float>()), std::vector<float>(6, 1.0f));
  EXPECT_EQ(any.get<bf16>().data(), any.as<bf16>().data());  // shared where the type fits
  EXPECT_EQ(thrown([&] { any.get<float>(); }), "[tensor] expected f32, got bf16");
}

TEST(AnyTensor, CopiesItsSource) {
  const auto x = Tensor<std::int32_t>::arange(6).view_as({2, 3});
  const AnyTensor any = x.as_strided({3, 2}, {1, 3});
  x.mutable_data()[0] = 50;
  EXPECT_EQ(values(any.get<std::int32_t>()), (std::vector<std::int32_t>{0, 3, 1, 4, 2, 5}));
}

TEST(AnyTensor, MayBeUndefinedOrEmpty) {
  const AnyTensor none, from_none = Tensor<float>();
  for (const AnyTensor& any : {none, from_none}) {
    EXPECT_FALSE(any.defined());
    EXPECT_EQ(any.numel(), 0);
    EXPECT_EQ(any.nbytes(), 0u);
    EXPECT_EQ(any.bytes(), nullptr);
    EXPECT_EQ(thrown([&] { any.get<float>(); }), "[tensor] expected f32, got an undefined tensor");
  }
  const AnyTensor empty(DType::i64, {0, 3});
  EXPECT_TRUE(empty.defined());
  EXPECT_EQ(empty.nbytes(), 0u);
  EXPECT_EQ(thrown([] { AnyTensor(DType::f64, {std::int64_t{1} << 61}); }),
            "[tensor] too many elements in (2305843009213693952)");
}

}  // namespace
