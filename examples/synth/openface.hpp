#pragma once
// What OpenFace's FeatureExtraction -aus would write about a video.

#include <string>
#include <vector>

#include "expression.hpp"

namespace mien::synth {

struct OpenFaceOptions {
  float failures = 0.06f;    // share of frames in which it finds no face
  bool old_version = false;  // ", " between fields
  double frames_per_second = 30;
};

// The lines of VIDEO.csv, with its header; one for each frame, in order. Intensities are off by a
// little, as those of a detector are.
std::vector<std::string> openface_lines(const std::vector<Expression>& frames,
                                        const OpenFaceOptions& options, Generator& random);

}  // namespace mien::synth
