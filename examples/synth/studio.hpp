#pragma once
// A set of pictures: its persons, how it shows them, and which classes how often. Picture i depends
// on the set's random numbers and i alone, so pictures can be drawn in any order.

#include <cstdint>
#include <span>
#include <vector>

#include <mien/core/random.hpp>

#include "portrait.hpp"

namespace mien::synth {

struct StudioOptions {
  std::int64_t people = 8;
  Population population = {};
  ShotRange shots = {};
  float label_noise = 0;  // mistaken_for(), blur_affect()
};

class Studio {
 public:
  // Sets with different random numbers have no person in common.
  Studio(const Generator& random, const StudioOptions& options)
      : random_(random), options_(options) {}

  std::int64_t people() const { return options_.people; }
  Identity person(std::int64_t number) const;

  // Picture i of a face that is labelled as `label`: of any person, with an expression and a shot
  // of its own. Valence and arousal are as they are labelled.
  Portrait portrait(std::int64_t i, Emotion label) const;

  // Numbers of its own for picture i: noise of the sensor, and choices of a layout.
  Generator numbers(std::int64_t i) const { return stream(2, i); }

 private:
  Generator stream(std::uint64_t what, std::int64_t i) const {
    return random_.stream(what, static_cast<std::uint64_t>(i));
  }

  Generator random_;
  StudioOptions options_;
};

// `total` shared out in proportion to `weights` (largest remainders); at least one each where there
// is enough.
std::vector<std::int64_t> in_proportion(std::int64_t total, std::span<const double> weights);

// Label k counts[k] times, in random order.
std::vector<int> shuffled_labels(std::span<const std::int64_t> counts, Generator& random);

}  // namespace mien::synth
