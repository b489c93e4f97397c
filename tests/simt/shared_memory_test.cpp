#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <cmath>
#include <string>
#include <vector>

#include <mien/core/float16.hpp>
#include <support/backend.hpp>
#include <support/thrown.hpp>

namespace mien::simt {
namespace {

using test::Buffer, test::each_schedule, test::thrown;

template <std::size_t static_bytes>
void kernel_with() {
  if constexpr (static_bytes > 0) {
    MIEN_SHARED(unsigned char, tile, [static_bytes]);
    tile[static_bytes - 1] = 1;
  }
}

template <std::size_t static_bytes>
void allow(std::size_t dynamic_bytes) {
  allow_dynamic_shared(reinterpret_cast<const void*>(kernel_with<static_bytes>), dynamic_bytes);
}

// One launch with so much shared memory, straight on the executor.
template <std::size_t static_bytes>
std::string refusal(std::size_t dynamic_bytes) {
  return thrown([&] { launch(kernel_with<static_bytes>, 1, 1, dynamic_bytes); });
}

TEST(SharedMemoryTest, HoldsNansAtFirstInEveryBlock) {
  const auto kernel = +[](int* nans) {
    MIEN_SHARED(float, a, [3][2]);
    MIEN_SHARED(bf16, b, [8]);
    MIEN_DYN_SHARED(f16, c);
    nans[blockIdx.x] = std::isnan(a[2][1]) + std::isnan(static_cast<float>(b[7])) +
                       std::isnan(static_cast<float>(c[9]));
    a[2][1] = 0;
    b[7] = bf16(0);
    c[9] = f16(0);
  };
  each_schedule([&] {
    Buffer<int> nans(3);
    cuda::launch(kernel, {.grid = 3, .dynamic_shared_bytes = 20}, nans.data());
    EXPECT_EQ(nans.read(), std::vector<int>(3, 3));
  });
}

template <int size>
int* shared_address() {
  MIEN_SHARED(int, values, [size]);
  return values;
}

TEST(SharedMemoryTest, EachArrayIsOneOfItsOwn) {
  const auto kernel = +[](bool* same) {
    MIEN_SHARED(int, values, [4]);
    same[0] = shared_address<4>() == shared_address<4>();
    same[1] = shared_address<4>() == shared_address<5>();
    same[2] = shared_address<4>() == values;
  };
  bool same[3] = {};
  cuda::launch(kernel, {}, same);
  EXPECT_TRUE(same[0]);
  EXPECT_FALSE(same[1]);
  EXPECT_FALSE(same[2]);
}

TEST(SharedMemoryTest, IsAligned) {
  const auto kernel = +[](std::uintptr_t* bits) {
    MIEN_SHARED(char, text, [5]);
    MIEN_DYN_SHARED(char, dynamic);
    *bits =
        (reinterpret_cast<std::uintptr_t>(text) | reinterpret_cast<std::uintptr_t>(dynamic)) & 15;
  };
  std::uintptr_t bits = 1;
  cuda::launch(kernel, {.dynamic_shared_bytes = 3}, &bits);
  EXPECT_EQ(bits, 0u);
}

TEST(SharedMemoryTest, MoreThan48KilobytesMustBeAskedFor) {
  EXPECT_EQ(refusal<0>(48 * 1024), "nothing was thrown");
  EXPECT_EQ(refusal<0>(48 * 1024 + 1),
            "[launch] 49153 bytes of dynamic shared memory, the kernel was allowed 49152");
  allow<0>(100 * 1024);
  EXPECT_EQ(refusal<0>(100 * 1024), "nothing was thrown");
  EXPECT_EQ(refusal<0>(100 * 1024 + 1),
            "[launch] 102401 bytes of dynamic shared memory, the kernel was allowed 102400");
  EXPECT_EQ(thrown([] { allow<0>(227 * 1024 + 1); }),
            "[launch] 232449 bytes of shared memory, at most 232448 can be had");
}

TEST(SharedMemoryTest, StaticAndDynamicShareTheLimit) {
  EXPECT_EQ(refusal<1024>(47 * 1024), "nothing was thrown");
  EXPECT_EQ(refusal<1024>(48 * 1024),
            "[simt] shared memory of 49152 dynamic and 1024 static bytes, at most 49152 in this "
            "launch");
  allow<2048>(226 * 1024);
  EXPECT_EQ(refusal<2048>(225 * 1024), "nothing was thrown");
  EXPECT_EQ(refusal<2048>(226 * 1024),
            "[simt] shared memory of 231424 dynamic and 2048 static bytes, at most 232448 in this "
            "launch");
  EXPECT_EQ(refusal<48 * 1024>(0), "nothing was thrown");
  EXPECT_EQ(refusal<48 * 1024 + 16>(0),
            "[simt] static shared memory of 49168 bytes, at most 49152 can be had");
}

TEST(SharedMemoryTest, TheLaunchLayerAsks) {
  const auto kernel = +[](int* out) {
    MIEN_DYN_SHARED(unsigned char, tile);
    tile[200 * 1024 - 1] = 7;
    *out = tile[200 * 1024 - 1];
  };
  int out = 0;
  cuda::launch(kernel, {.dynamic_shared_bytes = 200 * 1024}, &out);
  EXPECT_EQ(out, 7);
  EXPECT_EQ(thrown([&] { cuda::launch(kernel, {.dynamic_shared_bytes = 228 * 1024}, &out); }),
            "[launch] 233472 bytes of shared memory, at most 232448 can be had");
}

}  // namespace
}  // namespace mien::simt
