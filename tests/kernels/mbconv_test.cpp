#include <mien/cuda/mbconv.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/core/error.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

using kernels::MbconvParams;
using kernels::MbconvPlan;
using kernels::MbconvWay;
using kernels::MbconvWeights;

// With TensorFlow's SAME padding.
MbconvParams params(int n, int h, int w, int in_c, int mid_c, int out_c, int kernel, int stride) {
  const auto out = [&](int size) { return (size + stride - 1) / stride; };
  const auto before = [&](int size) {
    const int all = (out(size) - 1) * stride + kernel - size;
    return all > 0 ? all / 2 : 0;
  };
  return {.n = n,
          .h = h,
          .w = w,
          .in_c = in_c,
          .mid_c = mid_c,
          .out_c = out_c,
          .squeezed_c = 3,
          .kernel = kernel,
          .stride = stride,
          .out_h = out(h),
          .out_w = out(w),
          .pad_top = before(h),
          .pad_left = before(w),
          .residual = stride == 1 && in_c == out_c};
}

template <class T>
std::vector<double> in_double(const std::vector<T>& values) {
  std::vector<double> all;
  for (const T v : values) all.push_back(static_cast<double>(static_cast<float>(v)));
  return all;
}

// Inputs of a block, weights such that its values stay near one.
template <class T>
struct Block {
  explicit Block(const MbconvParams& p) : p(p) {
    const auto scaled = [](int inputs) { return 1.7f / std::sqrt(static_cast<float>(inputs)); };
    const auto weights = [&](int outputs, int inputs, unsigned seed) {
      return random_values<T>(std::int64_t{outputs} * inputs, -scaled(inputs), scaled(inputs),
                              seed);
    };
    x = random_values<T>(std::int64_t{p.n} * p.h * p.w * p.in_c, -2, 2, 1);
    expand = weights(p.mid_c, p.in_c, 2);
    depthwise = random_values<T>(std::int64_t{p.kernel} * p.kernel * p.mid_c, -0.5f, 0.5f, 3);
    squeeze = weights(p.mid_c, p.squeezed_c, 4);  // (inputs, outputs)
    excite = weights(p.squeezed_c, p.mid_c, 5);
    project = weights(p.out_c, p.mid_c, 6);
    expand_shift = random_values<float>(p.mid_c, -1, 1, 7);
    depthwise_shift = random_values<float>(p.mid_c, -1, 1, 8);
    squeeze_shift = random_values<T>(p.squeezed_c, -1, 1, 9);
    excite_shift = random_values<T>(p.mid_c, -1, 1, 10);
    project_shift = random_values<float>(p.out_c, -1, 1, 11);
  }
  MbconvParams p;
  std::vector<T> x, expand, depthwise, squeeze, squeeze_shift, excite, excite_shift, project;
  std::vector<float> expand_shift, depthwise_shift, project_shift;
};

double silu(double z) { return z / (1 + std::exp(-z)); }

template <class T>
double rounded(double value) {
  return static_cast<double>(static_cast<float>(T(static_cast<float>(value))));
}

// y (rows, outputs) = x (rows, inputs) w (outputs, inputs) + shift.
std::vector<double> product(const std::vector<double>& x, const std::vector<double>& w,
                            const std::vector<double>& shift) {
  const std::size_t outputs = shift.size(), inputs = w.size() / outputs;
  std::vector<double> y;
  for (std::size_t row = 0; row < x.size() / inputs; ++row)
    for (std::size_t o = 0; o < outputs; ++o) {
      y.push_back(shift[o]);
      for (std::size_t k = 0; k < inputs; ++k) y.back() += x[row * inputs + k] * w[o * inputs + k];
    }
  return y;
}

// w (inputs, outputs) as product() takes it.
template <class T>
std::vector<double> transposed(const std::vector<T>& w, int outputs) {
  const auto columns = static_cast<std::size_t>(outputs), rows = w.size() / columns;
  const auto from = in_double(w);
  std::vector<double> to;
  for (std::size_t o = 0; o < columns; ++o)
    for (std::size_t i = 0; i < rows; ++i) to.push_back(from[i * columns + o]);
  return to;
}

