#include <mien/cuda/depthwise_conv.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

using kernels::DepthwiseConvEpilogue;
using kernels::DepthwiseConvParams;

constexpr int same = -100;  // padding

struct Case {
  int kernel, stride;
  DepthwiseConvParams p;
};

// Images of h x w pixels; the output as TensorFlow's SAME makes it (asymmetric for stride 2), or
// padded by `pad` on every side.
Case make(int kernel, int stride, int n, int h, int w, int c, int pad = same, int rows = 0) {
  const auto out = [&](int size) {
    return pad == same ? (size + stride - 1) / stride : (size + 2 * pad - kernel) / stride + 1;
  };
  const auto before = [&](int size) {
    const int all = (out(size) - 1) * stride + kernel - size;
    return pad == same ? (all > 0 ? all / 2 : 0) : pad;
  };
  return {kernel, stride, {n, h, w, c, out(h), out(w), before(h), before(w), rows}};
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int kernel : {3, 5})
    for (const int stride : {1, 2}) {
      all.push_back(make(kernel, stride, 2, 9, 11, 6));   // pairs of channels, odd images
      all.push_back(make(kernel, stride, 1, 5, 17, 70));  // more than one block of channels
      // Outputs of 7 and 35 columns, in whole strips: one, and more than a block spans.
      const int rows = 9 * stride, columns = 7 * stride;
      all.push_back(make(kernel, stride, 1, rows, columns, 4, kernel / 2, 4));  // in parts
      all.push_back(make(kernel, stride, 1, 3, 5 * columns, 3, same, 2));       // odd channels
      if (few_shapes) continue;
      all.push_back(make(kernel, stride, 1, 8, 8, 7));  // odd channels
      all.push_back(make(kernel, stride, 1, 1, 1, 2));  // one pixel
      all.push_back(make(kernel, stride, 2, 7, 6, 4, kernel / 2));
      all.push_back(make(kernel, stride, 1, 7, 8, 2, kernel - 1));
      all.push_back(make(kernel, stride, 1, 7, 8, 2, 0));
      all.push_back(make(kernel, stride, 1, 4, 8, 2, kernel + 2));  // rows of padding alone
      all.push_back(make(kernel, stride, 2, rows, columns, 6));
      all.push_back(make(kernel, stride, 1, rows, columns, 2, same, 9));  // a thread, all rows
      all.push_back(make(kernel, stride, 1, 3, 5 * columns, 2, kernel / 2, 2));
      all.push_back(make(kernel, stride, 1, 3, 5 * columns + 2, 2, same, 3));  // a tail of columns
      all.push_back(make(kernel, stride, 1, 1, columns, 2, same, 1));
    }
  return all;
}

std::string to_string(const Case& c) {
  return str(c.kernel, 'x', c.kernel, ", stride ", c.stride, ", ", c.p.n, 'x', c.p.h, 'x', c.p.w,
             'x', c.p.c, ", padding ", c.p.pad_top, ", ", c.p.pad_left, ", rows ", c.p.rows);
}

std::int64_t x_size(const DepthwiseConvParams& p) { return std::int64_t{p.n} * p.h * p.w * p.c; }
std::int64_t y_size(const DepthwiseConvParams& p) {
  return std::int64_t{p.n} * p.out_h * p.out_w * p.c;
}

template <class T>
struct Data {
  std::vector<T> x, w, dy;
  explicit Data(const Case& c)
      : x(random_values<T>(x_size(c.p), -1, 1, 1)),
        w(random_values<T>(std::int64_t{c.kernel} * c.kernel * c.p.c, -0.5f, 0.5f, 2)),
        dy(random_values<T>(y_size(c.p), -1, 1, 3)) {}
};

// Calls f(element of y, element of x, element of w) for every product of the definition.
template <class F>
void each_product(const Case& c, F&& f) {
  const DepthwiseConvParams& p = c.p;
  for (int image = 0; image < p.n; ++image)
    for (int i = 0; i < p.out_h; ++i)
      for (int j = 0; j < p.out_w; ++j)
        for (int u = 0; u < c.kernel; ++u)
          for (int v = 0; v < c.kernel; ++v) {
            const int row = i * c.stride - p.pad_top + u, column = j * c.stride - p.pad_left + v;
            if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
            for (int k = 0; k < p.c; ++k)
              f(static_cast<std::size_t>(((image * p.out_h + i) * p.out_w + j) * p.c + k),
                static_cast<std::size_t>(((image * p.h + row) * p.w + column) * p.c + k),
                static_cast<std::size_t>((u * c.kernel + v) * p.c + k));
          }
}

