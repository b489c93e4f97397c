#pragma once
// Light on surfaces, and what covers what.

#include "painting.hpp"

namespace mien::synth {

// A colour and how much of the pixel it covers.
struct Layer {
  Color color = {0, 0, 0};
  float share = 0;
};

inline void lay(Color& color, const Layer& layer) { color = mix(color, layer.color, layer.share); }

// One lamp far away, and light from all around that differs above and below.
struct Light {
  Vec3 lamp, up;  // directions
  Color lamp_color, sky, ground;

  Color around(Vec3 normal) const { return mix(ground, sky, 0.5f + 0.5f * dot(normal, up)); }
  // On a matt surface that faces this way.
  Color on(Vec3 normal) const {
    return std::max(dot(normal, lamp), 0.0f) * lamp_color + around(normal);
  }
};

}  // namespace mien::synth
