#pragma once
// What an EfficientNet is made of, without the layers: read by the models and by the readers of
// weight files. Sources and sizes: models/efficientnet.hpp.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>

namespace mien::models {

// Who trained the weights: decides what no state dict tells.
//                names         padding            BN eps   BN momentum
//   timm_tf      timm          TensorFlow's SAME  1e-3     0.1
//   timm         timm          symmetric          1e-5     0.1
//   torchvision  torchvision   symmetric          1e-5     0.1    (B5 to B7: 1e-3, 0.01)
//   lukemelas    lukemelas     TensorFlow's SAME  1e-3     0.01
enum class Source { timm_tf, timm, torchvision, lukemelas };

inline constexpr std::pair<std::string_view, Source> source_names[] = {
    {"timm-tf", Source::timm_tf},
    {"timm", Source::timm},
    {"torchvision", Source::torchvision},
    {"lukemelas", Source::lukemelas}};

inline std::string_view to_string(Source source) {
  return source_names[static_cast<std::size_t>(source)].first;
}
inline std::optional<Source> parse_source(std::string_view name) {
  for (const auto& [known, source] : source_names)
    if (known == name) return source;
  return {};
}

struct EfficientNetOptions {
  int variant = 0;                  // B0 to B7
  std::int64_t num_classes = 1000;  // 0: features only, no classifier
  Source source = Source::timm_tf;
  double drop_path = 0.2;  // of the last block; earlier blocks have proportionally less
  double dropout = -1;     // before the classifier; negative: the variant's own
  // For other scales than those of the variants; 0: the variant's.
  double width = 0, depth = 0;
  // Of batch norm, where a file tells them; 0: the source's.
  double eps = 0, momentum = 0;

  bool same_padding() const { return source == Source::timm_tf || source == Source::lukemelas; }
  double bn_eps() const {
    if (eps > 0) return eps;
    return same_padding() || late_torchvision() ? 1e-3 : 1e-5;
  }
  double bn_momentum() const {
    if (momentum > 0) return momentum;
    return source == Source::lukemelas || late_torchvision() ? 0.01 : 0.1;
  }
  // Side of the square images that the variant was made for.
  std::int64_t input_size() const;

 private:
  bool late_torchvision() const { return source == Source::torchvision && variant >= 5; }
};

// One stage of B0: `repeats` blocks, the first one with `stride`.
struct EfficientNetStage {
  std::int64_t repeats, kernel, stride, expansion, channels;
};
inline constexpr EfficientNetStage efficientnet_stages[] = {
    {1, 3, 1, 1, 16},  {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80},
    {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};

// Compound scaling: what a variant makes of B0's numbers.
struct EfficientNetScale {
  double width = 1, depth = 1, dropout = 0.2;
  std::int64_t input_size = 224;

  constexpr EfficientNetScale(double w, double d, double drop, std::int64_t size)
      : width(w), depth(d), dropout(drop), input_size(size) {}

  explicit EfficientNetScale(const EfficientNetOptions& options) {
    constexpr EfficientNetScale scales[] = {
        {1.0, 1.0, 0.2, 224}, {1.0, 1.1, 0.2, 240}, {1.1, 1.2, 0.3, 260}, {1.2, 1.4, 0.3, 300},
        {1.4, 1.8, 0.4, 380}, {1.6, 2.2, 0.4, 456}, {1.8, 2.6, 0.5, 528}, {2.0, 3.1, 0.5, 600}};
    check(options.variant >= 0 && options.variant <= 7, "efficientnet",
          "expected variant 0 to 7, got ", options.variant);
    *this = scales[options.variant];
    if (options.width > 0) width = options.width;
    if (options.depth > 0) depth = options.depth;
    if (options.dropout >= 0) dropout = options.dropout;
  }

  // The nearest multiple of 8, but never less than 90 % of the scaled number.
  std::int64_t channels(std::int64_t base) const {
    const double scaled = static_cast<double>(base) * width;
    const std::int64_t rounded = static_cast<std::int64_t>(scaled + 4) / 8 * 8;
    if (rounded < 8) return 8;
    return static_cast<double>(rounded) < 0.9 * scaled ? rounded + 8 : rounded;
  }
  std::int64_t repeats(std::int64_t base) const {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(base) * depth));
  }
};

inline std::int64_t EfficientNetOptions::input_size() const {
  return EfficientNetScale(*this).input_size;
}

}  // namespace mien::models
