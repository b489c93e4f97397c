#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include <mien/core/dtype.hpp>

#include "support/thrown.hpp"

namespace {

using mien::bf16;
using mien::Compute;
using mien::DType;
using mien::f16;

static_assert(mien::Element<bool> && mien::Element<std::uint8_t> && !mien::Element<char>);
static_assert(mien::FloatElement<bf16> && !mien::FloatElement<std::int32_t>);
static_assert(std::is_same_v<Compute<double>, double> && std::is_same_v<Compute<float>, float> &&
              std::is_same_v<Compute<bf16>, float> && std::is_same_v<Compute<f16>, float>);

template <class T>
class Elements : public testing::Test {};
using AllElements =
    testing::Types<float, double, bf16, f16, std::int32_t, std::int64_t, std::uint8_t, bool>;
TYPED_TEST_SUITE(Elements, AllElements);

TYPED_TEST(Elements, RunTimeTypeLeadsBackToTheStaticOne) {
  const DType dtype = mien::dtype_of<TypeParam>;
  EXPECT_TRUE(mien::with_dtype(
      dtype, [](auto t) { return std::is_same_v<typename decltype(t)::type, TypeParam>; }));
  EXPECT_EQ(mien::size_of(dtype), sizeof(TypeParam));
}

TEST(DType, HasNames) {
  const DType all[] = {DType::f32, DType::f64, DType::bf16, DType::f16,
                       DType::i32, DType::i64, DType::u8,   DType::boolean};
  const char* names[] = {"f32", "f64", "bf16", "f16", "i32", "i64", "u8", "bool"};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(to_string(all[i]), names[i]);
}

TEST(DType, RefusesAValueThatIsNone) {
  EXPECT_EQ(mien::test::thrown([] { mien::size_of(static_cast<DType>(200)); }),
            "[dtype] not a dtype");
}

}  // namespace
