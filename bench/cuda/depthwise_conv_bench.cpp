// The depthwise convolutions of EfficientNet-B0: forward as in training, forward with folded batch
// norm, SiLU and pooled means as in inference, gradients of data and weights.

#include <mien/cuda/depthwise_conv.hpp>

#include "cuda/cases.hpp"
#include "cuda/cudnn.hpp"

namespace mien::bench {
namespace {

using kernels::DepthwiseConvParams;
using kernels::Storage;

struct Shape {
  int kernel, stride;
  DepthwiseConvParams p;

  // TensorFlow's SAME padding.
  Shape(const Block& b, int batch, int size) : kernel(int(b.kernel)), stride(int(b.stride)), p{} {
    const int out = (size + stride - 1) / stride;
    const int pad = std::max(0, ((out - 1) * stride + kernel - size) / 2);
    p = {batch, size, size, static_cast<int>(b.mid), out, out, pad, pad};
  }
  std::int64_t x() const { return std::int64_t{p.n} * p.h * p.w * p.c; }
  std::int64_t y() const { return std::int64_t{p.n} * p.out_h * p.out_w * p.c; }
  std::int64_t w() const { return std::int64_t{kernel} * kernel * p.c; }
};

// Calls f(element of y, element of x, element of w) for every product of the definition.
template <class F>
void each_product(const Shape& s, const F& f) {
  const DepthwiseConvParams& p = s.p;
  const auto at = [&](int image, int h, int i, int w, int j, int c) {
    return static_cast<std::size_t>(((std::int64_t{image} * h + i) * w + j) * p.c + c);
  };
  for (int image = 0; image < p.n; ++image)
    for (int i = 0; i < p.out_h * p.out_w; ++i)
      for (int tap = 0; tap < s.kernel * s.kernel; ++tap) {
        const int row = i / p.out_w * s.stride - p.pad_top + tap / s.kernel,
                  column = i % p.out_w * s.stride - p.pad_left + tap % s.kernel;
        if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
        for (int c = 0; c < p.c; ++c)
          f(at(image, p.out_h, i / p.out_w, p.out_w, i % p.out_w, c),
            at(image, p.h, row, p.w, column, c), at(0, 1, 0, s.kernel * s.kernel, tap, c));
      }
}

// sums[to(y, x, w)] += a[...] b[...], in double.
template <class A, class F>
std::vector<double> sum_products(const Shape& s, std::int64_t size, const A& a, const A& b,
                                 const F& pick) {
  std::vector<double> sums(static_cast<std::size_t>(size));
  each_product(s, [&](std::size_t y, std::size_t x, std::size_t w) {
    const auto [to, of_a, of_b] = pick(y, x, w);
    sums[to] += static_cast<double>(a[of_a]) * static_cast<double>(b[of_b]);
  });
  return sums;
}

using Indices = std::array<std::size_t, 3>;

template <Storage T>
std::vector<double> convolved(const Shape& s, const Array<T>& x, const Array<T>& w) {
  return sum_products(s, s.y(), x.values(), w.values(),
                      [](std::size_t i, std::size_t j, std::size_t k) {
                        return Indices{i, j, k};
                      });
}

template <Storage T>
Work forward(Arrays& arrays, const Shape& s) {
  const auto x = arrays.input<T>(s.x()), w = arrays.input<T>(s.w()), y = arrays.output<T>(s.y());
  return {[=](const Cuda& device, int set) {
            kernels::depthwise_conv(device, y.at(set), x.at(set), w.at(set), s.kernel, s.stride,
                                    s.p);
          },
          [=] { return mismatch(y.read(), convolved(s, x, w)); }};
}

// Two launches: the second adds up the pooled sums.
template <Storage T>
Work inference(Arrays& arrays, const Shape& s) {
  const std::int64_t means = std::int64_t{s.p.n} * s.p.c;
  const auto x = arrays.input<T>(s.x()), w = arrays.input<T>(s.w()), y = arrays.output<T>(s.y()),
             pooled = arrays.output<T>(means);
  const auto scale = arrays.input<float>(s.p.c, 0.5f, 2), shift = arrays.input<float>(s.p.c),
             partials =
                 arrays.workspace<float>(means * kernels::depthwise_pool_blocks(s.p, s.kernel));
  return {[=](const Cuda& device, int set) {
            kernels::depthwise_conv(device, y.at(set), x.at(set), w.at(set), s.kernel, s.stride,
                                    s.p, {scale.at(set), shift.at(set), true, partials.at(set)});
            kernels::depthwise_pool(device, pooled.at(set), partials.at(set), s.kernel, s.p);
          },
          [=] {
            auto expected = convolved(s, x, w);
            const auto of_scale = scale.values(), of_shift = shift.values();
            const auto channels = static_cast<std::size_t>(s.p.c),
                       image = expected.size() / static_cast<std::size_t>(s.p.n);
            std::vector<double> expected_means(static_cast<std::size_t>(means));
            for (std::size_t i = 0; i < expected.size(); ++i) {
              const std::size_t c = i % channels;
              expected[i] = silu(expected[i] * double{of_scale[c]} + double{of_shift[c]});
              expected_means[i / image * channels + c] +=
                  expected[i] / static_cast<double>(image / channels);
            }
            const auto wrong = mismatch(y.read(), expected);
            return wrong.empty() ? mismatch(pooled.read(), expected_means) : wrong;
          }};
}

template <Storage T>
Work data_grad(Arrays& arrays, const Shape& s) {
  const auto dy = arrays.input<T>(s.y()), w = arrays.input<T>(s.w()), dx = arrays.output<T>(s.x());
  return {[=](const Cuda& device, int set) {
            kernels::depthwise_conv_data_grad(device, dx.at(set), dy.at(set), w.at(set), s.kernel,
                                              s.stride, s.p);
          },
          [=] {
            return mismatch(dx.read(),
                            sum_products(s, s.x(), dy.values(), w.values(),
                                         [](std::size_t i, std::size_t j, std::size_t k) {
                                           return Indices{j, i, k};
                                         }));
          }};
}

// Two launches: the second adds up the shares.
template <Storage T>
Work weight_grad(Arrays& arrays, const Shape& s) {
  const auto x = arrays.input<T>(s.x()), dy = arrays.input<T>(s.y()), dw = arrays.output<T>(s.w());
  const auto partials = arrays.workspace<float>(s.w() * kernels::depthwise_weight_shares(s.p));
  return {[=](const Cuda& device, int set) {
            kernels::depthwise_conv_weight_grad(device, dw.at(set), partials.at(set), x.at(set),
                                                dy.at(set), s.kernel, s.stride, s.p);
          },
          [=] {
            return mismatch(dw.read(),
                            sum_products(s, s.w(), x.values(), dy.values(),
                                         [](std::size_t i, std::size_t j, std::size_t k) {
                                           return Indices{k, j, i};
                                         }));
          }};
}

template <Storage T>
void add(const Block& b, int batch) {
  const Shape full(b, batch, static_cast<int>(b.size));
  const Shape reduced(b, 2, std::min(9, full.p.h));
  const std::string shape =
      str("b0_", b.name, '_', b.size, 'x', b.size, 'x', b.mid, "_k", b.kernel, 's', b.stride);
  const double x = double(full.x()), y = double(full.y()), w = double(full.w());
  const Cost cost{sizeof(T) * (x + y + w), 2.0 * full.kernel * full.kernel * y};
  const auto add_pass = [&](const char* kernel, auto make) {
    return Case{.name = case_name(kernel, shape, dtype_name<T>, batch),
                .cost = cost,
                .quick = is_quick<T>(batch, is_typical(b)),
                .make = [=](Arrays& arrays) { return make(arrays, full); },
                .reduced = [=](Arrays& arrays) { return make(arrays, reduced); }};
  };
  const auto peer = [&](cudnn::Pass pass) {
    const DepthwiseConvParams& p = full.p;
    const cudnn::Convolution conv{{p.n, p.h, p.w, p.c}, {p.n, p.out_h, p.out_w, p.c},
                                  full.kernel,          full.stride,
                                  full.kernel / 2,      p.c};
    return [=](Arrays& arrays) { return cudnn::convolution<T>(arrays, conv, pass); };
  };
  add_with_peer(add_pass("depthwise_conv", forward<T>), peer(cudnn::Pass::forward));
  cases().push_back(add_pass("depthwise_conv_bn_silu_pool", inference<T>));
  add_with_peer(add_pass("depthwise_conv_data_grad", data_grad<T>), peer(cudnn::Pass::data_grad));
  add_with_peer(add_pass("depthwise_conv_weight_grad", weight_grad<T>),
                peer(cudnn::Pass::weight_grad));
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const Block& b : distinct_blocks())
      for (const int batch : batches) add<T>(b, batch);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
