#pragma once
// Weights and references of the tests of conv3x3.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <mien/cuda/conv3x3.hpp>
#include <support/backend.hpp>

namespace mien::test {

using kernels::Conv3x3Layout;
using kernels::Conv3x3Params;

inline std::string to_string(const Conv3x3Params& p) {
  return str(p.n, 'x', p.h, 'x', p.w, ", ", p.c_in, " of ", p.x_stride, " to ", p.out_c, " of ",
             p.y_stride, " channels", p.upsample ? ", enlarged" : "");
}

// Images whose pixels hold the channels and no more.
inline Conv3x3Params plain(int n, int h, int w, int c_in, int out_c, bool upsample = false) {
  return {n, h, w, c_in, out_c, c_in, out_c, upsample};
}

inline std::int64_t x_pixels(const Conv3x3Params& p) { return std::int64_t{p.n} * p.h * p.w; }
inline std::int64_t y_pixels(const Conv3x3Params& p) { return x_pixels(p) * (p.upsample ? 4 : 1); }

// On a grid so coarse that sums of four are exact in bf16: (out_c, c_in, 3, 3).
inline std::vector<float> random_weights(const Conv3x3Params& p, unsigned seed) {
  auto w = random_values<float>(std::int64_t{p.out_c} * p.c_in * 9, -0.45f, 0.45f, seed);
  for (float& value : w) value = std::round(value * 64) / 64;
  return w;
}

// The sums, without bias: (n, h, w, out_c), h and w of the result.
template <class T>
std::vector<double> convolve(const std::vector<T>& x, const std::vector<float>& w,
                             const Conv3x3Params& p) {
  const int scale = p.upsample ? 2 : 1, h = p.h * scale, width = p.w * scale;
  std::vector<double> y(static_cast<std::size_t>(y_pixels(p) * p.out_c));
  std::size_t at = 0;
  for (int image = 0; image < p.n; ++image)
    for (int i = 0; i < h; ++i)
      for (int j = 0; j < width; ++j)
        for (int o = 0; o < p.out_c; ++o, ++at)
          for (int u = 0; u < 3; ++u)
            for (int v = 0; v < 3; ++v) {
              const int row = i + u - 1, column = j + v - 1;
              if (row < 0 || row >= h || column < 0 || column >= width) continue;
              const int pixel = (image * p.h + row / scale) * p.w + column / scale;
              for (int c = 0; c < p.c_in; ++c)
                y[at] += static_cast<double>(x[static_cast<std::size_t>(pixel * p.x_stride + c)]) *
                         static_cast<double>(
                             w[static_cast<std::size_t>((o * p.c_in + c) * 9 + u * 3 + v)]);
            }
  return y;
}

// Tensor cores cut off what they add: the error grows with the number of terms.
template <class T>
Tolerance of_sums(const Conv3x3Params& p) {
  const Tolerance one = kernel_tolerance<T>;
  return {one.relative, one.absolute + 4e-6 * std::sqrt(9.0 * p.c_in)};
}

template <class T>
class PackedConv3x3 : public Buffer<T> {
 public:
  PackedConv3x3(const std::vector<float>& w, const Conv3x3Params& p)
      : Buffer<T>(Conv3x3Layout::of<T>(p).size()) {
    Buffer<float> weights(w);
    kernels::pack_conv3x3(Cuda{}, this->data(), weights.data(), p);
  }
};

}  // namespace mien::test
