#pragma once
// What a network is worth on the validation part: the figures of the paper's Table 1.

#include <string>

#include <mien/metrics/affect.hpp>
#include <mien/train/values.hpp>

#include "faces.hpp"
#include "network.hpp"

namespace mien::programs {

metrics::AffectScores evaluate(const Network& network, const FaceLoader& loader);

// accuracy, accuracy7, ccc_valence, ccc_arousal, rmse_valence, rmse_arousal
train::Values values_of(const metrics::AffectScores& scores);

// Table 1's row and the accuracy of each class, as text.
std::string report(const metrics::AffectScores& scores);

// evaluation.json and confusion.svg.
void write_evaluation(const std::string& folder, const metrics::AffectScores& scores);

}  // namespace mien::programs
