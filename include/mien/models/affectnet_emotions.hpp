#pragma once
// The classes of networks that were trained on AffectNet.

#include <array>
#include <string_view>

namespace mien::models {

// AffectNet's eight emotions in the order of the published networks' outputs.
inline constexpr std::array<std::string_view, 8> affectnet_emotions = {
    "Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise"};

}  // namespace mien::models
