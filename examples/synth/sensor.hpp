#pragma once
// From light to samples: blur of the lens, noise of the sensor, gamma, 8 bits.

#include <vector>

#include <mien/data/image.hpp>

#include "portrait.hpp"

namespace mien::synth {

data::Image develop(std::vector<Color>& colors, int side, const Shot& shot, Generator& random);

}  // namespace mien::synth