// What is written and read between ops is rounded to T.
template <class T>
std::vector<double> reference(const Block<T>& b) {
  const MbconvParams& p = b.p;
  const auto x = in_double(b.x), w = in_double(b.depthwise);
  auto e = x;
  if (p.mid_c != p.in_c) {
    e = product(x, in_double(b.expand), in_double(b.expand_shift));
    for (double& value : e) value = rounded<T>(silu(value));
  }
  std::vector<double> d, means;
  for (int image = 0; image < p.n; ++image) {
    std::vector<double> mean(static_cast<std::size_t>(p.mid_c));
    for (int i = 0; i < p.out_h; ++i)
      for (int j = 0; j < p.out_w; ++j)
        for (int c = 0; c < p.mid_c; ++c) {
          double sum = static_cast<double>(b.depthwise_shift[static_cast<std::size_t>(c)]);
          for (int u = 0; u < p.kernel; ++u)
            for (int v = 0; v < p.kernel; ++v) {
              const int row = i * p.stride - p.pad_top + u, column = j * p.stride - p.pad_left + v;
              if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
              sum +=
                  e[static_cast<std::size_t>(((image * p.h + row) * p.w + column) * p.mid_c + c)] *
                  w[static_cast<std::size_t>((u * p.kernel + v) * p.mid_c + c)];
            }
          mean[static_cast<std::size_t>(c)] += silu(sum) / (p.out_h * p.out_w);
          d.push_back(rounded<T>(silu(sum)));
        }
    means.insert(means.end(), mean.begin(), mean.end());
  }
  auto hidden = product(means, transposed(b.squeeze, p.squeezed_c), in_double(b.squeeze_shift));
  for (double& z : hidden) z = silu(z);
  const auto logits = product(hidden, transposed(b.excite, p.mid_c), in_double(b.excite_shift));
  const auto channels = static_cast<std::size_t>(p.mid_c);
  const std::size_t image_size = d.size() / static_cast<std::size_t>(p.n);
  for (std::size_t i = 0; i < d.size(); ++i)
    d[i] = rounded<T>(d[i] / (1 + std::exp(-logits[i / image_size * channels + i % channels])));
  auto y = product(d, in_double(b.project), in_double(b.project_shift));
  if (p.residual)
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[i];
  return y;
}

template <class T>
std::vector<T> run(Block<T>& b, const MbconvPlan& plan) {
  const MbconvParams& p = b.p;
  Buffer<T> y(std::int64_t{p.n} * p.out_h * p.out_w * p.out_c), x(b.x), expand(b.expand),
      depthwise(b.depthwise), squeeze(b.squeeze), squeeze_shift(b.squeeze_shift), excite(b.excite),
      excite_shift(b.excite_shift), project(b.project);
  Buffer<float> expand_shift(b.expand_shift), depthwise_shift(b.depthwise_shift),
      project_shift(b.project_shift);
  Buffer<unsigned char> workspace(static_cast<std::int64_t>(kernels::mbconv_workspace<T>(p, plan)));
  const MbconvWeights<T> weights{
      .expand = expand.data(),
      .expand_shift = expand_shift.data(),
      .depthwise = depthwise.data(),
      .depthwise_shift = depthwise_shift.data(),
      .squeeze_excite = {squeeze.data(), squeeze_shift.data(), excite.data(), excite_shift.data()},
      .project = project.data(),
      .project_shift = project_shift.data()};
  kernels::mbconv(Cuda{}, y.data(), workspace.data(), x.data(), weights, p, plan);
  workspace.read();  // nothing was written beside it
  return y.read();
}

template <class T>
class MbconvTest : public KernelTest {};
TYPED_TEST_SUITE(MbconvTest, StorageTypes);

