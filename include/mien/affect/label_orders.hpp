#pragma once
// The orders in which data sets and networks count expressions, and how one becomes another.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include <mien/models/affectnet_emotions.hpp>

namespace mien::affect {

template <std::size_t n>
using LabelOrder = std::array<std::string_view, n>;

// AffectNet's own labels, in its CSV and .npy files. The last three are no expressions.
inline constexpr LabelOrder<11> affectnet_labels = {"Neutral", "Happiness", "Sadness", "Surprise",
                                                    "Fear",    "Disgust",   "Anger",   "Contempt",
                                                    "None",    "Uncertain", "No-face"};

// Outputs of networks: alphabetical, as torchvision's ImageFolder counts AffectNet's folders.
inline constexpr LabelOrder<8> affectnet8_outputs = models::affectnet_emotions;
inline constexpr LabelOrder<7> affectnet7_outputs = {"Anger",   "Disgust", "Fear",    "Happiness",
                                                     "Neutral", "Sadness", "Surprise"};

// The multi-task annotations of ABAW (s-Aff-Wild2).
inline constexpr LabelOrder<8> abaw_expressions = {"Neutral",   "Anger",   "Disgust",  "Fear",
                                                   "Happiness", "Sadness", "Surprise", "Other"};

// ABAW's learning from synthetic data.
inline constexpr LabelOrder<6> lsd_expressions = {"Anger",     "Disgust", "Fear",
                                                  "Happiness", "Sadness", "Surprise"};
// Its folders, with the misspelling of the published data.
inline constexpr LabelOrder<6> lsd_folders = {"ANGRER",    "DISGUST", "FEAR",
                                              "HAPPINESS", "SADNESS", "SURPRISE"};

// The label of `name`; none where the order has no such name.
template <std::size_t n>
constexpr std::optional<int> find_label(const LabelOrder<n>& order, std::string_view name) {
  for (std::size_t i = 0; i < n; ++i)
    if (order[i] == name) return static_cast<int>(i);
  return std::nullopt;
}

// The label of a folder of LSD, also where the misspelling was mended.
constexpr std::optional<int> find_lsd_folder(std::string_view name) {
  return name == "ANGER" ? 0 : find_label(lsd_folders, name);
}

// For each label of `from` the label of the same name in `to`; -1 where there is none.
template <std::size_t n, std::size_t m>
constexpr std::array<int, n> label_map(const LabelOrder<n>& from, const LabelOrder<m>& to) {
  std::array<int, n> map{};
  for (std::size_t i = 0; i < n; ++i) map[i] = find_label(to, from[i]).value_or(-1);
  return map;
}

// AffectNet's labels as outputs: {5, 4, 6, 7, 3, 2, 0, 1, -1, -1, -1}.
inline constexpr auto affectnet8_output_of_label = label_map(affectnet_labels, affectnet8_outputs);
// The outputs that the six expressions of LSD are picked from: {0, 2, 3, 4, 6, 7}.
inline constexpr auto affectnet8_output_of_lsd = label_map(lsd_expressions, affectnet8_outputs);

}  // namespace mien::affect
