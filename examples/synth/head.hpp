#pragma once
// The head as a solid in head space (geometry.hpp): a smooth union of ellipsoids, hit by rays.

#include <array>
#include <optional>

#include "geometry.hpp"
#include "painting.hpp"

namespace mien::synth {

struct Hit {
  Vec3 point;
  float t;
  float coverage;  // below 1 at the outline
};

class Head {
 public:
  Head(const Identity& person, const Geometry& geometry);

  // Signed distance to the surface.
  float distance(Vec3 p) const;

  // Unit length, outwards.
  Vec3 normal(Vec3 p) const;

  // Where the ray comes upon the head, for pixels of this size; nothing in front of t = start is
  // looked at.
  static constexpr float anywhere = 9;
  std::optional<Hit> hit(const Ray& ray, float pixel, float start = anywhere) const;

  // The point of the surface in front of (x, y).
  Vec3 in_front_of(float x, float y) const;

  // What hair grows on.
  static constexpr Vec3 skull_center = {0, -0.28f, -0.08f};
  Vec3 skull_radii() const { return skull_radii_; }

 private:
  // D: float or Sloped. `right` is the point mirrored to x >= 0.
  template <class D>
  D shape(Vec3 right, bool left_side) const;
  template <class D>
  D face(Vec3 right, bool left_side, D d) const;
  template <class D>
  D nose(Vec3 right) const;

  Vec3 skull_radii_;
  Ellipsoid bounds_;
  Ellipsoid skull_, jaw_, chin_, muzzle_, ear_;
  Ellipsoid brow_ridge_, socket_, nose_wing_;  // of the right side
  std::array<Ellipsoid, 2> cheeks_;            // left and right, both as if right
  Vec3 nose_root_, nose_tip_;
  float nose_tip_radius_;
};

}  // namespace mien::synth