// A rounding of e or d that falls to the other side moves y by a weight times half a unit.
template <class T>
constexpr Tolerance block_tolerance = std::is_same_v<T, float> ? Tolerance{1e-5, 5e-5}
                                      : std::is_same_v<T, f16> ? Tolerance{0x1p-10, 4e-3}
                                                               : Tolerance{0x1p-7, 3e-2};

template <class T>
void expect_block(const MbconvParams& p, MbconvWay way) {
  Block<T> block(p);
  const auto expected = reference(block);
  const MbconvPlan plan = kernels::mbconv_plan<T>(p, way);
  ASSERT_TRUE(std::isfinite(plan.cost.seconds)) << "the way cannot run this block";
  each_schedule([&] {
    EXPECT_EQ(difference(run(block, plan), expected, block_tolerance<T>), "")
        << p.h << 'x' << p.w << ", " << p.in_c << " to " << p.mid_c << " to " << p.out_c
        << " channels, kernel " << p.kernel << ", stride " << p.stride;
  });
}

// Several tiles across and down, tails of chunks, tiles and rows; with and without a residual.
std::vector<MbconvParams> blocks() {
  if (few_shapes) return {params(2, 9, 8, 8, 72, 8, 3, 1)};
  return {params(2, 9, 8, 8, 72, 8, 3, 1), params(1, 15, 17, 16, 40, 24, 5, 2),
          params(1, 8, 15, 24, 48, 24, 5, 1), params(1, 9, 9, 8, 64, 16, 3, 2)};
}

TYPED_TEST(MbconvTest, PerOp) {
  for (const MbconvParams& p : blocks()) expect_block<TypeParam>(p, MbconvWay::per_op);
}

TYPED_TEST(MbconvTest, ExpandFused) {
  for (const MbconvParams& p : blocks()) expect_block<TypeParam>(p, MbconvWay::expand_fused);
}

TYPED_TEST(MbconvTest, WholeBlock) {
  expect_block<TypeParam>(params(1, 9, 14, 8, 40, 72, 5, 2), MbconvWay::whole_block);
  if (!few_shapes)
    expect_block<TypeParam>(params(2, 7, 7, 16, 72, 16, 5, 1), MbconvWay::whole_block);
}

// EfficientNet's first stage, and channels that suit no vector.
TYPED_TEST(MbconvTest, PerOpTakesBlocksWithoutExpansionAndAnyChannels) {
  expect_block<TypeParam>(params(1, 6, 5, 8, 8, 8, 3, 1), MbconvWay::per_op);
  expect_block<TypeParam>(params(1, 6, 5, 5, 13, 7, 3, 1), MbconvWay::per_op);
}

TEST_F(KernelTest, MbconvPlansWhatFits) {
  const auto seconds = [](const MbconvParams& p, MbconvWay way) {
    return kernels::mbconv_plan<bf16>(p, way).cost.seconds;
  };
  const MbconvParams first = params(64, 112, 112, 32, 32, 16, 3, 1),  // of B0, as those below
      second = params(64, 112, 112, 16, 96, 24, 3, 2),
                     late = params(64, 7, 7, 192, 1152, 192, 5, 1);
  EXPECT_EQ(kernels::mbconv_plan<bf16>(first).way, MbconvWay::per_op) << "nothing to fuse";
  EXPECT_EQ(kernels::mbconv_plan<bf16>(second).way, MbconvWay::per_op) << "172 us beside 224";
  EXPECT_EQ(kernels::mbconv_plan<float>(second).way, MbconvWay::expand_fused) << "317 beside 245";
  EXPECT_TRUE(std::isinf(seconds(second, MbconvWay::whole_block))) << "d is 602 KB";
  EXPECT_TRUE(std::isfinite(seconds(late, MbconvWay::whole_block)));
  EXPECT_TRUE(std::isinf(seconds(params(1, 7, 7, 12, 72, 16, 3, 1), MbconvWay::expand_fused)))
      << "12 channels are no multiple of 16 bytes";
}

}  // namespace
}  // namespace mien::test
