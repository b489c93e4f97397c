#pragma once
// Hair: a shell around the skull, a bun behind it, and what hangs behind the head and beside the
// face.

#include "head.hpp"
#include "light.hpp"
#include "painting.hpp"

namespace mien::synth {

class Hair {
 public:
  Hair(const Identity& person, const Head& head);

  Layer behind(const Ray& ray, const Light& light, float pixel) const;
  Layer in_front(const Ray& ray, const Light& light, float pixel) const;
  // How much of the light hair takes from the skin at p.
  float shadow(Vec3 p) const;

 private:
  struct Shape {
    float top = 0, side = 0;  // thickness above and beside the skull
    float line = -0.70f;      // where hair begins on the forehead
    float spread = 1;         // how fast the line comes down to the sides
    float down_to = 0;        // how far hair comes down beside the ears
    float side_back = 0.15f;  // depth from which on the sides are hair
    float end = 0;            // how far hair hangs down, 0 not at all
    float curl = 0;           // to 1
    float opacity = 1;        // below 1 skin shines through
  };
  static Shape shape_of(const Identity& person);

  float inside_line(Vec3 p) const;
  float hanging_width(float y) const;
  Color color_at(Vec3 p, Vec3 normal, const Light& light, float side) const;

  const Identity& person_;
  const Head& head_;
  Shape shape_;
  Vec3 radii_;
  Ellipsoid shell_;
};

}  // namespace mien::synth
