#include "sensor.hpp"

namespace mien::synth {
namespace {

// One pass of a Gaussian along lines of `count` pixels, `stride` apart.
void blur_line(Color* line, int count, std::ptrdiff_t stride, const std::vector<float>& kernel,
               std::vector<Color>& copy) {
  for (int i = 0; i < count; ++i) copy[static_cast<std::size_t>(i)] = line[i * stride];
  const int reach = static_cast<int>(kernel.size()) - 1;
  for (int i = 0; i < count; ++i) {
    Color sum = kernel[0] * copy[static_cast<std::size_t>(i)];
    for (int k = 1; k <= reach; ++k)
      sum += kernel[static_cast<std::size_t>(k)] *
             (copy[static_cast<std::size_t>(std::max(i - k, 0))] +
              copy[static_cast<std::size_t>(std::min(i + k, count - 1))]);
    line[i * stride] = sum;
  }
}

void blur(std::vector<Color>& colors, int side, float deviation) {
  if (deviation < 0.25f) return;
  std::vector<float> kernel(static_cast<std::size_t>(std::ceil(2.5f * deviation)) + 1);
  float sum = 0;
  for (std::size_t k = 0; k < kernel.size(); ++k) {
    kernel[k] = std::exp(-0.5f * square(static_cast<float>(k) / deviation));
    sum += k == 0 ? kernel[k] : 2 * kernel[k];
  }
  for (float& weight : kernel) weight /= sum;
  std::vector<Color> copy(static_cast<std::size_t>(side));
  for (int i = 0; i < side; ++i) blur_line(colors.data() + i * side, side, 1, kernel, copy);
  for (int i = 0; i < side; ++i) blur_line(colors.data() + i, side, side, kernel, copy);
}

}  // namespace

data::Image develop(std::vector<Color>& colors, int side, const Shot& shot, Generator& random) {
  blur(colors, side, shot.blur * static_cast<float>(side) / 1000);
  data::Image image(side, side, 3);
  const auto samples = image.samples<std::uint8_t>();
  const std::uint64_t draw = random.next_draw();
  for (std::size_t i = 0; i < colors.size(); ++i) {
    const auto words = philox(i, draw, random.seed());
    // The difference of two uniform numbers; grey noise, with some colour.
    const auto grain = [&](std::uint32_t word) {
      return shot.grain * 2.4f *
             (static_cast<float>(word & 0xffff) - static_cast<float>(word >> 16)) / 65536.0f;
    };
    const float common = 0.8f * grain(words[3]);
    const float channels[] = {colors[i].x, colors[i].y, colors[i].z};
    for (std::size_t c = 0; c < 3; ++c) {
      const float shown = std::sqrt(clamp01(channels[c])) + common + 0.6f * grain(words[c]);
      samples[3 * i + c] = static_cast<std::uint8_t>(255 * clamp01(shown) + 0.5f);
    }
  }
  return image;
}

}  // namespace mien::synth
