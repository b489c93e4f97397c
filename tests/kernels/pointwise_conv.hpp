#pragma once
// Pointwise convolutions to test, and what they should give.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/core/error.hpp>
#include <mien/cuda/pointwise_conv.hpp>
#include <support/backend.hpp>

namespace mien::test::pointwise {

using kernels::PointwiseConvEpilogue;
using kernels::PointwiseConvParams;

struct Case {
  PointwiseConvParams p;  // pixels, pixels of an image, channels in and out
  bool scaled = false, shifted = false, silu = false, residual = false;
};

inline std::string to_string(const Case& c) {
  return str(c.p.pixels, " pixels, ", c.p.in_c, " to ", c.p.out_c, " channels",
             c.scaled ? ", scaled" : "", c.shifted ? ", shifted" : "", c.silu ? ", SiLU" : "",
             c.residual ? ", residual" : "");
}

template <class T>
struct Data {
  std::vector<T> x, w, residual;
  std::vector<float> scale, shift;
  explicit Data(const PointwiseConvParams& p)
      : x(random_values<T>(p.pixels * p.in_c, -1, 1, 1)),
        w(random_values<T>(std::int64_t{p.out_c} * p.in_c, -0.5f, 0.5f, 2)),
        residual(random_values<T>(p.pixels * p.out_c, -1, 1, 3)),
        scale(random_values<float>(
            (p.pixels + p.pixels_per_image - 1) / p.pixels_per_image * p.in_c, 0, 1, 4)),
        shift(random_values<float>(p.out_c, -1, 1, 5)) {}
};

// The definition, with s and x s rounded to T.
template <class T>
std::vector<double> reference(const Case& c, const Data<T>& d) {
  std::vector<double> y;
  for (std::int64_t i = 0; i < c.p.pixels; ++i)
    for (int o = 0; o < c.p.out_c; ++o) {
      double sum = 0;
      for (int k = 0; k < c.p.in_c; ++k) {
        float x = static_cast<float>(d.x[static_cast<std::size_t>(i * c.p.in_c + k)]);
        if (c.scaled)
          x = static_cast<float>(
              T(x *
                static_cast<float>(T(
                    d.scale[static_cast<std::size_t>(i / c.p.pixels_per_image * c.p.in_c + k)]))));
        sum += double{x} * static_cast<double>(
                               static_cast<float>(d.w[static_cast<std::size_t>(o * c.p.in_c + k)]));
      }
      if (c.shifted) sum += double{d.shift[static_cast<std::size_t>(o)]};
      if (c.silu) sum /= 1 + std::exp(-sum);
      if (c.residual)
        sum += static_cast<double>(
            static_cast<float>(d.residual[static_cast<std::size_t>(i * c.p.out_c + o)]));
      y.push_back(sum);
    }
  return y;
}

// Calls run(y, x, w, params, epilogue) under every schedule and compares.
template <class T, class F>
void expect_reference(const Case& c, const F& run) {
  const Data<T> d(c.p);
  const auto expected = reference(c, d);
  const Tolerance one = kernel_tolerance<T>;
  // Three products of tf32 leave 2^-21 of each of the terms.
  const Tolerance sums{one.relative, one.absolute + 1e-5 + 5e-8 * c.p.in_c};
  each_schedule([&] {
    Buffer<T> y(c.p.pixels * c.p.out_c), x(d.x), w(d.w), residual(d.residual);
    Buffer<float> scale(d.scale), shift(d.shift);
    run(y.data(), x.data(), w.data(), c.p,
        PointwiseConvEpilogue<T>{.in_scale = c.scaled ? scale.data() : nullptr,
                                 .shift = c.shifted ? shift.data() : nullptr,
                                 .silu = c.silu,
                                 .residual = c.residual ? residual.data() : nullptr});
    EXPECT_EQ(difference(y.read(), expected, sums), "") << to_string(c);
  });
}

}  // namespace mien::test::pointwise