template <class T>
Tolerance of_sums(std::int64_t terms) {
  const Tolerance one = kernel_tolerance<T>;
  return {one.relative, one.absolute + 1e-6 * std::sqrt(static_cast<double>(terms))};
}

template <class T>
class DepthwiseConvTest : public KernelTest {};
TYPED_TEST_SUITE(DepthwiseConvTest, StorageTypes);

TYPED_TEST(DepthwiseConvTest, ForwardIsTheDefinition) {
  for (const Case& c : cases()) {
    const Data<TypeParam> d(c);
    std::vector<double> expected(d.dy.size());
    each_product(c, [&](std::size_t y, std::size_t x, std::size_t w) {
      expected[y] += static_cast<double>(d.x[x]) * static_cast<double>(d.w[w]);
    });
    each_schedule([&] {
      Buffer<TypeParam> y(y_size(c.p)), x(d.x), w(d.w);
      kernels::depthwise_conv(Cuda{}, y.data(), x.data(), w.data(), c.kernel, c.stride, c.p);
      EXPECT_EQ(difference(y.read(), expected, of_sums<TypeParam>(25)), "") << to_string(c);
    });
  }
}

TYPED_TEST(DepthwiseConvTest, EpilogueAndPooledMeans) {
  for (const Case& c : {make(3, 1, 2, 9, 11, 6), make(5, 2, 2, 19, 13, 35), make(5, 1, 1, 9, 14, 8),
                        make(3, 1, 1, 5, 35, 2, same, 2)}) {
    const DepthwiseConvParams& p = c.p;
    const Data<TypeParam> d(c);
    const auto scale = random_values<float>(p.c, 0.5f, 2, 4),
               shift = random_values<float>(p.c, -1, 1, 5);
    std::vector<double> expected(d.dy.size()), pooled(static_cast<std::size_t>(p.n * p.c));
    each_product(c, [&](std::size_t y, std::size_t x, std::size_t w) {
      expected[y] += static_cast<double>(d.x[x]) * static_cast<double>(d.w[w]);
    });
    const auto channels = static_cast<std::size_t>(p.c);
    const std::size_t pixels = expected.size() / pooled.size();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::size_t k = i % channels;
      const double z = expected[i] * double{scale[k]} + double{shift[k]};
      expected[i] = z / (1 + std::exp(-z));
      pooled[i / (pixels * channels) * channels + k] += expected[i] / static_cast<double>(pixels);
    }
    each_schedule([&] {
      Buffer<TypeParam> y(y_size(p)), x(d.x), w(d.w), means(std::int64_t{p.n} * p.c);
      Buffer<float> scales(scale), shifts(shift),
          partials(std::int64_t{p.n} * kernels::depthwise_pool_blocks(p, c.kernel) * p.c);
      const DepthwiseConvEpilogue e{scales.data(), shifts.data(), true, partials.data()};
      kernels::depthwise_conv(Cuda{}, y.data(), x.data(), w.data(), c.kernel, c.stride, p, e);
      kernels::depthwise_pool(Cuda{}, means.data(), partials.data(), c.kernel, p);
      EXPECT_EQ(difference(y.read(), expected, of_sums<TypeParam>(25)), "") << to_string(c);
      EXPECT_EQ(difference(means.read(), pooled, of_sums<TypeParam>(25)), "") << to_string(c);
    });
  }
}

TYPED_TEST(DepthwiseConvTest, DataGradientIsTheTranspose) {
  for (const Case& c : cases()) {
    const Data<TypeParam> d(c);
    std::vector<double> expected(d.x.size());
    each_product(c, [&](std::size_t y, std::size_t x, std::size_t w) {
      expected[x] += static_cast<double>(d.dy[y]) * static_cast<double>(d.w[w]);
    });
    each_schedule([&] {
      Buffer<TypeParam> dx(x_size(c.p)), dy(d.dy), w(d.w);
      kernels::depthwise_conv_data_grad(Cuda{}, dx.data(), dy.data(), w.data(), c.kernel, c.stride,
                                        c.p);
      EXPECT_EQ(difference(dx.read(), expected, of_sums<TypeParam>(25)), "") << to_string(c);
    });
  }
}

