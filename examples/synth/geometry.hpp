#pragma once
// Where everything is in a face: lines and places that follow from who it is and what it expresses.
// The painter draws along them and landmarks are read off them, so that both agree.
//
// Head space: x to the picture's right, y down, z to the viewer; the crown is near y = -1, the chin
// near y = 1, eyes near y = 0. Seen from the front, features are given in (x, y).

#include <array>

#include "expression.hpp"
#include "identity.hpp"

namespace mien::synth {

struct Point {
  float x, y;
};

// One eyebrow, on the right of the picture; the left one has x negated.
struct Brow {
  Point inner, arch, outer;
  float half_thickness;
  // The middle line: the parabola through the three points.
  float at(float x) const;
};

// One eye, on the right of the picture.
struct Eye {
  Point center;
  float half_width, tilt;
  float upper, lower;  // how far the lids are off the line between the corners
  float skew;          // where the upper lid is highest: -1 inner corner, 1 outer
  float crease;        // how far above that line the upper lid folds
  // Lids at u in [-1, 1] from the inner to the outer corner, relative to the tilted axis.
  float upper_lid(float u) const;
  float lower_lid(float u) const;
};

struct Mouth {
  Point center;
  float left, right;                // half-widths on both sides
  float left_corner, right_corner;  // how far below the centre the corners are
  float open_up, open_down;         // how far the lips are off the mouth's line
  float upper_thickness, lower_thickness;
  // u in [-1, 1] from the left to the right corner.
  float x(float u) const { return center.x + (u < 0 ? left : right) * u; }
  float u(float x) const { return (x - center.x) / (x < center.x ? left : right); }
  float line(float u) const;
  float upper_inner(float u) const, upper_outer(float u) const;
  float lower_inner(float u) const, lower_outer(float u) const;
};

// Wrinkles and folds, 0 to 1.
struct Folds {
  float forehead, frown, nose_root, crow_feet, lower_lid, dimple_left, dimple_right, chin;
  float cheek_left, cheek_right;  // from the nose around the mouth's corner
};

struct Geometry {
  std::array<Brow, 2> brows;  // left and right of the picture, both as if right
  std::array<Eye, 2> eyes;
  Mouth mouth;
  Folds folds;
  float nose_tip, nose_base, nostril_lift, nose_half_width;
  float jaw_drop;        // how far the chin is lower
  float cheek_bulge[2];  // left, right

  Geometry(const Identity& person, const Expression& expression);
};

}  // namespace mien::synth
