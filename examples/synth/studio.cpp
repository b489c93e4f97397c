#include "studio.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mien::synth {

Identity Studio::person(std::int64_t number) const {
  Generator random = stream(0, number);
  return draw_identity(options_.population, random);
}

Portrait Studio::portrait(std::int64_t i, Emotion label) const {
  Generator random = stream(1, i);
  const auto who = static_cast<std::int64_t>(
      random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(options_.people, 1))));
  const Emotion shown = mistaken_for(label, options_.label_noise, random);
  Portrait portrait{person(who), draw_expression(shown, random), draw_shot(options_.shots, random)};
  blur_affect(portrait.expression, options_.label_noise, random);
  return portrait;
}

std::vector<std::int64_t> in_proportion(std::int64_t total, std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const auto n = static_cast<std::int64_t>(weights.size());
  const std::int64_t least = total >= n ? 1 : 0;
  std::vector<std::int64_t> counts;
  std::vector<std::pair<double, std::size_t>> remainders;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double exact = static_cast<double>(total - least * n) * weights[k] / sum;
    counts.push_back(least + static_cast<std::int64_t>(exact));
    remainders.emplace_back(std::floor(exact) - exact, k);
  }
  std::sort(remainders.begin(), remainders.end());
  std::int64_t left = total - std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  for (std::size_t k = 0; left > 0; ++k, --left) ++counts[remainders[k].second];
  return counts;
}

std::vector<int> shuffled_labels(std::span<const std::int64_t> counts, Generator& random) {
  std::vector<int> labels;
  for (std::size_t k = 0; k < counts.size(); ++k)
    labels.insert(labels.end(), static_cast<std::size_t>(counts[k]), static_cast<int>(k));
  for (std::size_t i = labels.size(); i > 1; --i) std::swap(labels[i - 1], labels[random.below(i)]);
  return labels;
}

}  // namespace mien::synth