TYPED_TEST(DepthwiseConvTest, WeightGradientSumsOverPixels) {
  for (const Case& c : cases()) {
    const Data<TypeParam> d(c);
    std::vector<double> expected(d.w.size());
    each_product(c, [&](std::size_t y, std::size_t x, std::size_t w) {
      expected[w] += static_cast<double>(d.dy[y]) * static_cast<double>(d.x[x]);
    });
    each_schedule([&] {
      Buffer<TypeParam> dw(std::ssize(d.w)), x(d.x), dy(d.dy);
      Buffer<float> partials(std::int64_t{kernels::depthwise_weight_shares(c.p)} * std::ssize(d.w));
      kernels::depthwise_conv_weight_grad(Cuda{}, dw.data(), partials.data(), x.data(), dy.data(),
                                          c.kernel, c.stride, c.p);
      EXPECT_EQ(difference(dw.read(), expected,
                           of_sums<TypeParam>(std::int64_t{c.p.n} * c.p.out_h * c.p.out_w)),
                "")
          << to_string(c);
    });
  }
}

// Addresses that are multiples of one element alone, beside memory that holds NaN.
TYPED_TEST(DepthwiseConvTest, NeedsNoAlignment) {
  for (const int stride : {1, 2}) {
    const Case c = make(3, stride, 1, 4, 14 * stride, 4);
    const auto size_x = x_size(c.p), size_y = y_size(c.p);
    const Data<TypeParam> d(c);
    const auto shifted = [](const std::vector<TypeParam>& values) {
      std::vector<TypeParam> all(1, TypeParam(NAN));
      all.insert(all.end(), values.begin(), values.end());
      return all;
    };
    std::vector<double> y_expected(d.dy.size()), dx_expected(d.x.size()), dw_expected(d.w.size());
    each_product(c, [&](std::size_t y, std::size_t x, std::size_t w) {
      y_expected[y] += static_cast<double>(d.x[x]) * static_cast<double>(d.w[w]);
      dx_expected[x] += static_cast<double>(d.dy[y]) * static_cast<double>(d.w[w]);
      dw_expected[w] += static_cast<double>(d.dy[y]) * static_cast<double>(d.x[x]);
    });
    const auto behind_first = [](const Buffer<TypeParam>& buffer) {
      const auto all = buffer.read();
      return std::vector<TypeParam>(all.begin() + 1, all.end());
    };
    Buffer<TypeParam> y(size_y + 1), dx(size_x + 1), dw(std::ssize(d.w)), x(shifted(d.x)),
        dy(shifted(d.dy)), w(shifted(d.w));
    Buffer<float> partials(std::int64_t{kernels::depthwise_weight_shares(c.p)} * std::ssize(d.w));
    kernels::depthwise_conv(Cuda{}, y.data() + 1, x.data() + 1, w.data() + 1, 3, stride, c.p);
    kernels::depthwise_conv_data_grad(Cuda{}, dx.data() + 1, dy.data() + 1, w.data() + 1, 3, stride,
                                      c.p);
    kernels::depthwise_conv_weight_grad(Cuda{}, dw.data(), partials.data(), x.data() + 1,
                                        dy.data() + 1, 3, stride, c.p);
    EXPECT_EQ(difference(behind_first(y), y_expected, of_sums<TypeParam>(9)), "") << stride;
    EXPECT_EQ(difference(behind_first(dx), dx_expected, of_sums<TypeParam>(9)), "") << stride;
    EXPECT_EQ(difference(dw.read(), dw_expected, of_sums<TypeParam>(size_y)), "") << stride;
  }
}

// The shapes of EfficientNet-B0: as few rows a thread as a small batch leaves idle, all of a map
// where there is work enough, and no more threads than are resident at once.
TEST_F(KernelTest, DepthwiseConvCutsRowsBySize) {
  const auto rows = [](int n, int size, int c, int kernel = 3) {
    return kernels::depthwise::rows_of_thread({n, size, size, c, size, size, 1, 1}, size, size,
                                              kernels::depthwise::resident_warps(kernel));
  };
  EXPECT_EQ(rows(1, 14, 672), 2);
  EXPECT_EQ(rows(1, 112, 32), 2);
  EXPECT_EQ(rows(64, 112, 32), 23);
  EXPECT_EQ(rows(64, 14, 480), 7);
  EXPECT_EQ(rows(64, 14, 480, 5), 14);
  EXPECT_EQ(rows(256, 7, 1152), 7);
  EXPECT_EQ(rows(256, 112, 32), 112);
}

TEST_F(KernelTest, DepthwiseConvNamesWhatItLacks) {
  const Case c = make(7, 1, 1, 4, 4, 2);
  try {
    kernels::depthwise_conv<float>(Cuda{}, nullptr, nullptr, nullptr, c.kernel, c.stride, c.p);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "[depthwise_conv] expected a kernel of 3 or 5 and a stride of 1 or 2, got 7 and 1");
  }
}

}  // namespace
}  // namespace mien::test
