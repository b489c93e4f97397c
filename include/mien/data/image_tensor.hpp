#pragma once
// Images as tensors (n, h, w, c) and back.

#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <mien/core/tensor.hpp>
#include <mien/data/image.hpp>

namespace mien::data {

// What a network's input is made of a sample in [0, 1]: (sample - mean[c]) / std[c].
struct Normalization {
  float mean[4] = {0, 0, 0, 0};
  float std[4] = {1, 1, 1, 1};
};

// Mean and deviation of ImageNet, which most classifiers were trained with.
inline constexpr Normalization imagenet_normalization{{0.485f, 0.456f, 0.406f},
                                                      {0.229f, 0.224f, 0.225f}};

namespace detail {

// out, in (pixels, Channels). Of 8 bits there are 256 values: no division per sample.
template <int Channels, class T, Sample S>
void normalize(T* out, const S* in, std::int64_t pixels, const Normalization& by) {
  const auto normalized = [&](S sample, int c) {
    constexpr float largest = static_cast<S>(-1);
    return static_cast<T>((static_cast<float>(sample) / largest - by.mean[c]) / by.std[c]);
  };
  if constexpr (std::is_same_v<S, std::uint8_t>) {
    T table[Channels][256];
    for (int c = 0; c < Channels; ++c)
      for (int v = 0; v < 256; ++v) table[c][v] = normalized(static_cast<S>(v), c);
    for (; pixels > 0; --pixels) {
#pragma GCC unroll 4
      for (int c = 0; c < Channels; ++c) *out++ = table[c][*in++];
    }
  } else {
    for (; pixels > 0; --pixels)
      for (int c = 0; c < Channels; ++c) *out++ = normalized(*in++, c);
  }
}

}  // namespace detail

// `image` as out (h, w, c): ((sample / largest sample) - mean) / std in float, as torchvision's
// ToTensor and Normalize compute it. `out` may be an example's part of a batch.
template <FloatElement T>
void to_tensor(std::span<T> out, const Image& image, const Normalization& by = {}) {
  with_sample(image, [&](auto zero) {
    using S = decltype(zero);
    const auto in = image.samples<S>();
    check(out.size() == in.size(), "to_tensor", "expected room for ", in.size(), " samples, got ",
          out.size());
    constexpr decltype(&detail::normalize<1, T, S>) normalize[] = {
        detail::normalize<1, T, S>, detail::normalize<2, T, S>, detail::normalize<3, T, S>,
        detail::normalize<4, T, S>};
    normalize[image.channels() - 1](out.data(), in.data(), image.width() * image.height(), by);
  });
}

// A batch (n, h, w, c) of images of one size.
template <FloatElement T = float>
Tensor<T> to_tensor(std::span<const Image> images, const Normalization& by = {}) {
  check(!images.empty(), "to_tensor", "no images");
  const Image& first = images[0];
  Tensor<T> out(Shape{static_cast<std::int64_t>(images.size()), first.height(), first.width(),
                      first.channels()});
  const auto size = static_cast<std::size_t>(out.numel()) / images.size();
  T* to = out.mutable_data();
  for (const Image& image : images) {
    check(image.width() == first.width() && image.height() == first.height() &&
              image.channels() == first.channels() && image.bits() == first.bits(),
          "to_tensor", "images of ", first.width(), " x ", first.height(), " x ", first.channels(),
          " and ", image.width(), " x ", image.height(), " x ", image.channels(), " in one batch");
    to_tensor(std::span<T>(to, size), image, by);
    to += size;
  }
  return out;
}

template <FloatElement T = float>
Tensor<T> to_tensor(const Image& image, const Normalization& by = {}) {
  return to_tensor<T>(std::span(&image, 1), by);
}

// The image in x (h, w, c) or (1, h, w, c): clamped to [0, 1], scaled and rounded to the nearest
// level, ties to even. NaN becomes 0.
template <FloatElement T>
Image to_image(const Tensor<T>& x, int bits = 8) {
  const int rank = x.rank();
  check(rank == 3 || (rank == 4 && x.dim(0) == 1), "to_image",
        "expected shape (h, w, c) or (1, h, w, c), got ", x.shape());
  Image image(x.dim(-2), x.dim(-3), static_cast<int>(x.dim(-1)), bits);
  const Tensor<T> dense = x.dense();
  with_sample(image, [&](auto zero) {
    using S = decltype(zero);
    constexpr float largest = static_cast<S>(-1);
    const T* from = dense.data();
    for (S& sample : image.samples<S>()) {
      const auto value = static_cast<float>(*from++);
      const float clamped = value > 0 ? (value < 1 ? value : 1.0f) : 0.0f;
      sample = static_cast<S>(std::nearbyint(clamped * largest));
    }
  });
  return image;
}

}  // namespace mien::data
