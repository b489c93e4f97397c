#pragma once
// EmotiEffNet and MT-EmotiEffNet: an EfficientNet with eight emotions and, where the network has
// ten outputs, valence and arousal. Savchenko: "HSEmotion: high-speed emotion recognition library",
// Software Impacts 2022; "MT-EmotiEffNet for multi-task human affective behavior analysis", 2022.

#include <algorithm>
#include <cmath>
#include <vector>

#include <mien/models/affectnet_emotions.hpp>
#include <mien/models/efficientnet.hpp>

namespace mien::models {

// One face.
struct Affect {
  std::vector<float> logits;       // all outputs as they are
  std::vector<float> scores;       // softmax of the emotions' logits, in class order
  std::size_t emotion = 0;         // index of the largest score
  float valence = 0, arousal = 0;  // linear outputs, about [-1, 1]; 0 without such outputs
};

// The named fields of network outputs (n, emotions) or (n, emotions + 2).
template <FloatElement T>
std::vector<Affect> read_affect(const Tensor<T>& logits, std::int64_t emotions = 8) {
  check(logits.rank() == 2 && (logits.dim(1) == emotions || logits.dim(1) == emotions + 2),
        "read_affect", "expected outputs (n, ", emotions, ") or (n, ", emotions + 2, "), got ",
        logits.shape());
  const std::int64_t outputs = logits.dim(1);
  const Tensor<float> all = logits.template to<float>();
  std::vector<Affect> faces;
  for (std::int64_t i = 0; i < logits.dim(0); ++i) {
    const float* row = all.data() + i * outputs;
    Affect face;
    face.logits.assign(row, row + outputs);
    const float* best = std::max_element(row, row + emotions);
    face.emotion = static_cast<std::size_t>(best - row);
    double sum = 0;
    for (std::int64_t k = 0; k < emotions; ++k)
      sum += std::exp(static_cast<double>(row[k] - *best));
    for (std::int64_t k = 0; k < emotions; ++k)
      face.scores.push_back(
          static_cast<float>(std::exp(static_cast<double>(row[k] - *best)) / sum));
    if (outputs == emotions + 2) {
      face.valence = row[emotions];
      face.arousal = row[emotions + 1];
    }
    faces.push_back(std::move(face));
  }
  return faces;
}

// MT-EmotiEffNet: B0, eight emotions, valence, arousal.
inline EfficientNetOptions mt_emotieffnet_options() {
  return {.variant = 0, .num_classes = 10, .source = Source::timm_tf};
}

}  // namespace mien::models
