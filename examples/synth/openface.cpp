#include "openface.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <mien/affect/openface.hpp>

#include "files.hpp"
#include "painting.hpp"

namespace mien::synth {
namespace {

// 12 of "AU12_r".
int unit_of(std::string_view feature) {
  int number = 0;
  std::from_chars(feature.data() + 2, feature.data() + 4, number);
  return number;
}

// Intensity as OpenFace gives it, 0 to 5.
float measured(const Expression& e, int unit, Generator& random) {
  return std::clamp(5 * e.au(unit) + 0.3f * bell(random), 0.0f, 5.0f);
}

}  // namespace

std::vector<std::string> openface_lines(const std::vector<Expression>& frames,
                                        const OpenFaceOptions& options, Generator& random) {
  const std::string comma = options.old_version ? ", " : ",";
  std::string header =
      "frame" + comma + "face_id" + comma + "timestamp" + comma + "confidence" + comma + "success";
  for (const std::string_view feature : affect::openface_features)
    header += comma + std::string(feature);
  std::vector<std::string> lines = {header};
  for (const Expression& e : frames) {
    const bool success = !chance(random, options.failures);
    const auto frame = lines.size();
    const double seconds = static_cast<double>(frame - 1) / options.frames_per_second;
    std::string line =
        std::to_string(frame) + comma + '0' + comma + decimal(seconds, 3) + comma +
        (success ? decimal(between(random, 0.88f, 0.98f), 2) + comma + '1' : "0.00" + comma + '0');
    for (const std::string_view feature : affect::openface_features) {
      const float intensity = success ? measured(e, unit_of(feature), random) : 0;
      line += comma + decimal(feature.ends_with("_r") ? intensity : (intensity >= 1.0f), 2);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace mien::synth
