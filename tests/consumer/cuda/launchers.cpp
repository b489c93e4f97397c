// What a program outside mien, in plain C++, does with mien::cuda: a picture of ones goes through a
// depthwise convolution and swish on the GPU.

#include <cmath>
#include <cstdio>
#include <vector>

#include <mien/cuda/depthwise_conv.hpp>
#include <mien/cuda/runtime.hpp>
#include <mien/cuda/swish.hpp>

int main() {
  if (const std::string reason = mien::cuda::why_no_gpu(); !reason.empty()) {
    std::puts(reason.c_str());
    return 0;
  }
  constexpr int size = 5, channels = 6;
  std::vector<float> picture(size * size * channels, 1.0f), weight(3 * 3 * channels, 1.0f);
  const std::size_t bytes = picture.size() * sizeof(float);
  mien::cuda::Memory x(bytes), y(bytes), w(weight.size() * sizeof(float));
  mien::cuda::copy(x.data(), picture.data(), bytes);
  mien::cuda::copy(w.data(), weight.data(), weight.size() * sizeof(float));

  auto* const in = static_cast<float*>(x.data());
  auto* const out = static_cast<float*>(y.data());
  mien::kernels::depthwise_conv<float>(mien::Cuda{}, out, in, static_cast<float*>(w.data()), 3, 1,
                                       {.n = 1,
                                        .h = size,
                                        .w = size,
                                        .c = channels,
                                        .out_h = size,
                                        .out_w = size,
                                        .pad_top = 1,
                                        .pad_left = 1});
  mien::kernels::swish<float>(mien::Cuda{}, out, out, {.n = size * size * channels});
  mien::cuda::copy(picture.data(), y.data(), bytes);

  for (int i = 0; i < size * size * channels; ++i) {
    const auto inside = [](int at) { return at == 0 || at == size - 1 ? 2 : 3; };
    const int sum = inside(i / channels / size) * inside(i / channels % size);  // pixels of ones
    const double expected = sum / (1 + std::exp(-sum));
    if (!(std::abs(picture[static_cast<std::size_t>(i)] - expected) <= 1e-5)) {
      std::fprintf(stderr, "launchers: element %d is %g, expected %g\n", i,
                   static_cast<double>(picture[static_cast<std::size_t>(i)]), expected);
      return 1;
    }
  }
  std::puts("OK");
}
