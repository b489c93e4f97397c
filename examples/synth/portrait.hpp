#pragma once
// A picture of a face: who, expressing what, seen how. Everything in it follows from these numbers.

#include <array>

#include <mien/data/image.hpp>

#include "expression.hpp"
#include "geometry.hpp"
#include "identity.hpp"

namespace mien::synth {

// How a picture is taken.
struct Shot {
  float yaw = 0, pitch = 0, roll = 0;  // radians; positive: to the picture's right, down, clockwise
  float center_x = 0.5f, center_y = 0.5f;  // of the head, in sides of the picture
  float scale = 0.45f;                     // the head's unit (half its height), likewise
  float gaze_x = 0, gaze_y = 0;

  Vec3 lamp = {-0.4f, -0.6f, 0.7f};  // where the light comes from
  Color lamp_color = {0.9f, 0.9f, 0.9f};
  Color sky = {0.35f, 0.35f, 0.38f}, ground = {0.2f, 0.18f, 0.16f};  // light from all around

  std::uint32_t scene = 0;  // seed of the background
  Color wall = {0.3f, 0.3f, 0.3f}, accent = {0.2f, 0.25f, 0.3f};

  float blur = 0;   // deviation in thousandths of the picture's side
  float grain = 0;  // deviation of noise, in samples of 0 to 1
  int jpeg_quality = 92;
};

struct ShotRange {
  float yaw = 0.38f, pitch = 0.2f, roll = 0.18f;  // deviations are half of these
  float scale = 0.49f, scale_spread = 0.12f, offset = 0.03f;
  float grain = 0.02f, blur = 5.0f;
  int worst_quality = 55, best_quality = 95;
};

Shot draw_shot(const ShotRange& range, Generator& random);

struct Portrait {
  Identity person;
  Expression expression;
  Shot shot;
};

// Draws it, 8-bit RGB of side x side pixels. `random` makes the sensor's noise.
data::Image paint(const Portrait& portrait, int side, Generator& random);

// The 68 points of the iBUG scheme, in pixels: jaw 17, brows 2 x 5, nose 9, eyes 2 x 6, mouth 20.
std::array<Point, 68> landmarks(const Portrait& portrait, int side);

}  // namespace mien::synth
