// Large results are stored past the caches (cpu/streaming.hpp), where memory is not aligned they
// are not: the same bits either way, on every instruction set.

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/core/tensor.hpp>
#include <mien/cpu/conv.hpp>
#include <mien/cpu/norm.hpp>
#include <mien/cpu/streaming.hpp>
#include <mien/ops/silu.hpp>

#include "support/each_isa.hpp"

namespace {

using mien::bf16;
using mien::Compute;
using mien::Cpu;
using mien::Generator;
using mien::Tensor;
using mien::kernels::worth_streaming;

constexpr std::int64_t rows = 1 << 16, channels = 96;

// Calls fill(y) for a place that streams and for one that does not.
template <class T, class Fill>
void expect_same_bits(Fill&& fill) {
  const std::int64_t size = rows * channels;
  Tensor<T> streamed({size}), plain({size + 1});
  T *y = streamed.mutable_data(), *beside = plain.mutable_data() + 1;
  ASSERT_TRUE(worth_streaming(y, rows, channels));
  ASSERT_FALSE(worth_streaming(beside, rows, channels));
  fill(y);
  fill(beside);
  ASSERT_TRUE(std::equal(y, y + size, beside));
}

template <class T>
Tensor<T> random_rows() {
  Generator generator(3);
  return mien::randn<T>({rows, channels}, generator);
}

class Streaming : public mien::test::EachIsa {};
INSTANTIATE_TEST_SUITE_P(EveryIsa, Streaming, mien::test::every_isa, mien::test::isa_name);

TEST_P(Streaming, BatchNormAndItsGradient) {
  const auto run = [&]<class T>(T) {
    const Tensor<T> x = random_rows<T>(), dy = random_rows<T>();
    const std::vector<Compute<T>> mean(channels, 0.25f), scale(channels, 1.5f);
    const mien::kernels::ChannelAffine<Compute<T>> affine{mean.data(), scale.data(), mean.data(),
                                                          channels};
    expect_same_bits<T>([&](T* y) {
      mien::kernels::normalise(Cpu{}, y, x.data(), rows, affine, mien::ops::Silu{});
    });
    expect_same_bits<T>([&](T* dx) {
      mien::kernels::normalise_grad(Cpu{}, dx, x.data(), dy.data(), rows, affine, mean.data(),
                                    scale.data(), mien::ops::Silu{});
    });
  };
  run(float{});
  run(bf16{});
}

TEST_P(Streaming, ScaledChannels) {
  const Tensor<float> x = random_rows<float>();
  const std::vector<float> scale(channels, 1.5f);
  expect_same_bits<float>([&](float* y) {
    mien::kernels::channel_scale<float>(Cpu{}, y, x.data(), scale.data(), nullptr,
                                        {1, rows, channels});
  });
}

TEST_P(Streaming, MatrixProductsAndConvolutions) {
  const auto run = [&]<class T>(T, std::int64_t kernel, std::int64_t groups) {
    Generator generator(5);
    const std::int64_t in = 4;
    const Tensor<T> x = mien::randn<T>({rows, in}, generator);
    const auto w = mien::randn<Compute<T>>({kernel * kernel * in / groups, channels}, generator);
    const auto shift = mien::randn<Compute<T>>({channels}, generator);
    const mien::kernels::Conv2dParams p{.n = 1,
                                        .h = 256,
                                        .w = 256,
                                        .c = in,
                                        .out_h = 256,
                                        .out_w = 256,
                                        .out_c = channels,
                                        .kernel_h = kernel,
                                        .kernel_w = kernel,
                                        .pad_top = kernel / 2,
                                        .pad_left = kernel / 2,
                                        .groups = groups};
    expect_same_bits<T>([&](T* y) {
      mien::kernels::conv2d(Cpu{}, y, x.data(), w.data(), p,
                            {.shift = shift.data(), .activation = mien::kernels::Activation::relu});
    });
  };
  for (const std::int64_t kernel : {1, 3}) {
    run(float{}, kernel, 1);
    run(bf16{}, kernel, 1);
    run(float{}, kernel, 4);  // a group's 24 channels begin within a line
  }
}

}  // namespace
