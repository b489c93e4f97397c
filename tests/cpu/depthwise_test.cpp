// Depthwise convolution and its gradients against their definitions in double, on every instruction
// set. Whatever a kernel is given lies beside a page that may not be touched, so that a read out of
// bounds is seen as well.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <mien/cpu/depthwise.hpp>

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
using mien::kernels::DepthwiseParams;
using mien::kernels::Epilogue;
using mien::test::Guarded;

enum class Fence { behind, before };
constexpr Fence fences[] = {Fence::behind, Fence::before};

// A copy of an array that ends, or begins, where memory that may not be touched begins, or ends.
template <class T>
class Fenced {
 public:
  Fenced(const Guarded<T>& values, Fence fence) : size_(values.size()) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = static_cast<std::size_t>(size_) * sizeof(T);
    const std::size_t inside = (bytes + page - 1) / page * page;
    mapped_ = inside + 2 * page;
    pages_ = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages_ == MAP_FAILED) throw std::bad_alloc();
    char* first = static_cast<char*>(pages_) + page;
    if (mprotect(first, inside, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<T*>(fence == Fence::behind ? first + inside - bytes : first);
    std::copy_n(values.data(), size_, data_);
  }
  ~Fenced() { munmap(pages_, mapped_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  Guarded<T> values() const {
    Guarded<T> copy(size_);
    std::copy_n(data_, size_, copy.data());
    return copy;
  }

 private:
  std::int64_t size_;
  std::size_t mapped_;
  void* pages_;
  T* data_;
};

struct Case {
  std::string name;
  DepthwiseParams p;
};

// out_h and out_w follow from the padding; `bottom` and `right` as above and left where negative.
Case make(std::string name, DepthwiseParams p, std::int64_t bottom = -1, std::int64_t right = -1) {
  const auto count = [](std::int64_t padded, std::int64_t extent, std::int64_t stride) {
    return (padded - extent) / stride + 1;
  };
  p.out_h = count(p.h + p.pad_top + (bottom < 0 ? p.pad_top : bottom),
                  (p.kernel_h - 1) * p.dilation_h + 1, p.stride_h);
  p.out_w = count(p.w + p.pad_left + (right < 0 ? p.pad_left : right),
                  (p.kernel_w - 1) * p.dilation_w + 1, p.stride_w);
  return {std::move(name), p};
}

// Padded by half the kernel.
DepthwiseParams image(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c,
                      std::int64_t kernel_h, std::int64_t kernel_w, std::int64_t stride = 1) {
  return {.n = n,
          .h = h,
          .w = w,
          .c = c,
          .out_h = 0,
          .out_w = 0,
          .kernel_h = kernel_h,
          .kernel_w = kernel_w,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = kernel_h / 2,
          .pad_left = kernel_w / 2};
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::int64_t c : {1, 7, 16, 17, 33})
    for (const std::int64_t kernel : {1, 3, 5, 7})
      for (const std::int64_t stride : {1, 2, 3})
        all.push_back(make(mien::str(kernel, "x", kernel, ", stride ", stride, ", channels ", c),
                           image(2, 8, 13, c, kernel, kernel, stride)));
  for (std::int64_t w = 1; w <= 12; ++w)
    for (const std::int64_t kernel : {3, 5})
      for (const std::int64_t stride : {1, 2})
        all.push_back(make(mien::str(kernel, "x", kernel, ", stride ", stride, ", width ", w),
                           image(1, 4, w, 18, kernel, kernel, stride)));
  const std::int64_t kernels[][2] = {{3, 5}, {5, 3}, {1, 7}, {7, 1}, {2, 4}, {4, 2}, {1, 3}};
  for (const auto [kh, kw] : kernels)
    for (const std::int64_t stride : {1, 2})
      all.push_back(
          make(mien::str(kh, "x", kw, ", stride ", stride), image(1, 7, 11, 19, kh, kw, stride)));
  for (const std::int64_t kernel : {3, 5, 7})
    for (const std::int64_t side : {1, 2})
      all.push_back(make(mien::str(kernel, "x", kernel, " on ", side, "x", side),
                         image(1, side, side, 17, kernel, kernel)));
  for (const std::int64_t kernel : {3, 5}) {
    for (const std::int64_t stride : {1, 2}) {
      DepthwiseParams p = image(1, 8, 12, 17, kernel, kernel, stride);
      p.pad_top = p.pad_left = 0;
      all.push_back(make("without padding", p));
      all.push_back(make("padded below and right", p, kernel - 1, kernel - 2));
      p.pad_top = p.pad_left = kernel - 1;
      all.push_back(make("padded above and left", p, 0, 0));
      p.pad_top = p.pad_left = kernel + 2;  // some windows see nothing of the image
      all.push_back(make("padded beyond the kernel", p));
      p = image(2, 13, 17, 9, kernel, kernel, stride);
      p.dilation_h = 2;
      all.push_back(make("rows dilated", p));
      p.dilation_w = 3;
      p.pad_left = 4;
      all.push_back(make("dilated", p));
      p.stride_h = 3 - stride;
      all.push_back(make("strides and dilations that differ", p, 1, 2));
    }
    all.push_back(make("several pieces", image(2, 10, 200, 33, kernel, kernel)));
    for (const std::int64_t stride : {1, 2}) {
      all.push_back(make("slices of channels", image(1, 6, 9, 275, kernel, kernel, stride)));
      all.push_back(make("pieces across images", image(5, 7, 15, 40, kernel, kernel, stride)));
      DepthwiseParams p = image(2, 9, 19, 21, kernel, kernel, stride);
      p.stride_h = 3 - stride;
      all.push_back(make("strides that differ", p));
      p.dilation_h = 3;
      all.push_back(make("strides that differ, rows dilated", p, 4, 1));
    }
  }
  all.push_back(make("stride beyond the kernel", image(1, 9, 10, 17, 2, 2, 3)));
  all.push_back(make("no image", image(0, 5, 5, 17, 3, 3)));
  return all;
}

std::int64_t x_size(const DepthwiseParams& p) { return p.n * p.h * p.w * p.c; }
std::int64_t y_size(const DepthwiseParams& p) { return p.n * p.out_h * p.out_w * p.c; }
std::int64_t w_size(const DepthwiseParams& p) { return p.kernel_h * p.kernel_w * p.c; }

template <class T>
struct Data {
  Guarded<T> x;
  Guarded<Compute<T>> w;
  Guarded<T> dy;
  explicit Data(const DepthwiseParams& p, Generator generator = Generator(1))
      : x(Guarded<T>::random(x_size(p), generator)),
        w(Guarded<Compute<T>>::random(w_size(p), generator)),
        dy(Guarded<T>::random(y_size(p), generator)) {}
};

// Calls f(i, j, k) for every product y[i] += x[j] * w[k] of the definition.
template <class F>
void each_product(const DepthwiseParams& p, F&& f) {
  for (std::int64_t pixel = 0; pixel < p.n * p.out_h * p.out_w; ++pixel)
    for (std::int64_t tap = 0; tap < p.kernel_h * p.kernel_w; ++tap) {
      const std::int64_t column = pixel % p.out_w, row = pixel / p.out_w % p.out_h;
      const std::int64_t iy = row * p.stride_h - p.pad_top + tap / p.kernel_w * p.dilation_h;
      const std::int64_t ix = column * p.stride_w - p.pad_left + tap % p.kernel_w * p.dilation_w;
      if (iy < 0 || iy >= p.h || ix < 0 || ix >= p.w) continue;
      const std::int64_t from = (pixel / (p.out_h * p.out_w) * p.h + iy) * p.w + ix;
      for (std::int64_t c = 0; c < p.c; ++c) f(pixel * p.c + c, from * p.c + c, tap * p.c + c);
    }
}

Guarded<double> zeros(std::int64_t size) {
  Guarded<double> z(size);
  std::fill_n(z.data(), size, 0.0);
  return z;
}

class Depthwise : public mien::test::EachIsa {};

template <class T>
void expect_forward(const Case& c) {
  const Data<T> d(c.p);
  Guarded<double> expected(y_size(c.p));
  mien::kernels::depthwise_conv2d_reference(expected.data(), d.x.in_double().data(),
                                            d.w.in_double().data(), c.p);
  for (const Fence fence : fences) {
    const Fenced<T> x(d.x, fence);
    const Fenced<Compute<T>> w(d.w, fence);
    Fenced<T> y(Guarded<T>(y_size(c.p)), fence);
    mien::kernels::depthwise_conv2d(Cpu{}, y.data(), x.data(), w.data(), c.p);
    EXPECT_EQ(difference(y.values(), expected), "") << c.name;
  }
}

TEST_P(Depthwise, EqualsItsReference) {
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
  const Guarded<double> x64 = d.x.in_double(), w64 = d.w.in_double(), dy64 = d.dy.in_double();
  Guarded<double> expected_dx = zeros(x_size(c.p)), expected_dw = zeros(w_size(c.p));
  each_product(c.p, [&](std::int64_t i, std::int64_t j, std::int64_t k) {
    expected_dx.data()[j] += dy64.data()[i] * w64.data()[k];
    expected_dw.data()[k] += dy64.data()[i] * x64.data()[j];
  });
  for (const Fence fence : fences) {
    const Fenced<T> x(d.x, fence), dy(d.dy, fence);
    const Fenced<Compute<T>> w(d.w, fence);
    Fenced<T> dx(Guarded<T>(x_size(c.p)), fence);
    Fenced<Compute<T>> dw(Guarded<Compute<T>>(w_size(c.p)), fence);
    mien::kernels::depthwise_conv2d_data_grad(Cpu{}, dx.data(), dy.data(), w.data(), c.p);
    mien::kernels::depthwise_conv2d_weight_grad(Cpu{}, dw.data(), x.data(), dy.data(), c.p);
    EXPECT_EQ(difference(dx.values(), expected_dx), "") << "dx, " << c.name;
    EXPECT_EQ(difference(dw.values(), expected_dw), "") << "dw, " << c.name;
  }
}

TEST_P(Depthwise, GradientsEqualTheirDefinitions) {
  for (const Case& c : cases()) {
    expect_gradients<float>(c);
    expect_gradients<double>(c);
    expect_gradients<bf16>(c);
    expect_gradients<f16>(c);
  }
}

// What the kernels are compared with, beside the sum over every product.
TEST(DepthwiseReference, SumsEveryProduct) {
  for (const Case& c : cases()) {
    const Data<double> d(c.p);
    Guarded<double> y(y_size(c.p)), expected = zeros(y_size(c.p));
    mien::kernels::depthwise_conv2d_reference(y.data(), d.x.data(), d.w.data(), c.p);
    each_product(c.p, [&](std::int64_t i, std::int64_t j, std::int64_t k) {
      expected.data()[i] += d.x.data()[j] * d.w.data()[k];
    });
    EXPECT_EQ(difference(y, expected), "") << c.name;
  }
}

// Numbers for an epilogue: each of its arrays has an element per channel and no more.
template <class T>
struct EpilogueData {
  static constexpr std::int64_t gap = 5;  // between the pixels of the residual
  Guarded<Compute<T>> scale, shift, slopes;
  Guarded<T> residual;
  EpilogueData(const DepthwiseParams& p, Generator generator = Generator(2))
      : scale(Guarded<Compute<T>>::random(p.c, generator)),
        shift(Guarded<Compute<T>>::random(p.c, generator)),
        slopes(Guarded<Compute<T>>::random(p.c, generator)),
        residual(Guarded<T>::random(y_size(p) / p.c * (p.c + gap) - gap, generator)) {}
};

// Variant 0 has neither array, 1 a scale, 2 a shift and a dense residual, 3 everything.
template <class T>
Epilogue<T> epilogue(Activation activation, int variant, const DepthwiseParams& p,
                     const Compute<T>* scale, const Compute<T>* shift, const Compute<T>* slopes,
                     const T* residual) {
  return {.scale = variant & 1 ? scale : nullptr,
          .shift = variant & 2 ? shift : nullptr,
          .activation = activation,
          .slope = Compute<T>(0.25),
          .slopes = activation == Activation::prelu ? slopes : nullptr,
          .out_scale = Compute<T>(variant == 3 ? 0.375 : 1),
          .residual = variant & 2 ? residual : nullptr,
          .residual_pixel = variant == 3 ? p.c + EpilogueData<T>::gap : 0};
}

template <class T>
void expect_epilogue(const Case& c, Activation activation, int variant) {
  const DepthwiseParams& p = c.p;
  const Data<T> d(p);
  const EpilogueData<T> parts(p);
  const Guarded<double> scale64 = parts.scale.in_double(), shift64 = parts.shift.in_double(),
                        slopes64 = parts.slopes.in_double(),
                        residual64 = parts.residual.in_double();
  Guarded<double> expected(y_size(p)), expected_sums = zeros(p.n * p.c);
  mien::kernels::depthwise_conv2d_reference(
      expected.data(), d.x.in_double().data(), d.w.in_double().data(), p,
      epilogue<double>(activation, variant, p, scale64.data(), shift64.data(), slopes64.data(),
                       residual64.data()));
  for (std::int64_t i = 0; i < y_size(p); ++i)
    expected_sums.data()[i / (p.out_h * p.out_w * p.c) * p.c + i % p.c] += expected.data()[i];
  for (const Fence fence : fences) {
    const Fenced<T> x(d.x, fence), residual(parts.residual, fence);
    const Fenced<Compute<T>> w(d.w, fence), scale(parts.scale, fence), shift(parts.shift, fence),
        slopes(parts.slopes, fence);
    Fenced<T> y(Guarded<T>(y_size(p)), fence);
    Fenced<Compute<T>> sums(Guarded<Compute<T>>(p.n * p.c), fence);
    const auto e = epilogue<T>(activation, variant, p, scale.data(), shift.data(), slopes.data(),
                               residual.data());
    mien::kernels::depthwise_conv2d(Cpu{}, y.data(), x.data(), w.data(), p, e, sums.data());
    const auto where =
        mien::str(c.name, ", activation ", static_cast<int>(activation), ", variant ", variant);
    EXPECT_EQ(difference(y.values(), expected), "") << where;
    EXPECT_EQ(difference(sums.values(), expected_sums), "") << "sums, " << where;
  }
}

TEST_P(Depthwise, FusesEpiloguesAndPooledSums) {
  for (const Case& c :
       {make("3x3", image(2, 5, 9, 33, 3, 3)), make("5x5", image(1, 6, 11, 7, 5, 5, 2)),
        make("7x7", image(2, 6, 5, 17, 7, 7, 3)), make("pieces", image(2, 6, 180, 33, 3, 3))})
    for (const Activation activation :
         {Activation::none, Activation::relu, Activation::silu, Activation::leaky_relu,
          Activation::prelu, Activation::sigmoid})
      for (int variant = 0; variant < 4; ++variant) {
        expect_epilogue<float>(c, activation, variant);
        expect_epilogue<double>(c, activation, variant);
        expect_epilogue<bf16>(c, activation, variant);
        expect_epilogue<f16>(c, activation, variant);
      }
}

TEST_P(Depthwise, AccumulatesWhereTheResidualIsTheOutput) {
  const DepthwiseParams p = make("", image(2, 6, 10, 19, 3, 3)).p;
  const Data<double> d(p);
  Guarded<double> y(y_size(p)), expected(y_size(p));
  std::copy_n(d.dy.data(), y.size(), y.data());
  mien::kernels::depthwise_conv2d(Cpu{}, y.data(), d.x.data(), d.w.data(), p,
                                  {.residual = y.data()});
  mien::kernels::depthwise_conv2d_reference(expected.data(), d.x.data(), d.w.data(), p,
                                            {.residual = d.dy.data()});
  EXPECT_EQ(difference(y, expected), "");
}

bool same_bits(const Guarded<float>& a, const Guarded<float>& b) {
  const auto bytes = static_cast<std::size_t>(a.size()) * sizeof(float);
  return a.size() == b.size() && (bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0);
}

TEST_P(Depthwise, BitsDoNotDependOnTheNumberOfThreads) {
  for (const Case& c : cases()) {
    const Data<float> d(c.p);
    const auto results = [&](int threads) {
      const mien::test::ThreadCount scope(threads);
      std::vector<Guarded<float>> r;
      for (const std::int64_t size : {y_size(c.p), c.p.n * c.p.c, x_size(c.p), w_size(c.p)})
        r.emplace_back(size);
      mien::kernels::depthwise_conv2d(Cpu{}, r[0].data(), d.x.data(), d.w.data(), c.p, {},
                                      r[1].data());
      mien::kernels::depthwise_conv2d_data_grad(Cpu{}, r[2].data(), d.dy.data(), d.w.data(), c.p);
      mien::kernels::depthwise_conv2d_weight_grad(Cpu{}, r[3].data(), d.x.data(), d.dy.data(), c.p);
      return r;
    };
    const auto one = results(1);
    for (const int threads : {2, 5}) {
      const auto several = results(threads);
      for (std::size_t i = 0; i < one.size(); ++i)
        EXPECT_TRUE(same_bits(one[i], several[i]))
            << c.name << ", result " << i << ", threads " << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Depthwise, mien::test::every_isa, mien::test::isa_name);

}  // namespace
