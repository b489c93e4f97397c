#pragma once
// What lies on a head's surface: skin with its folds and hair, brows, eyes and mouth, painted in
// (x, y) of head space (geometry.hpp).

#include "geometry.hpp"
#include "painting.hpp"

namespace mien::synth {

// The surface at one pixel, before light falls on it.
struct Surface {
  Color albedo;
  float slope_x = 0, slope_y = 0;  // relief: how fast it rises towards the viewer
  float gloss = 1;                 // strength of the highlight, relative to dry skin
  float open = 1;                  // share of the light that gets there
  float softness = 1;              // how far light spreads below the surface: 1 skin, 0 tooth
  Color glint = {0, 0, 0};         // reflection of the lamp

  // Paint of this colour over a share of the pixel: flat, and without what was below.
  void cover(Color color, float share);
  // A hill (dent, if negative) of this height.
  void raise(float dx, float dy, float radius_x, float radius_y, float height);
  // A fold at this distance, 0 to 1 deep.
  void crease(float distance, float width, float depth);
};

struct Gaze {
  float x, y;            // -1 to 1
  float lamp_x, lamp_y;  // where the lamp is mirrored in the eye
};

// Skin, with everything that grows on it and folds it, without brows.
void paint_skin(Surface& surface, Vec3 p, const Identity& person, const Geometry& g);
void paint_brows(Surface& surface, Vec3 p, const Identity& person, const Geometry& g, float pixel);
void paint_eyes(Surface& surface, Vec3 p, const Identity& person, const Geometry& g,
                const Gaze& gaze, float pixel);
void paint_mouth(Surface& surface, Vec3 p, const Identity& person, const Geometry& g, float pixel);

}  // namespace mien::synth
