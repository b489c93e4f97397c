// Convolution and its gradients against their definitions in double, on every instruction set.

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <mien/cpu/conv_grad.hpp>

#include "cpu/guarded.hpp"
#include "support/each_isa.hpp"
#include "support/thread_count.hpp"

namespace {

using mien::bf16;
using mien::Compute;
using mien::Cpu;
using mien::f16;
using mien::Generator;
using mien::kernels::Activation;
using mien::kernels::Conv2dParams;
using mien::kernels::Epilogue;
using mien::test::Guarded;

// out_h and out_w follow from padding `p` = {top, left, bottom, right}.
Conv2dParams sized(Conv2dParams p, std::int64_t bottom, std::int64_t right) {
  const auto count = [](std::int64_t padded, std::int64_t extent, std::int64_t stride) {
    return (padded - extent) / stride + 1;
  };
  p.out_h = count(p.h + p.pad_top + bottom, (p.kernel_h - 1) * p.dilation_h + 1, p.stride_h);
  p.out_w = count(p.w + p.pad_left + right, (p.kernel_w - 1) * p.dilation_w + 1, p.stride_w);
  return p;
}

struct Case {
  std::string name;
  Conv2dParams p;
};

Case make(std::string name, Conv2dParams p, std::int64_t bottom = -1, std::int64_t right = -1) {
  return {std::move(name),
          sized(p, bottom < 0 ? p.pad_top : bottom, right < 0 ? p.pad_left : right)};
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto image = [](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c,
                        std::int64_t out, std::int64_t kernel) {
    return Conv2dParams{.n = n,
                        .h = h,
                        .w = w,
                        .c = c,
                        .out_h = 0,
                        .out_w = 0,
                        .out_c = out,
                        .kernel_h = kernel,
                        .kernel_w = kernel,
                        .pad_top = kernel / 2,
                        .pad_left = kernel / 2};
  };
  for (const std::int64_t out : {1, 3, 8, 16, 17, 24, 32, 33, 40, 48, 64, 80})
    all.push_back(make("1x1 to " + std::to_string(out), image(1, 5, 7, 19, out, 1)));
  for (const std::int64_t w : {1, 2, 3, 4, 7, 13, 14, 15, 27, 28, 29, 43, 60})
    all.push_back(make("3x3 on width " + std::to_string(w), image(2, 4, w, 6, 20, 3)));
  for (const std::int64_t c : {1, 2, 3, 4, 5, 31})
    all.push_back(make("3x3 of channels " + std::to_string(c), image(1, 6, 31, c, 33, 3)));
  // Strips of 70 columns, the last of which is lower than a tile.
  all.push_back(make("3x3 with a narrow strip", image(1, 2, 103, 512, 3, 3)));
  all.push_back(make("5x5", image(1, 9, 33, 8, 24, 5)));
  all.push_back(make("even kernel", image(1, 6, 30, 8, 8, 4), 1, 1));

  Conv2dParams p = image(2, 11, 45, 3, 32, 3);
  p.stride_h = p.stride_w = 2;
  p.pad_top = p.pad_left = 0;
  all.push_back(make("TF-SAME stem", p, 1, 1));
  p = image(1, 9, 40, 6, 9, 1);
  p.stride_h = p.stride_w = 2;
  all.push_back(make("1x1 stride 2", p));
  p = image(1, 20, 23, 4, 10, 7);
  p.stride_h = 3;
  p.stride_w = 2;
  all.push_back(make("7x7 stride 3, 2", p, 2, 5));
  p = image(1, 4, 9, 4, 5, 2);
  p.stride_h = p.stride_w = 3;
  p.pad_top = p.pad_left = 0;
  all.push_back(make("stride beyond the kernel", p));
  p = image(1, 13, 50, 4, 6, 3);
  p.dilation_h = 2;
  p.dilation_w = 3;
  p.pad_top = 2;
  p.pad_left = 3;
  all.push_back(make("dilated", p));
  p.stride_h = 3;
  p.stride_w = 2;
  all.push_back(make("dilated with stride", p, 1, 0));
  p.dilation_w = 2;
  all.push_back(make("dilation and stride with a common factor", p));
  p = image(1, 3, 3, 5, 7, 3);
  p.pad_top = p.pad_left = 4;
  all.push_back(make("padding beyond the kernel", p));
  p = image(1, 6, 30, 12, 18, 3);
  for (const std::int64_t groups : {2, 3, 6}) {
    p.groups = groups;
    all.push_back(make("groups " + std::to_string(groups), p));
  }
  p = image(1, 5, 17, 6, 6, 3);
  p.groups = 6;
  all.push_back(make("one channel per group", p));
  p = image(1, 5, 40, 24, 40, 1);
  p.groups = 2;
  all.push_back(make("grouped 1x1", p));
  p = image(2, 5, 44, 32, 16, 3);
  p.x_pixel = 96;
  p.y_pixel = 80;
  all.push_back(make("channel slices", p));
  p.kernel_h = p.kernel_w = 1;
  p.pad_top = p.pad_left = 0;
  all.push_back(make("1x1 of channel slices", p));
  all.push_back(make("pixels 4096 bytes apart", image(1, 2, 30, 1024, 16, 3)));
  all.push_back(make("1x1, pixels 4096 bytes apart", image(1, 4, 9, 1024, 40, 1)));
  all.push_back(make("long sums", image(1, 3, 5, 1000, 20, 3)));
  all.push_back(make("wider than a strip", image(1, 3, 900, 70, 16, 3)));
  all.push_back(make("many panels", image(1, 7, 7, 150, 600, 3)));
  return all;
}

std::int64_t y_size(const Conv2dParams& p) { return p.n * p.resolved().y_image; }
std::int64_t x_size(const Conv2dParams& p) { return p.n * p.resolved().x_image; }
std::int64_t w_size(const Conv2dParams& p) {
  return p.kernel_h * p.kernel_w * (p.c / p.groups) * p.out_c;
}

template <class T>
struct Data {
  Guarded<T> x;
  Guarded<Compute<T>> w;
  Guarded<T> dy;
  explicit Data(const Conv2dParams& p, Generator generator = Generator(1))
      : x(Guarded<T>::random(x_size(p), generator)),
        w(Guarded<Compute<T>>::random(w_size(p), generator)),
        dy(Guarded<T>::random(y_size(p), generator)) {}
};

class Conv : public mien::test::EachIsa {};

template <class T>
void expect_forward(const Case& c) {
  const Data<T> d(c.p);
  Guarded<T> y(y_size(c.p));
  Guarded<double> expected(y_size(c.p));
  std::copy_n(d.dy.data(), y.size(), y.data());  // what lies between channel slices must stay
  std::copy_n(d.dy.in_double().data(), y.size(), expected.data());
  mien::kernels::conv2d(Cpu{}, y.data(), d.x.data(), d.w.data(), c.p);
  mien::kernels::conv2d_reference(expected.data(), d.x.in_double().data(), d.w.in_double().data(),
                                  c.p);
  EXPECT_EQ(difference(y, expected), "") << c.name;
}

TEST_P(Conv, EqualsItsDefinition) {
  for (const Case& c : cases()) {
    expect_forward<float>(c);
    expect_forward<double>(c);
    expect_forward<bf16>(c);
    expect_forward<f16>(c);
  }
}

template <class T>
void expect_gradients(const Case& c) {
  const Data<T> d(c.p);
  Guarded<T> dx(x_size(c.p));
  Guarded<Compute<T>> dw(w_size(c.p));
  Guarded<double> expected_dx(dx.size()), expected_dw(dw.size());
  std::copy_n(d.x.data(), dx.size(), dx.data());
  std::copy_n(d.x.in_double().data(), dx.size(), expected_dx.data());
  mien::kernels::conv2d_data_grad(Cpu{}, dx.data(), d.dy.data(), d.w.data(), c.p);
  mien::kernels::conv2d_weight_grad(Cpu{}, dw.data(), d.x.data(), d.dy.data(), c.p);
  mien::kernels::conv2d_grad_reference(expected_dx.data(), expected_dw.data(),
                                       d.x.in_double().data(), d.dy.in_double().data(),
                                       d.w.in_double().data(), c.p);
  EXPECT_EQ(difference(dx, expected_dx), "") << "dx, " << c.name;
  EXPECT_EQ(difference(dw, expected_dw), "") << "dw, " << c.name;
}

TEST_P(Conv, GradientsEqualTheirDefinitions) {
  for (const Case& c : cases()) {
    expect_gradients<float>(c);
    expect_gradients<double>(c);
    expect_gradients<bf16>(c);
    expect_gradients<f16>(c);
  }
}

template <class T>
std::vector<Epilogue<T>> epilogues(const Guarded<Compute<T>>& parameters, const T* residual) {
  std::vector<Epilogue<T>> all;
  for (const Activation a : {Activation::none, Activation::relu, Activation::silu,
                             Activation::leaky_relu, Activation::prelu, Activation::sigmoid})
    for (int i = 0; i < 4; ++i)
      all.push_back({.scale = i & 1 ? parameters.data() : nullptr,
                     .shift = i & 2 ? parameters.data() + 64 : nullptr,
                     .activation = a,
                     .slope = Compute<T>(0.2),
                     .slopes = parameters.data() + 128,
                     .out_scale = Compute<T>(i == 3 ? 0.2 : 1),
                     .residual = i >= 2 ? residual : nullptr,
                     .residual_pixel = i == 3 ? 52 : 0});
  return all;
}

template <class T>
void expect_epilogues(const Conv2dParams& p) {
  Generator generator(2);
  const Data<T> d(p);
  const auto parameters = Guarded<Compute<T>>::random(192, generator);
  const auto residual = Guarded<T>::random(p.n * p.out_h * p.out_w * 52, generator);
  const auto parameters64 = parameters.in_double(), residual64 = residual.in_double();
  const auto all = epilogues<T>(parameters, residual.data());
  const auto all64 = epilogues<double>(parameters64, residual64.data());
  for (std::size_t i = 0; i < all.size(); ++i) {
    Guarded<T> y(y_size(p));
    Guarded<double> expected(y_size(p));
    mien::kernels::conv2d(Cpu{}, y.data(), d.x.data(), d.w.data(), p, all[i]);
    auto e = all64[i];
    e.slope = static_cast<double>(all[i].slope);
    e.out_scale = static_cast<double>(all[i].out_scale);
    mien::kernels::conv2d_reference(expected.data(), d.x.in_double().data(), d.w.in_double().data(),
                                    p, e);
    EXPECT_EQ(difference(y, expected), "") << "epilogue " << i;
  }
}

TEST_P(Conv, FusesEpilogues) {
  for (const std::int64_t kernel : {1, 3}) {
    const Conv2dParams p = sized({.n = 1,
                                  .h = 5,
                                  .w = 31,
                                  .c = 9,
                                  .out_h = 0,
                                  .out_w = 0,
                                  .out_c = 41,
                                  .kernel_h = kernel,
                                  .kernel_w = kernel,
                                  .pad_top = kernel / 2,
                                  .pad_left = kernel / 2},
                                 kernel / 2, kernel / 2);
    expect_epilogues<float>(p);
    expect_epilogues<double>(p);
    expect_epilogues<bf16>(p);
    expect_epilogues<f16>(p);
  }
}

TEST_P(Conv, AccumulatesWhereTheResidualIsTheOutput) {
  const Conv2dParams p = cases()[12].p;
  const Data<float> d(p);
  Guarded<float> y(y_size(p)), once(y_size(p));
  std::copy_n(d.dy.data(), y.size(), y.data());
  mien::kernels::conv2d(Cpu{}, once.data(), d.x.data(), d.w.data(), p);
  mien::kernels::conv2d(Cpu{}, y.data(), d.x.data(), d.w.data(), p, {.residual = y.data()});
  for (std::int64_t i = 0; i < y.size(); ++i)
    ASSERT_NEAR(y.data()[i], once.data()[i] + d.dy.data()[i], 1e-6f);
}

TEST_P(Conv, WeightsPackedOnOneInstructionSetServeEveryOther) {
  const Conv2dParams p = make("", {.n = 1,
                                   .h = 4,
                                   .w = 20,
                                   .c = 9,
                                   .out_h = 0,
                                   .out_w = 0,
                                   .out_c = 45,
                                   .kernel_h = 3,
                                   .kernel_w = 3,
                                   .pad_top = 1,
                                   .pad_left = 1})
                             .p;
  const Data<float> d(p);
  Guarded<float> y(y_size(p)), packed(mien::kernels::packed_conv2d_size<float>(p));
  mien::kernels::pack_conv2d(Cpu{}, packed.data(), d.w.data(), p);
  EXPECT_TRUE(packed.guards_stand());
  Guarded<double> expected(y_size(p));
  mien::kernels::conv2d_reference(expected.data(), d.x.in_double().data(), d.w.in_double().data(),
                                  p);
  for (const mien::Isa isa : {mien::Isa::scalar, mien::Isa::avx2, mien::Isa::avx512}) {
    if (isa > mien::best_isa()) continue;
    const mien::IsaScope scope(isa);
    mien::kernels::conv2d(Cpu{}, y.data(), d.x.data(), mien::kernels::Packed<float>{packed.data()},
                          p);
    EXPECT_EQ(difference(y, expected), "") << to_string(isa);
  }
}

TEST_P(Conv, BitsDoNotDependOnTheNumberOfThreads) {
  for (const Case& c : cases()) {
    const Data<float> d(c.p);
    const auto results = [&](int threads) {
      const mien::test::ThreadCount scope(threads);
      std::vector<Guarded<float>> r{Guarded<float>(y_size(c.p)), Guarded<float>(x_size(c.p)),
                                    Guarded<float>(w_size(c.p))};
      mien::kernels::conv2d(Cpu{}, r[0].data(), d.x.data(), d.w.data(), c.p);
      mien::kernels::conv2d_data_grad(Cpu{}, r[1].data(), d.dy.data(), d.w.data(), c.p);
      mien::kernels::conv2d_weight_grad(Cpu{}, r[2].data(), d.x.data(), d.dy.data(), c.p);
      return r;
    };
    const auto one = results(1), three = results(3);
    for (std::size_t i = 0; i < one.size(); ++i)
      EXPECT_EQ(std::memcmp(one[i].data(), three[i].data(),
                            static_cast<std::size_t>(one[i].size()) * sizeof(float)),
                0)
          << c.name << ", result " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Conv, mien::test::every_isa, mien::test::isa_name);

}  // namespace
